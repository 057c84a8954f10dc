"""How unlike the exposures that a model was trained on an image is."""

from functools import cache

import numpy as np

__all__ = ["PATCH", "UNLIKE", "PatchReader", "image_score", "likeness_of"]

# Pixels along a side of a patch.
PATCH = 64

# Images beyond this quantile of the exposures that a model was trained on are unlike
# them.
UNLIKE = 0.999

# Patches along an axis, at most, and in an image, at least.
_ALONG, _FEWEST = 8, 4

# Patches that are judged together, so that it is compiled once.
_AT_A_TIME = 64

# A patch counts where so much of it has values.
_VALID = 0.5

# No patch counts for more than this.
_LARGEST = 8.0


def _places(size):
    """Where patches begin along an axis: at multiples of their size."""
    number = size // PATCH
    chosen = np.linspace(0, number - 1, min(number, _ALONG)).round()
    return PATCH * np.unique(chosen.astype(int))


def _patch(image, invalid):
    """Pixels as the network takes them; None where half of them have no value."""
    valid = np.isfinite(image)
    if invalid is not None:
        valid &= ~invalid
    if valid.mean() < _VALID:
        return None
    values = image[valid].astype(np.float64)
    low, middle, high = np.quantile(values, (0.159, 0.5, 0.841))
    spread = (high - low) / 2 or values.std()
    if not spread:
        return None
    patch = np.zeros(image.shape, np.float32)
    patch[valid] = np.arcsinh((values - middle) / spread)
    return patch


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
        patches : `~numpy.ndarray`
            float32, shape (number, ``PATCH``, ``PATCH``).
        """
        for top in sorted(self._waiting):
            self(top, top + PATCH)
        return np.array(self._patches, np.float32).reshape(-1, PATCH, PATCH)


@cache
def _judge():
    import jax

    from maximask_astro.networks import patch_logits

    return jax.jit(patch_logits)


def image_score(weights, patches):
    """
    Say how much an image looks like something else than an exposure.

    Parameters
    ----------
    weights : mapping of str to `~numpy.ndarray`
        See `~maximask_astro.networks.likeness_shapes`.

    patches : `~numpy.ndarray`
        From `PatchReader`.

    Returns
    -------
    score : float or None
        Mean log odds of its patches; None if they are too few to tell.
    """
    if len(patches) < _FEWEST:
        return None
    judge, logits = _judge(), []
    for start in range(0, len(patches), _AT_A_TIME):
        part = patches[start : start + _AT_A_TIME]
        padded = np.zeros((_AT_A_TIME, *part.shape[1:]), np.float32)
        padded[: len(part)] = part
        logits.append(np.asarray(judge(weights, padded))[: len(part)])
    return float(np.clip(np.concatenate(logits), -_LARGEST, _LARGEST).mean())


def likeness_of(model, patches):
    """
    Say how unusual an image is among the exposures that a model was trained on.

    Parameters
    ----------
    model : `~maximask_astro.weights.LoadedModel`
        The model.

    patches : `~numpy.ndarray`
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
