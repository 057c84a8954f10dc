"""Find contaminants in exposures."""

from functools import partial

from maximask_astro.background import array_reader
from maximask_astro.inference import TileEngine
from maximask_astro.masking.arrays import CubeArrays, arrays_of
from maximask_astro.masking.contaminant_map import ContaminantMap
from maximask_astro.masking.decisions import decide, rivals_of, settle
from maximask_astro.masking.header import provenance_of
from maximask_astro.masking.representation import short_repr
from maximask_astro.masking.saturation import SaturatedPixels, resolve_saturation
from maximask_astro.masking.settings import resolve_grow, with_other_priors
from maximask_astro.masking.streaming import judge_bands
from maximask_astro.masking.uncertainty import resolve_uncertainty
from maximask_astro.masking.warn import warn_no_verdict, warn_unlike
from maximask_astro.utils.nddata import unpack
from maximask_astro.weights import load_model

__all__ = ["DEFAULT_MODEL", "ContaminantMasker"]

DEFAULT_MODEL = "contaminants-1"


class ContaminantMasker:
    """
    Find contaminants in exposures with a neural network.

    Configure it once, then call it with as many exposures as you like, also from
    several threads: it keeps nothing of a call.

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
        (0, 1). Classes left out get the default; None for a class, or for all of
        them, keeps the network's probabilities. See also `with_priors`.

    thresholds : 'default', float, str or mapping, optional
        A pixel belongs to a class where its posterior probability is above
        this: one number for all classes or by abbreviation, in [0, 1]. In
        place of a number, ``'fpr=1e-3'`` asks for the threshold at which one
        in a thousand pixels that are not of the class is taken for it; this
        needs a model whose card has ROC curves.

    uncertainty : {'default', 'card', 'dihedral', None}, optional
        ``'card'`` gives each probability the standard deviation, over skies, of
        the fraction of pixels that are of the class where the model gives this
        probability; it is looked up on the model's card, when it is asked for.
        ``'dihedral'`` gives it the standard deviation of those of the eight views
        of the exposure (rotated, mirrored), at eight times the cost; the
        probability itself stays that of the exposure as it is. The default is
        ``'card'`` for models whose card has such tables, and None for others.

    saturation : float, str, tuple of str or None, optional
        The level at and above which pixels are saturated: a number in units of
        the data, a header keyword, or several of which the first counts that has
        a level above the sky that some pixel reaches. ``'header'`` stands for the
        usual keywords, such as ``SATURATE`` and ``SATLEVEL``. These pixels are SAT,
        with the probability 1, and not BG. With None, and where the header says
        nothing, the network alone finds saturated pixels.

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
        A threshold is a false-positive rate, or the uncertainty is to be that of
        the model's card, and the card does not have what it takes.

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
        uncertainty="default",
        saturation="header",
        grow=0,
        tiling="seamless",
        tile_size=None,
        batch_size=None,
        keep_probabilities=True,
        progress_bar=False,
    ):
        classes = classes if isinstance(classes, str) else tuple(classes)
        # What copies with another model or other priors are made with.
        self._options = dict(locals())
        del self._options["self"], self._options["model"]
        self._model = load_model(model)
        card = self._model.card
        if card.task != "contaminants":
            what = f"for {card.task}, not for contaminants"
            raise ValueError(f"The model '{card.name}' is {what}.")
        self._settings = settle(
            card, classes=classes, priors=priors, thresholds=thresholds
        )
        self._decisions = decide(card, self._settings)
        self._grow = resolve_grow(grow, self.classes)
        self._saturation = resolve_saturation(saturation)
        self._uncertainty, self._spread = resolve_uncertainty(
            uncertainty, card, self.classes
        )
        self._engine = TileEngine(
            self._model, tiling=tiling, tile_size=tile_size, batch_size=batch_size
        )
        self._keep = keep_probabilities or uncertainty in ("card", "dihedral")
        self._progress_bar = progress_bar
        self._grown = {name: r for name, r in self._grow.items() if r}
        self._repr = short_repr(card.name, self._settings, self._options, self._grown)

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
            pixels are invalid or have the same value. Or it is unlike the exposures
            that the model was trained on.
        """
        exposure = unpack(data, mask=mask)
        shape, values = exposure.data.shape, exposure.data
        values = values.reshape(-1, *shape[-2:])
        masks = None if exposure.mask is None else exposure.mask.reshape(values.shape)
        arrays, levels = CubeArrays(values.shape, len(self._settings)), set()
        unlike = set()
        for index, image in enumerate(values):
            read = array_reader(image, None if masks is None else masks[index])
            where = f" of plane {index}" if len(shape) == 3 else ""
            watched = self._watched(read, exposure.meta)
            for band in self._bands(watched, image.shape, where=where):
                arrays.add(index, band)
            levels.add(watched.level)
            unlike.add(watched.unlike)
        most = max(unlike - {None}, default=None)
        warn_unlike(most, self._model.card.name)
        return ContaminantMap(
            self._settings,
            *arrays.reshaped(shape),
            exposure.wcs,
            exposure.meta,
            self._made(min(levels - {None}, default=None), most),
            self._spread,
        )

    def stream(
        self, read, shape, *, header=None, keep_probabilities=True, on_problem=None
    ):
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

        header : mapping, optional
            Its header, in which the level of saturation may be.

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
            The image has nothing to judge, or is unlike the exposures that the model
            was trained on. With ``on_problem`` only the maps tell of the latter.
        """
        read = self._watched(read, header)
        for band in self._bands(read, shape, on_problem, keep=keep_probabilities):
            cmap = ContaminantMap(
                self._settings,
                *arrays_of(band),
                provenance=self._made(read.level, read.unlike),
                spread=self._spread,
            )
            yield band.rows, cmap
        if on_problem is None:
            warn_unlike(read.unlike, self._model.card.name)

    def _watched(self, read, header):
        return SaturatedPixels(read, self._saturation, header, self._settings)

    def _bands(self, read, shape, on_problem=None, *, where="", keep=True):
        return judge_bands(
            read,
            shape,
            self._engine,
            self._settings,
            self._decisions,
            grow=self._grow,
            on_problem=on_problem or partial(warn_no_verdict, where),
            probabilities=self._keep and keep,
            uncertainties=self._uncertainty == "dihedral",
            rivals=rivals_of(self._model.card, self._settings),
            progress_bar=self._progress_bar,
        )

    def fine_tune(
        self, images=None, masks=None, *, output=None, overwrite=False, **options
    ):
        """
        Adapt the network to a camera by exposures with masks, or without.

        Parameters
        ----------
        images : iterable of `~astropy.nddata.CCDData`, array_like and so on, optional
            Two-dimensional exposures, each as in a call.

        masks : iterable, optional
            The mask of each: a bit mask (see `maximask_astro.flags`), a
            `ContaminantMap`, or a mapping from abbreviations of classes to
            boolean arrays.

        output : path-like, optional
            Directory to save the new model in.

        overwrite : bool, optional
            Whether a directory that exists is replaced.

        **options
            Passed to `maximask_astro.training.fine_tune`: ``skies``, a directory of
            exposures without masks, ``classes`` that the masks are about, ``steps``,
            ``learning_rate``, ``size`` of crops, ``batch``, the ``simulated`` fraction
            of it, ``seed``, ``name`` of the model, and ``progress_bar``.

        Returns
        -------
        masker : `ContaminantMasker`
            A new masker with the adapted model and the options of this one,
            which does not change. Thresholds that were given as false-positive
            rates stay the numbers that they are for this one.

        Raises
        ------
        InputError
            There is nothing to learn from, images and masks do not match, or training
            fails.

        FileExistsError
            ``output`` exists and ``overwrite`` is False.
        """
        from maximask_astro.masking.adapting import adapt

        how = {**options, "output": output, "overwrite": overwrite}
        mine = self._options, self._settings
        model, kept = adapt(self._model, images, masks, *mine, **how)
        return type(self)(model, **kept)

    def with_priors(self, priors=None, /, **by_class):
        """
        Make a masker for exposures in which classes are more or less frequent.

        It shares the model, and what was compiled for it: this takes no time.

        Parameters
        ----------
        priors : mapping, optional
            From abbreviations to the expected fraction of pixels of the class, or
            None to keep the network's probability of it.

        **by_class
            The same by name, as in ``FR=0.3``.

        Returns
        -------
        masker : `ContaminantMasker`
            With these priors, and else like this one, which does not change.

        Raises
        ------
        ValueError
            There is no such class, or a prior is not between 0 and 1.
        """
        others = [by_class] if priors is None else [priors, by_class]
        kept = with_other_priors(self._options["priors"], others, self.classes)
        return type(self)(self._model, **{**self._options, "priors": kept})

    @property
    def provenance(self):
        """How maps are made: a dict, see `ContaminantMap`."""
        return provenance_of(
            self._model.card,
            tiling=self._engine.tiling,
            uncertainty=self._uncertainty,
            saturation=self._saturation,
            grow=self._grown,
        )

    def _made(self, level, unlike):
        return {**self.provenance, "saturation_level": level, "unlike": unlike}
