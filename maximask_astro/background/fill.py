"""Fill pixels without a value so that they disturb the network least."""

import numpy as np
from scipy.ndimage import uniform_filter

__all__ = ["fill_invalid"]

_PATTERN_SIZE = 256


def _sky_pattern(rows, columns):
    """Unit Gaussian noise that depends on the pixel's position only."""
    pattern = np.random.RandomState(0).standard_normal((_PATTERN_SIZE, _PATTERN_SIZE))
    return pattern[rows % _PATTERN_SIZE, columns % _PATTERN_SIZE]


def fill_invalid(image, invalid):
    """
    Fill invalid pixels of a normalized image.

    A pixel that touches valid ones gets their mean (a single bad pixel in the
    core of a star then does not read as a dead one). Wider holes are filled
    with noise like the sky's: a network trained on skies takes a hole of
    constant zeros for overscan or dead columns.

    Parameters
    ----------
    image : `~numpy.ndarray`
        Two-dimensional float32, sky-subtracted and in units of the sky noise;
        changed in place.

    invalid : `~numpy.ndarray` of bool
        True for pixels to fill.

    Returns
    -------
    image : `~numpy.ndarray`
        The same array.
    """
    image[invalid] = 0.0
    weight = uniform_filter((~invalid).astype(np.float32), size=3, mode="nearest")
    mean = uniform_filter(image, size=3, mode="nearest")
    near = invalid & (weight > 0.05)  # at least one of nine, whatever rounding does
    rows, columns = np.nonzero(invalid & ~near)
    image[near] = mean[near] / weight[near]
    image[rows, columns] = _sky_pattern(rows, columns)
    return image
