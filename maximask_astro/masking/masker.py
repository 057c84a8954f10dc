"""Find contaminants in exposures."""

import warnings
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from maximask_astro.background import array_reader
from maximask_astro.inference import ClassDecision, TileEngine, log_prior_factor
from maximask_astro.masking.contaminant_map import ClassSettings, ContaminantMap
from maximask_astro.masking.rates import has_rates
from maximask_astro.masking.representation import short_repr
from maximask_astro.masking.settings import (
    resolve_classes,
    resolve_grow,
    resolve_priors,
    resolve_thresholds,
)
from maximask_astro.masking.streaming import judge_bands
from maximask_astro.utils.errors import MaximaskWarning
from maximask_astro.utils.nddata import unpack
from maximask_astro.weights import load_model

__all__ = ["DEFAULT_MODEL", "ContaminantMasker"]

DEFAULT_MODEL = "contaminants-1"

UNCERTAINTIES = (None, "dihedral")


def _warn(where, reason):
    # From a generator that the caller of the masker runs.
    warnings.warn(f"No verdict{where}: {reason}.", MaximaskWarning, stacklevel=5)


class ContaminantMasker:
    """
    Find contaminants in exposures with a neural network.

    Configure it once, then call it with as many exposures as you like. It
    keeps nothing of a call and may be used from several threads.

    Parameters
    ----------
    model : str, path-like or `~maximask_astro.weights.LoadedModel`, optional
        Name of a model (see ``maximask-astro weights list``), a directory with
        a model, or a model that is loaded already. The default comes with the
        package.

    classes : str or iterable of str, optional
        ``'all'``, ``'unusable'``, or abbreviations (see
        `maximask_astro.flags`), in one string with commas or one by one.

    priors : 'default', mapping or None, optional
        Expected fraction of each class in the exposures, by abbreviation, in
        (0, 1). Classes left out get the default; None for a class, or for all
        of them, keeps the network's probabilities.

    thresholds : 'default', float, str or mapping, optional
        A pixel belongs to a class where its posterior probability is above
        this: one number for all classes or by abbreviation, in [0, 1]. In
        place of a number, ``'fpr=1e-3'`` asks for the threshold at which one
        in a thousand pixels that are not of the class is taken for it; this
        needs a model whose card has ROC curves.

    uncertainty : {None, 'dihedral'}, optional
        ``'dihedral'`` gives each probability the standard deviation of those
        of the eight views of the exposure (rotated, mirrored), at eight times
        the cost. The probability itself stays that of the exposure as it is.

    grow : float or mapping, optional
        Radius in pixels by which the pixels of each class are grown, for all
        contaminants (not BBG, BG, FR, NEB) or by abbreviation.

    tiling : {'seamless', 'original'}, optional
        ``'seamless'``: as if the exposure were seen in one pass, whatever the
        size of the tiles. ``'original'``: in the overlapping blocks of
        MaxiMask 1.4.1, to get its result bit for bit; slower.

    tile_size, batch_size : int, optional
        Largest side of a tile in pixels, and tiles evaluated at a time. More is
        faster and needs more memory; the result is the same.

    keep_probabilities : bool, optional
        Whether the map keeps probabilities (4 bytes a pixel and class).

    progress_bar : bool, optional
        Whether to show a progress bar over tiles.

    Raises
    ------
    TypeError, ValueError
        An argument is not as described.

    ModelNotFoundError
        The model is unknown or not installed.

    ModelIntegrityError
        The model's files are damaged.

    InputError
        A threshold is a false-positive rate, and the model's card has no ROC
        curve for it.

    Notes
    -----
    The classes and the update to new priors (its equation 26) are those of
    Paillassa, Bertin & Bouy (2020, A&A 634, A48).
    """

    def __init__(
        self,
        model=DEFAULT_MODEL,
        *,
        classes="all",
        priors="default",
        thresholds="default",
        uncertainty=None,
        grow=0,
        tiling="seamless",
        tile_size=None,
        batch_size=None,
        keep_probabilities=True,
        progress_bar=False,
    ):
        if uncertainty not in UNCERTAINTIES:
            raise ValueError(
                f"There is no uncertainty {uncertainty!r}; there are None, 'dihedral'."
            )
        self._model = load_model(model)
        card = self._model.card
        if card.task != "contaminants":
            raise ValueError(
                f"The model '{card.name}' is for {card.task}, not for contaminants."
            )
        self._options = {
            "classes": classes,
            "priors": priors,
            "thresholds": thresholds,
            "uncertainty": uncertainty,
            "grow": grow,
            "tiling": tiling,
            "tile_size": tile_size,
            "batch_size": batch_size,
            "keep_probabilities": keep_probabilities,
            "progress_bar": progress_bar,
        }
        names = resolve_classes(classes, card.classes)
        new_priors = resolve_priors(priors, names)
        limits = resolve_thresholds(thresholds, names, card, new_priors)
        self._settings = tuple(
            ClassSettings(
                name, card.training_priors.get(name), new_priors[name], limits[name]
            )
            for name in names
        )
        self._grow = resolve_grow(grow, names)
        self._decisions = tuple(self._decision(item) for item in self._settings)
        self._engine = TileEngine(
            self._model, tiling=tiling, tile_size=tile_size, batch_size=batch_size
        )
        self._uncertainty = uncertainty
        self._keep = keep_probabilities or uncertainty is not None
        self._progress_bar = progress_bar
        self._grown = {name: r for name, r in self._grow.items() if r}
        self._repr = short_repr(card.name, self._settings, self._options, self._grown)

    def _decision(self, item):
        card = self._model.card
        shift = 0.0
        if item.prior is not None:
            if item.training_prior is None:
                raise ValueError(
                    f"The model '{card.name}' has no training prior for {item.name}, "
                    "so its prior cannot be changed; use None."
                )
            shift = float(log_prior_factor(item.training_prior, item.prior))
        channel = card.classes.index(item.name)
        return ClassDecision(channel, shift, item.threshold, item.code)

    def __repr__(self):
        return self._repr

    @property
    def model_card(self):
        """The `~maximask_astro.weights.ModelCard` of the model."""
        return self._model.card

    @property
    def classes(self):
        """The classes' abbreviations, in the order of the model."""
        return tuple(settings.name for settings in self._settings)

    @property
    def settings(self):
        """The priors and thresholds in use: a tuple of `ClassSettings`."""
        return self._settings

    def __call__(self, data, *, mask=None):
        """
        Find the contaminants of an exposure.

        Parameters
        ----------
        data : `~astropy.nddata.CCDData`, `~astropy.nddata.NDData`, \
                `~astropy.units.Quantity`, image HDU or array_like
            The exposure, raw or reduced, of any real dtype and any size: two
            dimensions, or three for a cube whose planes are judged one by one.
            Its unit is not used. It is not changed.

        mask : array_like of bool, optional
            True for pixels without a usable value, for inputs that cannot
            bring their own mask.

        Returns
        -------
        map : `ContaminantMap`
            Verdict and probabilities of every pixel. Pixels that are masked,
            NaN or infinite get no verdict.

        Raises
        ------
        TypeError
            The data are not real numbers.

        ValueError
            The data are empty or do not have two or three dimensions, the mask
            does not fit, or there are two masks.

        Warns
        -----
        MaximaskWarning
            An image, or a plane of a cube, has nothing to judge: all its
            pixels are invalid or have the same value.
        """
        exposure = unpack(data, mask=mask)
        shape, values = exposure.data.shape, exposure.data
        values = values.reshape(-1, *shape[-2:])
        masks = None if exposure.mask is None else exposure.mask.reshape(values.shape)

        verdicts = np.zeros(values.shape, np.uint32)
        invalid = np.zeros(values.shape, bool)
        cube = (len(self._settings), *values.shape)
        planes, spreads = (
            np.empty(cube, np.float32) if wanted else None
            for wanted in (self._keep, self._uncertainty is not None)
        )
        targets = verdicts, invalid, planes, spreads
        for index, image in enumerate(values):
            read = array_reader(image, None if masks is None else masks[index])
            where = f" of plane {index}" if len(shape) == 3 else ""
            for band in self._bands(read, image.shape, where=where):
                parts = band.codes, band.invalid, band.probabilities, band.uncertainties
                for target, part in zip(targets, parts, strict=True):
                    if part is not None:
                        target[..., index, band.rows, :] = part
        return ContaminantMap(
            self._settings,
            verdicts.reshape(shape),
            invalid.reshape(shape),
            None if planes is None else planes.reshape(len(planes), *shape),
            None if spreads is None else spreads.reshape(len(spreads), *shape),
            exposure.wcs,
            exposure.meta,
            self.provenance,
        )

    def stream(self, read, shape, *, keep_probabilities=True, on_problem=None):
        """
        Find the contaminants of an image that need not fit into the memory.

        Parameters
        ----------
        read : callable
            From the first row and the one after the last to these rows: the pixels
            (float32, zeros for invalid ones), and a boolean array that is True for
            invalid ones, None if there are none. It is called several times for
            each row, from another thread, too.

        shape : tuple of two int
            Size of the image.

        keep_probabilities : bool, optional
            Whether to keep them, if the masker does: without, it is faster.

        on_problem : callable, optional
            Called in place of a warning, with what is wrong.

        Yields
        ------
        rows : slice
            Some rows, from the first to the last.

        map : `ContaminantMap`
            Of these rows, without coordinates or header.

        Warns
        -----
        MaximaskWarning
            The image has nothing to judge.
        """
        for band in self._bands(read, shape, on_problem, keep=keep_probabilities):
            invalid = band.invalid
            if invalid is None:
                invalid = np.zeros(band.codes.shape, bool)
            planes = band.probabilities, band.uncertainties
            cmap = ContaminantMap(
                self._settings,
                band.codes,
                invalid,
                *planes,
                provenance=self.provenance,
            )
            yield band.rows, cmap

    def _bands(self, read, shape, on_problem=None, *, where="", keep=True):
        return judge_bands(
            read,
            shape,
            self._engine,
            self._settings,
            self._decisions,
            grow=self._grow,
            on_problem=on_problem or partial(_warn, where),
            probabilities=self._keep and keep,
            uncertainties=self._uncertainty is not None,
            progress_bar=self._progress_bar,
        )

    def fine_tune(self, images, masks, *, output=None, overwrite=False, **options):
        """
        Adapt the network to a camera by exposures with masks.

        Parameters
        ----------
        images : iterable of `~astropy.nddata.CCDData`, array_like and so on
            Two-dimensional exposures, each as in a call.

        masks : iterable
            The mask of each: a bit mask (see `maximask_astro.flags`), a
            `ContaminantMap`, or a mapping from abbreviations of classes to
            boolean arrays.

        output : path-like, optional
            Directory to save the new model in.

        overwrite : bool, optional
            Whether a directory that exists is replaced.

        **options
            Passed to `maximask_astro.training.fine_tune`: ``classes`` that the
            masks are about, ``steps``, ``learning_rate``, ``size`` of crops,
            ``batch``, the ``simulated`` fraction of it, ``seed``, ``name`` of
            the model, and ``progress_bar``.

        Returns
        -------
        masker : `ContaminantMasker`
            A new masker with the adapted model and the options of this one,
            which does not change. Thresholds that were given as false-positive
            rates stay the numbers that they are for this one.

        Raises
        ------
        InputError
            Images and masks do not match, or training fails.

        FileExistsError
            ``output`` exists and ``overwrite`` is False.
        """
        from maximask_astro.training import fine_tune, write_model

        if output is not None and Path(output).exists() and not overwrite:
            raise FileExistsError(f"{output} exists; allow overwriting to replace it.")
        model = fine_tune(self._model, images, masks, **options)
        if output is not None:
            model = write_model(model, output)
        kept = dict(self._options)
        if has_rates(kept["thresholds"]):
            kept["thresholds"] = {item.name: item.threshold for item in self._settings}
        return type(self)(model, **kept)

    @property
    def provenance(self):
        """How maps are made: a dict, see `ContaminantMap`."""
        from maximask_astro import __version__

        card = self._model.card
        return {
            "model": card.name,
            "weights_sha256": card.weights_sha256,
            "version": __version__,
            "normalization": card.normalization,
            "tiling": self._engine.tiling,
            "uncertainty": self._uncertainty or "none (not estimated)",
            "grow": self._grown,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
        }
