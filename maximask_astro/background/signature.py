"""A few numbers that tell one kind of image from another."""

import numpy as np

__all__ = ["N_SIGNATURE", "signature"]

# Of each number of the blocks, these quantiles of all blocks.
_QUANTILES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)

# Numbers of a block of which quantiles, and correlations with blocks so far away, are
# taken: all but the fraction that is there; the middle, and the brightest pixels.
_NUMBERS, _CORRELATED, _LAGS = 7, (1, 3), (1, 2, 4, 8)

# Of the contrast of segments of columns and rows, and of whole ones.
_OF_LINES = (0.5, 0.95)

N_SIGNATURE = (
    _NUMBERS * len(_QUANTILES) + len(_CORRELATED) * 2 * len(_LAGS) + 4 * len(_OF_LINES)
)

# Fewer blocks than this do not tell what kind of image they are of.
_FEWEST = 16


def _correlation(values, there, lag, axis):
    """Correlation of blocks with others that are so far away along an axis."""
    size = values.shape[axis]
    if size <= lag:
        return 0.0
    first, second = (
        array.take(range(*part), axis)
        for array, part in ((values, (0, size - lag)), (values, (lag, size)))
    )
    both = there.take(range(size - lag), axis) & there.take(range(lag, size), axis)
    if both.sum() < _FEWEST:
        return 0.0
    first, second = (v[both] - v[both].mean() for v in (first, second))
    spread = np.sqrt((first**2).mean() * (second**2).mean())
    return float((first * second).mean() / spread) if spread > 0 else 0.0


def signature(view):
    """
    Sum up a view in numbers that do not depend on the size of the image.

    Parameters
    ----------
    view : `FrameView`
        An image at a glance.

    Returns
    -------
    numbers : `~numpy.ndarray` or None
        float32, shape (``N_SIGNATURE``,): quantiles of what the blocks have, how
        alike they are to others near them, and how columns and rows stand out. None
        for images that are too small.
    """
    there = view.blocks[..., -1] > 0
    if there.sum() < _FEWEST:
        return None
    blocks = view.blocks[there][:, :_NUMBERS]
    numbers = [np.quantile(blocks, _QUANTILES, axis=0).ravel()]
    numbers.append(
        [
            _correlation(view.blocks[..., which], there, lag, axis)
            for which in _CORRELATED
            for lag in _LAGS
            for axis in (0, 1)
        ]
    )
    for lines in (view.columns, view.rows):
        seen = lines[lines[..., 2] > 0]
        for which in (0, 1):
            numbers.append(np.quantile(np.abs(seen[:, which]), _OF_LINES))
    return np.concatenate(numbers).astype(np.float32)
