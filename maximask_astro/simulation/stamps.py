"""Small images of many sources, added to a large one."""

import jax
import jax.numpy as jnp

__all__ = ["add_stamps", "in_groups", "stamp_grid"]


def stamp_grid(size, x, y):
    """
    Find distances from sources in square stamps, and where the stamps are.

    Parameters
    ----------
    size : int
        Side of the stamps in pixels, odd.

    x, y : array
        Places of the sources in pixels, shape (n,).

    Returns
    -------
    dx, dy : array
        Distances in pixels, shapes (n, 1, size) and (n, size, 1).

    top, left : array
        int32, shape (n,): first row and column of each stamp.
    """
    half = size // 2
    left, top = jnp.round(x).astype(int) - half, jnp.round(y).astype(int) - half
    steps = jnp.arange(size, dtype=jnp.float32)
    dx = (left[:, None] + steps) - x[:, None]
    dy = (top[:, None] + steps) - y[:, None]
    return dx[:, None, :], dy[:, :, None], top, left


def add_stamps(canvas, values, top, left):
    """
    Add square stamps to a canvas.

    Parameters
    ----------
    canvas : array
        Shape (height, width).

    values : array
        Shape (n, size, size).

    top, left : array
        Integers, shape (n,): first row and column of each stamp, all of which
        lies on the canvas.

    Returns
    -------
    canvas : array
        With the stamps.
    """
    # A scatter of whole windows, for which indexing by arrays has no words.
    dimensions = jax.lax.ScatterDimensionNumbers(
        update_window_dims=(1, 2),
        inserted_window_dims=(),
        scatter_dims_to_operand_dims=(0, 1),
    )
    corners = jnp.stack([top, left], axis=1)
    return jax.lax.scatter_add(
        canvas,
        corners,
        values,
        dimensions,
        mode=jax.lax.GatherScatterMode.PROMISE_IN_BOUNDS,
    )


def in_groups(add, canvas, sources, first, last, group):
    """
    Add sources to a canvas, a group at a time, and only as many as there are.

    Parameters
    ----------
    add : callable
        ``add(canvas, some, there)`` gives the canvas with some sources; where the
        boolean array ``there`` is False, there is none.

    canvas : array
        The canvas.

    sources : pytree of array
        Shape (n,), at least one group.

    first, last : int or array
        Which are added: from the first to before the last.

    group : int
        Number of sources in a group.

    Returns
    -------
    canvas : array
        With the sources.
    """
    number = len(jax.tree.leaves(sources)[0])

    def step(index, canvas):
        begin = first + index * group
        # The last group begins earlier where it would end beyond the sources.
        start = jnp.minimum(begin, number - group)
        some = jax.tree.map(
            lambda values: jax.lax.dynamic_slice_in_dim(values, start, group), sources
        )
        place = start + jnp.arange(group)
        return add(canvas, some, (place >= begin) & (place < last))

    groups = -((first - last) // group)
    return jax.lax.fori_loop(0, groups, step, canvas)
