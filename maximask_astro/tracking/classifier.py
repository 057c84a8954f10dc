"""Judge from its stars whether a telescope tracked."""

import warnings
from numbers import Real

import numpy as np
from astropy.io import fits
from astropy.nddata import NDData
from scipy.special import expit

from maximask_astro.background import normalize
from maximask_astro.inference import (
    SummaryEngine,
    log_prior_factor,
    plan_last_blocks,
    plan_whole_tiles,
)
from maximask_astro.tracking.result import TileVerdict, TrackingResult
from maximask_astro.utils.errors import MaximaskWarning
from maximask_astro.utils.hdus import why_no_exposure
from maximask_astro.utils.nddata import unpack
from maximask_astro.utils.verdict import why_no_verdict
from maximask_astro.weights import load_model

__all__ = ["DEFAULT_TRACKING_MODEL", "TrackingClassifier"]

DEFAULT_TRACKING_MODEL = "tracking-1"

# Tiles with fewer valid pixels than this fraction are not judged.
_VALID = 0.5


class TrackingClassifier:
    """
    Judge with a neural network whether an exposure suffers from tracking errors.

    Configure it once, then call it with as many exposures as you like. It
    keeps nothing of a call and may be used from several threads.

    Parameters
    ----------
    model : str, path-like or `~maximask_astro.weights.LoadedModel`, optional
        Name of a model (see ``maximask-astro weights list``), a directory with
        a model, or a model that is loaded already. The default comes with the
        package.

    prior : float, optional
        How often exposures are affected, in (0, 1).

    fraction : float, optional
        Fraction of the tiles to look at, in (0, 1]: they are chosen at random,
        the same ones for the same shapes, and at least one.

    threshold : float, optional
        An exposure is affected where its probability is above this, in [0, 1].

    batch_size : int, optional
        Tiles evaluated at a time.

    progress_bar : bool, optional
        Whether to show a progress bar over tiles.

    Raises
    ------
    ValueError
        An argument is not as described.

    ModelNotFoundError
        The model is unknown or not installed.

    ModelIntegrityError
        The model's files are damaged.

    Notes
    -----
    After MaxiTrack (Paillassa, Bertin & Bouy 2020, A&A 634, A48, section 3.2),
    whose network can be used as well: ``model="maxitrack-1.4.1"``.
    """

    def __init__(
        self,
        model=DEFAULT_TRACKING_MODEL,
        *,
        prior=0.05,
        fraction=1.0,
        threshold=0.5,
        batch_size=None,
        progress_bar=False,
    ):
        for name, value, low_too, high_too in (
            ("prior", prior, False, False),
            ("fraction", fraction, False, True),
            ("threshold", threshold, True, True),
        ):
            number = isinstance(value, Real) and not isinstance(value, bool)
            inside = number and (
                0 < value < 1 or (low_too and value == 0) or (high_too and value == 1)
            )
            if not inside:
                low, high = "[" if low_too else "(", "]" if high_too else ")"
                raise ValueError(f"{name} must be in {low}0, 1{high}, not {value!r}.")
        self._model = load_model(model)
        card = self._model.card
        if card.task != "tracking":
            raise ValueError(
                f"The model '{card.name}' is for {card.task}, not for tracking errors."
            )
        self.prior, self.fraction, self.threshold = prior, fraction, threshold
        self._engine = SummaryEngine(self._model, batch_size=batch_size)
        self._progress_bar = progress_bar

    def __repr__(self):
        return (
            f"TrackingClassifier({self._model.card.name!r}, prior={self.prior:g}, "
            f"fraction={self.fraction:g}, threshold={self.threshold:g})"
        )

    @property
    def model_card(self):
        """The `~maximask_astro.weights.ModelCard` of the model."""
        return self._model.card

    def __call__(self, data, *, mask=None):
        """
        Judge an exposure.

        Parameters
        ----------
        data : `~astropy.nddata.CCDData`, `~astropy.nddata.NDData`, image HDU, \
                array_like, or a list or `~astropy.io.fits.HDUList` of these
            The exposure, raw or reduced, of any real dtype. A list is a mosaic:
            its images were exposed together. The planes of a cube are taken as
            such a mosaic, too. HDUs of a file that hold no image, or are auxiliary
            by their names (``ERR``, ``DQ`` and the like), are left out.

        mask : array_like of bool, optional
            True for pixels without a usable value, for a single image that
            cannot bring its own mask.

        Returns
        -------
        result : `TrackingResult`
            The verdict on the exposure. ``images`` of it has those on the images
            or planes one by one.

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
            Nothing of the exposure can be judged.
        """
        images = list(_images(data, mask))
        if not images:
            raise ValueError(
                "There is no image in what was given; at least one is needed."
            )
        shapes = tuple(values.shape for values, _ in images)
        problems, plans = zip(*(self._survey(*image) for image in images), strict=True)
        chosen = self._choose(plans)
        tiles = self._judge(images, chosen)
        if not tiles:
            why = next(problem for problem in problems if problem)
            warnings.warn(f"No verdict: {why}.", MaximaskWarning, stacklevel=2)
        numbers = self._model.card.input
        return TrackingResult(
            tuple(tiles),
            shapes,
            problems,
            self.prior,
            self.threshold,
            float(numbers.get("correlation", 1.0)),
            float(self._model.card.thresholds.get("usable", 0.5)),
            self._provenance(),
        )

    def _survey(self, values, bad):
        """Why an image has nothing to judge, or None, and the tiles that have."""
        reason = why_no_verdict([(values, bad)])
        if reason is not None:
            return reason, []
        plan = self._plan(values.shape)
        if not plan:
            height, width = values.shape
            least = self._smallest
            reason = (
                f"the image has {height} x {width} pixels, and at least "
                f"{least} x {least} are needed"
            )
            return reason, []
        valid = np.isfinite(values)
        if bad is not None:
            valid &= ~bad
        plan = [tile for tile in plan if valid[tile.box].mean() >= _VALID]
        return None if plan else "no tile has enough pixels with a value", plan

    @property
    def _smallest(self):
        numbers = self._model.card.input
        return numbers.get("smallest", numbers["block"])

    def _plan(self, shape):
        numbers = self._model.card.input
        if numbers["block"] == numbers["stride"]:  # it takes images of one size
            return plan_last_blocks(shape, numbers["block"])
        return plan_whole_tiles(
            shape,
            block=numbers["block"],
            stride=numbers["stride"],
            smallest=self._smallest,
        )

    def _choose(self, plans):
        """The tiles to look at, image by image."""
        places = [(i, tile) for i, plan in enumerate(plans) for tile in plan]
        if self.fraction < 1 and places:
            number = max(round(self.fraction * len(places)), 1)
            random = np.random.default_rng(len(places))
            picked = np.sort(random.permutation(len(places))[:number])
            places = [places[index] for index in picked]
        chosen = [[] for _ in plans]
        for index, tile in places:
            chosen[index].append(tile)
        return chosen

    def _judge(self, images, chosen):
        """Verdicts on the chosen tiles of the images."""
        method = self._model.card.normalization

        def normalized():
            for (values, bad), plan in zip(images, chosen, strict=True):
                if plan:
                    image, _ = normalize(values, mask=bad, method=method)
                    yield from (image[tile.box] for tile in plan)

        places = [(i, tile) for i, plan in enumerate(chosen) for tile in plan]
        outputs = self._engine.run(
            normalized(), total=len(places), progress_bar=self._progress_bar
        )
        return [
            TileVerdict(
                number,
                tile.top,
                tile.left,
                tile.height,
                tile.width,
                **self._interpret(output.astype(float)),
            )
            for (number, tile), output in zip(places, outputs, strict=True)
        ]

    def _interpret(self, output):
        """What the outputs of the network mean."""
        card = self._model.card
        found = dict(zip(card.classes, output, strict=True))
        trained = card.training_priors["affected"]
        shift = float(log_prior_factor(trained, 0.5))
        if "tracked" in found:  # MaxiTrack: a softmax of two
            return {"evidence": found["affected"] - found["tracked"] - shift}
        angle = np.degrees(np.arctan2(found["sin"], found["cos"])) / 2
        # How much too sure the network is of itself (see "temperature" on the card).
        evidence = (found["affected"] - shift) / card.input.get("temperature", 1.0)
        return {
            "evidence": evidence,
            "usable": float(expit(found["usable"])),
            "defocused": float(expit(found["defocused"])),
            "length": float(np.exp(found["length"])),
            "angle": float(angle % 180),
        }

    def _provenance(self):
        from maximask_astro import __version__

        card = self._model.card
        return {
            "model": card.name,
            "weights_sha256": card.weights_sha256,
            "version": __version__,
            "fraction": self.fraction,
        }


def _images(data, mask):
    """Two-dimensional arrays and their masks."""
    if isinstance(data, (list, tuple)) and _is_mosaic(data):
        if mask is not None:
            raise ValueError(
                "A mask cannot be given with a list of images: give each its own, as "
                "NDData or masked arrays."
            )
        for each in data:
            if isinstance(data, fits.HDUList) and why_no_exposure(each) is not None:
                continue
            yield from _images(each, None)
        return
    exposure = unpack(data, mask=mask)
    shape = exposure.data.shape
    planes = exposure.data.reshape(-1, *shape[-2:])
    masks = exposure.mask
    masks = [None] * len(planes) if masks is None else masks.reshape(planes.shape)
    yield from zip(planes, masks, strict=True)


def _is_mosaic(data):
    """Whether a list holds images rather than rows of numbers."""
    return isinstance(data, fits.HDUList) or any(
        isinstance(each, NDData) or hasattr(each, "data") or np.ndim(each) > 1
        for each in data
    )
