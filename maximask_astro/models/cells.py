"""
Convolutions of full resolution as ones of cells of 2 by 2 pixels.

A convolution with few channels keeps a processor waiting for its data. With the four
pixels of a cell as channels (space to depth) it is one with four times as many, on a
quarter of the places; what it does more is faster than what it did before.
"""

from itertools import product

import jax.numpy as jnp

__all__ = ["folded_kernel", "shifted_kernel"]


def folded_kernel(kernel):
    """
    Kernel that convolves folded images as another does images.

    Parameters
    ----------
    kernel : array
        Shape (3, 3, channels, filters).

    Returns
    -------
    folded : array
        Shape (3, 3, 4 * channels, 4 * filters): from the cells of an image, the
        pixels of each row by row, to those of the convolved one.
    """
    return _on_cells(kernel, 3, 2, [kernel.shape[2]])


def shifted_kernel(kernel, split):
    """
    Kernel that gives cells between the cells that it is given.

    Parameters
    ----------
    kernel : array
        Shape (3, 3, channels, filters).

    split : int
        The first so many channels are folded together, and so are the others.

    Returns
    -------
    shifted : array
        Shape (2, 2, 4 * channels, 4 * filters): from the four cells around a corner
        to the four pixels that touch it. Without the cells' shift, nine cells would be
        needed.
    """
    return _on_cells(kernel, 2, 1, [split, kernel.shape[2] - split])


def _on_cells(kernel, size, first, parts):
    """
    Put the entries of a kernel where cells need them.

    The convolved cell begins ``first`` pixels after the first of ``size`` cells.
    """
    filters = kernel.shape[3]
    result = []
    channel = 0
    for number in parts:
        part = kernel[:, :, channel : channel + number]
        channel += number
        zeros = jnp.zeros((size, size, 2, 2, number, 2, 2, filters), kernel.dtype)
        for (row, column), (y, x) in product(
            product(range(2), repeat=2), product(range(3), repeat=2)
        ):
            # Pixels are counted from the first of the first cell.
            down, across = first + row + y - 1, first + column + x - 1
            zeros = zeros.at[
                down // 2, across // 2, down % 2, across % 2, :, row, column
            ].set(part[y, x])
        result.append(zeros.reshape(size, size, 4 * number, 4 * filters))
    return jnp.concatenate(result, axis=2)
