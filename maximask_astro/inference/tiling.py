"""
Cut an image into overlapping tiles.

A tile is read with a halo of pixels around the part that is kept. The halo is
at least as wide as the network's reach, and tiles start at multiples of the
network's stride, so the result is that of one pass over the whole image.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

__all__ = ["Tile", "mirrored", "plan_blocks", "plan_tiles", "usual_size"]

# Sizes of tiles are rounded up to so many binary digits, so that images of many sizes
# have tiles of few.
_DIGITS = 4


@dataclass(frozen=True)
class Tile:
    """
    One tile of an image.

    Parameters
    ----------
    top, left : int
        First row and column that are read.

    keep : tuple of two slices
        Rows and columns of the image whose result is kept.
    """

    top: int
    left: int
    keep: tuple

    @property
    def inner(self):
        """The kept part in the tile's own rows and columns, two slices."""
        return tuple(
            slice(part.start - start, part.stop - start)
            for part, start in zip(self.keep, (self.top, self.left), strict=True)
        )


def mirrored(positions, length):
    """
    Find the positions that stand for those beyond an image's end.

    Parameters
    ----------
    positions : array_like of int
        Rows or columns, at least 0.

    length : int
        How many the image has.

    Returns
    -------
    within : `~numpy.ndarray` of int
        From 0 to ``length - 1``: beyond the end the image is mirrored, again and
        again if need be.
    """
    positions = np.asarray(positions) % (2 * length)
    return np.minimum(positions, 2 * length - 1 - positions)


def _round_up(number, multiple):
    return -(-number // multiple) * multiple


def usual_size(size, stride):
    """
    Round a size up to one of a few.

    Parameters
    ----------
    size, stride : int
        A size, and what it is to be a multiple of.

    Returns
    -------
    usual : int
        At most an eighth larger, but for the next multiple.
    """
    number = -(-size // stride)
    coarse = 1 << max(number.bit_length() - _DIGITS, 0)
    return _round_up(number, coarse) * stride


def _axis_tiles(length, largest, halo, stride):
    """Tile size along an axis, and (start, keep start, keep stop) of each tile."""
    padded = _round_up(length, stride)
    n_tiles = 1
    if padded > largest:
        n_tiles = -(-(padded - 2 * halo) // (largest - 2 * halo))
    size = -(-(padded + (n_tiles - 1) * 2 * halo) // n_tiles)
    size = min(usual_size(size, stride), largest)
    padded = max(padded, size)
    step = size - 2 * halo
    starts = [min(index * step, padded - size) for index in range(n_tiles)]
    cuts = [0, *(start + halo for start in starts[1:]), length]
    return size, list(zip(starts, cuts[:-1], cuts[1:], strict=True))


def plan_tiles(shape, *, tile_size, halo, stride):
    """
    Plan equal tiles that together give the result of one pass.

    Parameters
    ----------
    shape : tuple of two int
        Size of the image.

    tile_size : int
        Largest height and width of a tile, including its halo.

    halo : int
        Pixels read around what is kept; a multiple of ``stride``.

    stride : int
        Tiles start and end at multiples of this.

    Returns
    -------
    tile_shape : tuple of two int
        Height and width of every tile.

    tiles : list of `Tile`
        The kept parts cover the image exactly once, row by row. Tiles may reach
        beyond its end, see `mirrored`.

    Raises
    ------
    ValueError
        ``tile_size`` leaves nothing to keep between two halos.
    """
    largest = tile_size // stride * stride
    if largest < 2 * halo + stride:
        raise ValueError(
            f"tile_size is {tile_size}, but this model needs tiles of at least "
            f"{2 * halo + stride} pixels."
        )
    (height, rows), (width, columns) = (
        _axis_tiles(length, largest, halo, stride) for length in shape
    )
    tiles = [
        Tile(top, left, (slice(*keep_rows), slice(*keep_columns)))
        for (top, *keep_rows), (left, *keep_columns) in product(rows, columns)
    ]
    return (height, width), tiles


def plan_blocks(shape, block):
    """
    Plan the blocks of MaxiMask 1.4.1.

    Blocks follow one another at half their size, and the central half of each
    is kept, or up to the image's side where the block touches it. Where the
    size of the image is not a multiple of the block's, one more row and column
    of blocks end at its end, and what is central in them is taken from them.

    Parameters
    ----------
    shape : tuple of two int
        Size of the image. If it is smaller than a block, the block reaches beyond
        its end, see `mirrored`.

    block : int
        Height and width of the blocks, a multiple of 4.

    Returns
    -------
    tile_shape : tuple of two int
        ``(block, block)``.

    tiles : list of `Tile`
        The kept parts cover the image exactly once, row by row.
    """
    rows, columns = (_axis_blocks(length, block) for length in shape)
    tiles = [
        Tile(top, left, (slice(*keep_rows), slice(*keep_columns)))
        for (top, *keep_rows), (left, *keep_columns) in product(rows, columns)
    ]
    return (block, block), tiles


def _axis_blocks(length, block):
    """Start, keep start and keep stop of each block along an axis."""
    padded = max(length, block)
    starts = [*range(0, padded - block + 1, block // 2)]
    if padded % block and starts[-1] != padded - block:
        starts.append(padded - block)
    cuts = [0, *(start + block // 4 for start in starts[1:]), length]
    return list(zip(starts, cuts[:-1], cuts[1:], strict=True))
