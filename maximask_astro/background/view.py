"""
The whole-frame view: what a network is told of an exposure at a glance.

An exposure is summed up in blocks of 8 by 8 pixels, and in segments of 64 pixels
along its columns and rows. Fringes, nebulae, faint trails and columns that no small
part of an exposure shows stand out of the noise there. The statistics take sorting
and sums only, so that they can be made of raw rows, in the pass that finds the sky,
and be scaled afterwards.

The functions take NumPy's arrays or JAX's: ``xp`` is either module. So training sees
what users' exposures will look like.
"""

import numpy as np

__all__ = [
    "BLOCK",
    "FULL",
    "N_BRIGHTEST",
    "SEGMENT",
    "VIEW_CHANNELS",
    "block_statistics",
    "full_level",
    "line_contrast",
    "scale_blocks",
]

BLOCK, SEGMENT = 8, 64

# Of a block: means of the lower half, of the middle half and of all pixels, of the
# brightest four and of the darkest three; the sky's level and noise there; and which
# fraction of it is there at all.
VIEW_CHANNELS = 8

# A column differs from the median of those that are so far beside it.
_BESIDE = (-8, -6, -4, -2, 2, 4, 6, 8)

# What full pixels are given in place of their value, in units of the sky noise: no
# other pixel has it.
FULL = 1e7

# Full pixels pile up at the top of the histogram: of the brightest pixels of all
# columns of eight, so many are within this fraction of the range below the brightest,
# which is so far above the noise. So few of the brightest are kept for that.
_PILE, _PILE_RANGE, _PILE_ABOVE, N_BRIGHTEST = 4, 0.005, 40.0, 64

# Batcher's network for eight numbers: the fewest comparisons there can be, 19
# (Knuth, The Art of Computer Programming 3, section 5.3.4).
_COMPARISONS = (
    (0, 1), (2, 3), (4, 5), (6, 7), (0, 2), (1, 3), (4, 6), (5, 7), (1, 2), (5, 6),
    (0, 4), (3, 7), (1, 5), (2, 6), (1, 4), (3, 6), (2, 4), (3, 5), (3, 4),
)  # fmt: skip

# In noise alone, this is one and a half times the noise or a little more.
_FARTHEST = 3.0

# Means of blocks have an eighth of the noise of a pixel: in these units their noise
# is one, and faint structure well resolved.
_MEAN_UNIT = 8.0


def _sort_eight(xp, arrays):
    """Sort eight arrays, element by element."""
    arrays = list(arrays)
    for i, j in _COMPARISONS:
        first, second = arrays[i], arrays[j]
        arrays[i] = xp.minimum(first, second)
        arrays[j] = xp.maximum(first, second)
    return arrays


def block_statistics(xp, image):
    """
    Sum up an image in blocks, and parts of its columns and rows.

    Columns of a block are sorted first, and then what they have in common: means of
    its lower half, of its middle and of its extremes are those of the sorted columns,
    which differ little from those of all its pixels sorted.

    Parameters
    ----------
    xp : module
        `numpy` or `jax.numpy`.

    image : array
        float32, shape (..., height, width), both multiples of 8; in any unit, finite.

    Returns
    -------
    blocks : array
        Shape (..., height / 8, width / 8, 5): mean of the lower half, of the middle
        half, of all, of the four brightest and of the three darkest pixels, about.

    columns : array
        Shape (..., height / 8, width): means of the eight pixels of each column of a
        block, where those far from the middle of the block count less.

    rows : array
        Shape (..., height, width / 8): the same of rows.

    maxima : array
        Shape (..., height / 8, width): the brightest pixel of each column of a block.
    """
    *lead, height, width = image.shape
    n, m = height // BLOCK, width // BLOCK
    cells = image.reshape(*lead, n, BLOCK, width)
    columns = _sort_eight(xp, (cells[..., i, :] for i in range(BLOCK)))

    def mean(values):
        # Of eight neighbors; a product is the fastest way to it in NumPy.
        return values.reshape(*lead, -1, m, BLOCK) @ np.full(BLOCK, 1 / 8, np.float32)

    lower = mean(columns[0] + columns[1] + columns[2] + columns[3]) / 4
    middle = mean(columns[2] + columns[3] + columns[4] + columns[5]) / 4
    everything = mean(sum(columns[1:], columns[0])) / 8

    def in_order(values):
        """What the columns of each block have, from the lowest to the highest."""
        values = values.reshape(*lead, n, m, BLOCK)
        return _sort_eight(xp, (values[..., i] for i in range(BLOCK)))

    brightest = sum(in_order(columns[7])[4:]) / 4
    darkest = sum(in_order(columns[0])[:3]) / 3
    blocks = xp.stack([lower, middle, everything, brightest, darkest], axis=-1)

    # Stars must not make a column of the sky bright: nothing counts as farther from
    # the middle than so many times what is second to the extremes, in the half of the
    # columns that has none.
    low, high = sum(in_order(columns[1])[4:]) / 4, sum(in_order(columns[6])[:4]) / 4
    center, range_ = (low + high) / 2, _FARTHEST * (high - low) / 2
    low, high = center - range_, center + range_
    low, high = (xp.repeat(limit, BLOCK, axis=-1) for limit in (low, high))
    cells = image.reshape(*lead, n, BLOCK, width)
    cells = xp.minimum(xp.maximum(cells, low[..., None, :]), high[..., None, :])
    return blocks, cells.mean(-2), mean(cells), columns[7]


