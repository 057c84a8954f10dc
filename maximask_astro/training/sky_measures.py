"""Measure the noise, the stars and the columns of a real exposure."""

import numpy as np
from scipy.ndimage import map_coordinates, maximum_filter, median_filter

__all__ = ["estimate_fwhm", "estimate_noise", "find_quantum", "outstanding_lines"]

# Pixels so far apart are compared for the noise: far enough for resampled pixels to be
# independent, and near enough for the sky between them to be the same.
_APART = 4

# Fractions of a sample of normal deviates one standard deviation either way.
_PERCENTILES = 15.865, 84.135

# Pixels that the step between values is taken from.
_SAMPLE = 200_000

# Stars to measure: so many of the brightest that are this bright, in units of the
# noise, and no more than this fraction of the brightest of all, which may be saturated.
_STARS, _BRIGHT, _SATURATED = 300, 20.0, 0.7

# Half the side of the square about a star, the widest FWHM in it, and how much of the
# brightest pixel's light a star is rather than the galaxy it may be in.
_HALF, _WIDEST, _ABOVE_AROUND = 12, 16.0, 0.5

# A pixel is hot if the mean of its four neighbors has less than this of its light: that
# of a star of FWHM 1.0 in the middle of a pixel is 0.12. Where this fraction of what is
# left is as round as well-sampled stars are, the rest is cosmic rays.
_HOT, _ROUND, _OFTEN_ROUND = 0.06, 0.2, 0.2

# Points a pixel, either way, for the area above half of the maximum, and by how much
# the straight lines between pixels add to the squared width (their triangle has the
# variance 1/6), which is at least that of a pixel.
_FINE, _ADDED, _LEAST_WIDTH = 5, 8 * np.log(2) / 6, 0.8

# The FWHM where there are fewer stars than this.
_LEAST_STARS, _TYPICAL_FWHM = 3, 3.0

# A column or row stands out if its median does so of its neighbors', in units of that
# median's noise (1.25 is that of a median of normal deviates to that of a mean), or of
# how medians scatter where all of them do.
_OUTSTANDING, _OF_SCATTER, _NEIGHBORS, _MEDIAN = 5.0, 4.0, 15, 1.2533


def _spread(values):
    """Half the difference of percentiles: a standard deviation that outliers spare."""
    low, high = np.percentile(values, _PERCENTILES)
    return (high - low) / 2


def estimate_noise(data, valid):
    """
    Estimate the noise of the pixels.

    From differences of pixels some way apart along rows and columns, so that
    gradients and nebulae count little, and from all pixels, whichever is less:
    in crowded fields faint stars are part of it.

    Parameters
    ----------
    data : `~numpy.ndarray`
        Two-dimensional image.

    valid : `~numpy.ndarray` of bool
        The pixels that count.

    Returns
    -------
    noise : float
        Standard deviation; 0 if there are no differences.
    """
    if not valid.any():
        return 0.0
    # Whole numbers would give percentiles in whole numbers.
    step = find_quantum(data[valid])
    dither = np.random.RandomState(0).uniform(-step / 2, step / 2, data.shape)
    with np.errstate(invalid="ignore"):
        data = np.where(valid, data, 0.0) + dither
    estimates = [_spread(data[valid])]
    for axis in (0, 1):
        first = np.take(data, range(data.shape[axis] - _APART), axis)
        second = np.take(data, range(_APART, data.shape[axis]), axis)
        both = np.take(valid, range(data.shape[axis] - _APART), axis)
        both = both & np.take(valid, range(_APART, data.shape[axis]), axis)
        if both.any():
            estimates.append(_spread((second - first)[both]) / 2**0.5)
    squared = min(estimates) ** 2 - step**2 / 12
    return float(max(squared, 0.0) ** 0.5)


