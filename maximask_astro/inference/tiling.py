"""
Cut an image into overlapping tiles.

A tile is read with a halo of pixels around the part that is kept. The halo is
at least as wide as the network's reach, and tiles start at multiples of the
network's stride, so the result is that of one pass over the whole image.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

__all__ = ["Tile", "pad_image", "plan_blocks", "plan_tiles"]


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


def pad_image(image, shape):
    """
    Extend an image at its end by reflection.

    Parameters
    ----------
    image : `~numpy.ndarray`
        Two-dimensional, not empty.

    shape : tuple of two int
        The size wanted, at least that of the image.

    Returns
    -------
    padded : `~numpy.ndarray`
        The image itself if it has that size already.
    """
    width = [(0, size - old) for size, old in zip(shape, image.shape, strict=True)]
    if not any(end for _, end in width):
        return image
    return np.pad(image, width, mode="symmetric")


def _round_up(number, multiple):
    return -(-number // multiple) * multiple


def _axis_tiles(length, largest, halo, stride):
    """Tile size along an axis, and (start, keep start, keep stop) of each tile."""
    padded = _round_up(length, stride)
    n_tiles = 1
    if padded > largest:
        n_tiles = -(-(padded - 2 * halo) // (largest - 2 * halo))
    size = _round_up(-(-(padded + (n_tiles - 1) * 2 * halo) // n_tiles), stride)
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
        The kept parts cover the image exactly once. Tiles may reach up to
        ``stride - 1`` pixels beyond its end: extend it with `pad_image` to
        the next multiple of ``stride``.

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
    of blocks end at its end; they are evaluated last, and win.

    Parameters
    ----------
    shape : tuple of two int
        Size of the image, at least ``block`` either way (see `pad_image`).

    block : int
        Height and width of the blocks, a multiple of 4.

    Returns
    -------
    tile_shape : tuple of two int
        ``(block, block)``.

    tiles : list of `Tile`
        In the order in which their kept parts are to be written.
    """
    margin = block // 4

    def keep(start, length):
        first = 0 if start == 0 else start + margin
        at_end = start == length - block
        return slice(first, length if at_end else start + block - margin)

    height, width = shape
    regular_rows = range(0, height - block + 1, block // 2)
    regular_columns = range(0, width - block + 1, block // 2)
    last_row = [height - block] if height % block else []
    last_column = [width - block] if width % block else []
    corners = [
        *product(regular_rows, regular_columns),
        *product(last_row, regular_columns),
        *product(regular_rows, last_column),
        *product(last_row, last_column),
    ]
    tiles = [
        Tile(top, left, (keep(top, height), keep(left, width))) for top, left in corners
    ]
    return (block, block), tiles
