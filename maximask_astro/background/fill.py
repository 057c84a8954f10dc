"""Fill pixels without a value so that they disturb the network least."""

import numpy as np
from scipy.ndimage import gaussian_filter, uniform_filter

__all__ = ["FILL_REACH", "fill_invalid"]

_PATTERN_SIZE = 256

# The level around a hole: how far it looks (standard deviation and reach of a
# Gaussian, pixels), and the brightness that counts at most (sky noise), so that
# a hole next to a star does not look like more of the star.
_SIGMA, _REACH, _BRIGHTEST = 4.0, 3.0, 5.0

# What a pixel is filled with depends on pixels up to so many away.
FILL_REACH = int(_SIGMA * _REACH)


def _sky_pattern(rows, columns):
    """Unit Gaussian noise that depends on the pixel's position only."""
    pattern = np.random.RandomState(0).standard_normal((_PATTERN_SIZE, _PATTERN_SIZE))
    return pattern[rows % _PATTERN_SIZE, columns % _PATTERN_SIZE]


def _local_mean(image, weight, smooth, least):
    """Weighted local mean, and where there is enough weight for one."""
    total = smooth(weight)
    enough = total > least
    mean = np.divide(
        smooth(image * weight), total, out=np.zeros_like(image), where=enough
    )
    return mean, enough


def fill_invalid(image, invalid, *, top=0):
    """
    Fill invalid pixels of a normalized image.

    A pixel that touches valid ones gets their mean (a single bad pixel in the
    core of a star then does not read as a dead one). Wider holes get the level
    around them and noise like the sky's: a network trained on skies takes a
    hole of constant zeros, or one that ends in a step, for a defect.

    Parameters
    ----------
    image : `~numpy.ndarray`
        Two-dimensional float32, sky-subtracted and in units of the sky noise;
        changed in place.

    invalid : `~numpy.ndarray` of bool
        True for pixels to fill.

    top : int, optional
        Where the first row is, if these are some rows of a larger image. A pixel
        that is ``FILL_REACH`` rows from the border, or at the border of the
        image, is filled with the same as in the whole.

    Returns
    -------
    image : `~numpy.ndarray`
        The same array.

    Notes
    -----
    ``benchmarks/invalid_pixels.py`` measures what a hole changes next to it.
    """
    image[invalid] = 0.0
    weight = (~invalid).astype(np.float32)

    def square(array):
        return uniform_filter(array, size=3, mode="nearest")

    def round_about(array):
        return gaussian_filter(array, _SIGMA, mode="nearest", truncate=_REACH)

    touching, near = _local_mean(image, weight, square, 0.05)
    near &= invalid
    clipped = np.clip(image, -_BRIGHTEST, _BRIGHTEST)
    level, _ = _local_mean(clipped, weight, round_about, 1e-3)
    rows, columns = np.nonzero(invalid & ~near)
    image[rows, columns] = level[rows, columns] + _sky_pattern(rows + top, columns)
    image[near] = touching[near]
    return image