def find_quantum(values):
    """
    Find the step between values, if they are multiples of one.

    Parameters
    ----------
    values : `~numpy.ndarray`
        One-dimensional.

    Returns
    -------
    step : float
        0 where values are as good as continuous.
    """
    sample = values[:: max(values.size // _SAMPLE, 1)]
    levels = np.unique(sample)
    if levels.size < 2 or levels.size > sample.size / 4:
        return 0.0
    steps = np.diff(levels) / np.diff(levels).min()
    even = np.abs(steps - np.round(steps)) < 0.01
    return float(np.diff(levels).min()) if even.mean() > 0.99 else 0.0


def _width(image, row, column):
    """FWHM of what is at a pixel, or NaN if it does not rise out of what is around."""
    star = image[row - _HALF : row + _HALF + 1, column - _HALF : column + _HALF + 1]
    border = np.concatenate([star[0], star[-1], star[:, 0], star[:, -1]])
    star = star - np.median(border)
    peak = star[_HALF, _HALF]
    if peak < max(_BRIGHT, _ABOVE_AROUND * image[row, column]):
        return np.nan
    fine = np.linspace(-_HALF, _HALF, 2 * _HALF * _FINE + 1) + _HALF
    points = map_coordinates(star, np.meshgrid(fine, fine, indexing="ij"), order=1)
    squared = (points > peak / 2).sum() / np.pi * (2 / _FINE) ** 2
    return max(squared - _ADDED, _LEAST_WIDTH**2) ** 0.5


def estimate_fwhm(image, valid):
    """
    Estimate the full width at half maximum of the stars.

    That of a disk with the area above half of the maximum, the median of the
    brighter stars without the brightest.

    Parameters
    ----------
    image : `~numpy.ndarray`
        In units of the noise, above the sky.

    valid : `~numpy.ndarray` of bool
        The pixels that count.

    Returns
    -------
    fwhm : float
        In pixels; 3 where there are fewer than three stars.
    """
    peaks = (image == maximum_filter(image, 7)) & valid & (image > _BRIGHT)
    peaks &= image < _SATURATED * image[valid].max()
    peaks[:_HALF] = peaks[-_HALF:] = False
    peaks[:, :_HALF] = peaks[:, -_HALF:] = False
    y, x = np.nonzero(peaks)
    beside = [image[y - 1, x], image[y + 1, x], image[y, x - 1], image[y, x + 1]]
    beside = np.array(beside) / image[y, x]
    stars = np.flatnonzero(beside.mean(axis=0) >= _HOT)
    stars = stars[np.argsort(-image[y, x][stars], kind="stable")[:_STARS]]
    widths = np.array([_width(image, y[star], x[star]) for star in stars])
    used = widths < _WIDEST
    is_round = used & (beside[:, stars].min(axis=0) >= _ROUND)
    if is_round.sum() >= max(_LEAST_STARS, _OFTEN_ROUND * used.sum()):
        used = is_round
    enough = used.sum() >= _LEAST_STARS
    return float(np.median(widths[used])) if enough else _TYPICAL_FWHM


def outstanding_lines(image, valid):
    """
    Find columns and rows whose median stands out of those of their neighbors.

    Parameters
    ----------
    image : `~numpy.ndarray`
        In units of the noise.

    valid : `~numpy.ndarray` of bool
        The pixels that count.

    Returns
    -------
    outstanding : `~numpy.ndarray` of bool
        True in all pixels of such a column or row.
    """
    found = np.zeros(image.shape, bool)
    values = np.where(valid, image, np.nan)
    for axis in (0, 1):
        counts = valid.sum(axis)
        enough = counts > 0
        medians = np.zeros(counts.shape)
        used = np.compress(enough, values, 1 - axis)
        middle = np.median if valid.all() else np.nanmedian
        medians[enough] = middle(used, axis)
        excess = np.abs(medians - median_filter(medians, _NEIGHBORS))
        excess *= np.sqrt(counts) / _MEDIAN
        limit = max(_OUTSTANDING, _OF_SCATTER * 1.4826 * float(np.median(excess)))
        found |= np.expand_dims(enough & (excess > limit), axis)
    return found