def full_level(xp, brightest, level, noise):
    """
    Find the value from which on pixels are full, if the brightest ones tell.

    Parameters
    ----------
    xp : module
        `numpy` or `jax.numpy`.

    brightest : array
        The ``N_BRIGHTEST`` largest of the maxima of `block_statistics`, in any order,
        shape (..., number).

    level, noise : array
        Of the sky, of shape (...).

    Returns
    -------
    full : array
        Of shape (...); infinite where no pixels pile up.
    """
    top = brightest.max(-1)
    # A range around what is brightest, for levels that calibration has made uneven.
    least = top - _PILE_RANGE * (top - level)
    many = (brightest >= least[..., None]).sum(-1) >= _PILE
    bright = top - level > _PILE_ABOVE * noise
    return xp.where(many & bright, least, xp.inf)


def scale_blocks(xp, blocks, level, noise, sky_level, sky_noise, there):
    """
    Make of blocks' statistics what a network takes.

    Parameters
    ----------
    xp : module
        `numpy` or `jax.numpy`.

    blocks : array
        From `block_statistics`, shape (..., rows, columns, 5).

    level, noise : array
        Of the whole frame, scalars or of shape (..., 1, 1): median of the sky's level
        and noise of a pixel.

    sky_level, sky_noise : array
        The same for each block, shape (..., rows, columns).

    there : array
        Fraction of each block that is there and valid, of the same shape.

    Returns
    -------
    view : array
        float32, shape (..., rows, columns, 8): inverse hyperbolic sines of the
        numbers in units of their noise; zero where nothing is there.
    """
    numbers = (blocks - level[..., None]) / noise[..., None]
    unit = np.array([_MEAN_UNIT, _MEAN_UNIT, _MEAN_UNIT, 1.0, 1.0], np.float32)
    numbers = xp.arcsinh(numbers * unit)
    sky = xp.arcsinh(_MEAN_UNIT * (sky_level - level) / noise)
    rough = xp.log(xp.maximum(sky_noise, 1e-3 * noise) / noise)
    view = xp.concatenate(
        [numbers, sky[..., None], rough[..., None], there[..., None]], axis=-1
    )
    return xp.where(there[..., None] > 0, view, 0.0).astype(np.float32)


def line_contrast(xp, segments, noise, there):
    """
    Tell how segments of columns stand out of those beside them.

    Parameters
    ----------
    xp : module
        `numpy` or `jax.numpy`.

    segments : array
        Means of segments of 64 pixels, shape (..., segments, columns).

    noise : array
        Of a pixel, a scalar or of shape (..., 1, 1).

    there : array
        Fraction of each segment that is there, of the shape of ``segments``.

    Returns
    -------
    lines : array
        float32, shape (..., segments, columns, 3): the inverse hyperbolic sines of
        the contrast of each segment and of the whole column, both in units of their
        noise, and ``there``.
    """
    columns = segments.shape[-1]
    unit = noise / SEGMENT**0.5

    far = max(_BESIDE)
    padded = xp.pad(segments, [(0, 0)] * (segments.ndim - 1) + [(far, far)], "edge")
    beside = (padded[..., far + i : far + i + columns] for i in _BESIDE)
    beside = _sort_eight(xp, beside)
    each = segments - (beside[3] + beside[4]) / 2
    weight = there.sum(-2, keepdims=True)
    total = (each * there).sum(-2, keepdims=True) / xp.maximum(weight, 1e-6)
    # What a whole column has in common counts as much more as it is longer.
    total = total * xp.sqrt(weight) / unit
    lines = xp.stack(
        [
            xp.arcsinh(each / unit),
            xp.broadcast_to(xp.arcsinh(total), each.shape),
            there,
        ],
        axis=-1,
    )
    return xp.where(there[..., None] > 0, lines, 0.0).astype(np.float32)
