"""How unlike the exposures that a model was trained on an image is."""

from functools import cache
from typing import NamedTuple

import numpy as np

__all__ = [
    "PATCH",
    "UNLIKE",
    "PatchReader",
    "Patches",
    "image_features",
    "image_score",
    "likeness_of",
]

# Pixels along a side of a patch.
PATCH = 64

# Images beyond this quantile of the exposures that a model was trained on are unlike
# them.
UNLIKE = 0.999

# Patches along an axis, at most, and in an image, at least.
_ALONG, _FEWEST = 8, 16

# Patches that are judged together, so that it is compiled once.
_AT_A_TIME = 64

# A patch counts where so much of it has values.
_VALID = 0.5

# No patch counts for more than this.
_LARGEST = 8.0

# Of the spread: of images without noise, no less is told apart.
_LEAST_NOISE = 1e-3


class Patches(NamedTuple):
    """
    Patches of an image.

    Parameters
    ----------
    pixels : `~numpy.ndarray`
        float32, shape (number, `PATCH`, `PATCH`): arcsinh of pixels above the
        patch's median, in units of its spread; 0 where there is no value.

    levels : `~numpy.ndarray`
        float64, shape (number, 3): median, spread (half of what the middle 68%
        span) and noise (that of differences of neighbors, over the square root
        of two) of each, in the image's unit.
    """

    pixels: np.ndarray
    levels: np.ndarray


def _places(size):
    """Where patches begin along an axis: at multiples of their size."""
    number = size // PATCH
    chosen = np.linspace(0, number - 1, min(number, _ALONG)).round()
    return PATCH * np.unique(chosen.astype(int))


def _quantiles(values):
    """The median, and half of what the middle 68% span."""
    low, middle, high = np.quantile(values, (0.159, 0.5, 0.841))
    return middle, (high - low) / 2


def _patch(image, invalid):
    """Pixels as the network takes them, and levels; None if half have no value."""
    valid = np.isfinite(image)
    if invalid is not None:
        valid &= ~invalid
    if valid.mean() < _VALID:
        return None
    values = np.where(valid, image, np.nan).astype(np.float64)
    middle, spread = _quantiles(values[valid])
    spread = spread or values[valid].std()
    if not spread:
        return None
    differences = np.concatenate([np.diff(values, axis=a).ravel() for a in (0, 1)])
    differences = differences[np.isfinite(differences)]
    noise = _quantiles(differences)[1] / np.sqrt(2) if differences.size else 0.0
    patch = np.zeros(image.shape, np.float32)
    patch[valid] = np.arcsinh((values[valid] - middle) / spread)
    return patch, (middle, spread, max(noise, _LEAST_NOISE * spread))


class PatchReader:
    """
    Read an image, and keep patches of what is read.

    Parameters
    ----------
    read : callable
        From the first row and the one after the last to pixels, and which are invalid.

    shape : tuple of two int
        Size of the image.
    """

    def __init__(self, read, shape):
        self._read = read
        self._columns = _places(shape[1])
        self._waiting = set(_places(shape[0]).tolist())
        self._patches = []

    def __call__(self, start, stop):
        """
        Read some rows.

        Parameters
        ----------
        start, stop : int
            The first, and the one after the last.

        Returns
        -------
        image, invalid : `~numpy.ndarray`
            What was read.
        """
        image, invalid = self._read(start, stop)
        for top in sorted(self._waiting):
            if start <= top and top + PATCH <= stop:
                self._waiting.remove(top)
                self._take(image, invalid, top - start)
        return image, invalid

    def _take(self, image, invalid, top):
        for left in self._columns:
            part = np.s_[top : top + PATCH, left : left + PATCH]
            patch = _patch(image[part], None if invalid is None else invalid[part])
            if patch is not None:
                self._patches.append(patch)

    def patches(self):
        """
        Give the patches, and read what is missing.

        Returns
        -------
        patches : `Patches`
            Of the whole image.
        """
        for top in sorted(self._waiting):
            self(top, top + PATCH)
        pixels = np.array([patch for patch, _ in self._patches], np.float32)
        levels = np.array([level for _, level in self._patches], np.float64)
        return Patches(pixels.reshape(-1, PATCH, PATCH), levels.reshape(-1, 3))


@cache
def _judge():
    import jax

    from maximask_astro.networks import patch_logits

    return jax.jit(patch_logits)


def image_features(weights, patches):
    """
    Describe an image by its patches; neither its level nor its unit matters.

    Parameters
    ----------
    weights : mapping of str to `~numpy.ndarray`
        See `~maximask_astro.networks.likeness_shapes`.

    patches : `Patches`
        From `PatchReader`.

    Returns
    -------
    features : `~numpy.ndarray` or None
        float64, shape (7,): of the patches' log odds the mean, the median and the
        90th percentile; of the logarithm of noise over spread the median; from the
        10th to the 90th percentile the range of the logarithms of noise and of
        spread, and the logarithm of that of the medians over the spread. None if
        there are too few patches to tell, fewer than 16.
    """
    if len(patches.pixels) < _FEWEST:
        return None
    judge, logits = _judge(), []
    for start in range(0, len(patches.pixels), _AT_A_TIME):
        part = patches.pixels[start : start + _AT_A_TIME]
        padded = np.zeros((_AT_A_TIME, *part.shape[1:]), np.float32)
        padded[: len(part)] = part
        logits.append(np.asarray(judge(weights, padded))[: len(part)])
    logits = np.clip(np.concatenate(logits), -_LARGEST, _LARGEST)
    middle, spread, noise = patches.levels.T

    def span(values):
        return np.diff(np.quantile(values, (0.1, 0.9)))[0]

    return np.array(
        [
            logits.mean(),
            *np.quantile(logits, (0.5, 0.9)),
            np.median(np.log(noise / spread)),
            span(np.log(noise)),
            span(np.log(spread)),
            np.log(span(middle) / np.median(spread) + 1e-2),
        ]
    )


def image_score(weights, patches):
    """
    Say how much an image looks like something else than an exposure.

    Parameters
    ----------
    weights : mapping of str to `~numpy.ndarray`
        See `~maximask_astro.networks.likeness_shapes`.

    patches : `Patches`
        From `PatchReader`.

    Returns
    -------
    score : float or None
        Log odds; None if there are too few patches to tell.
    """
    from maximask_astro.networks import image_logit

    features = image_features(weights, patches)
    if features is None:
        return None
    return float(image_logit(weights, features))


def likeness_of(model, patches):
    """
    Say how unusual an image is among the exposures that a model was trained on.

    Parameters
    ----------
    model : `~maximask_astro.weights.LoadedModel`
        The model.

    patches : `Patches`
        From `PatchReader`.

    Returns
    -------
    fraction : float or None
        Of the exposures that are less unusual, in [0, 1]. None for a model that does
        not know, and for an image that is too small.
    """
    if not model.likeness:
        return None
    weights = {k: v for k, v in model.likeness.items() if k != "scores"}
    score = image_score(weights, patches)
    if score is None:
        return None
    scores = model.likeness["scores"]
    return float(np.interp(score, scores, np.linspace(0, 1, len(scores))))
