"""Hot and dead columns, lines, clusters and pixels."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import (
    chance,
    choice,
    log_uniform,
    normal,
    uniform,
)
from maximask_astro.simulation.scene import pixel_grid

__all__ = [
    "add_dead_lines",
    "add_dead_pixels",
    "add_hot_lines",
    "add_hot_pixels",
]

_N_LINES, _N_CLUSTERS = 4, 4


def _lines(key, shape):
    """Index of the line a pixel is on, from 1; 0 if on none."""
    keys = jax.random.split(key, 7)
    height, width = shape
    y, x = pixel_grid(shape)
    number = jax.random.randint(keys[0], (), 1, _N_LINES + 1)
    owner = jnp.zeros(shape, jnp.int32)
    vertical = chance(keys[1], 0.6, (_N_LINES,))
    place = uniform(keys[2], 0.0, 1.0, (_N_LINES,))
    thickness = choice(keys[3], (0.7, 0.2, 0.1), (_N_LINES,)) + 1
    whole = chance(keys[4], 0.3, (_N_LINES,))
    length = uniform(keys[5], 30.0, 1.0 * max(shape), (_N_LINES,))
    start = uniform(keys[6], -0.2, 0.9, (_N_LINES,))
    for index in range(_N_LINES):
        across = jnp.where(vertical[index], x, y)
        along = jnp.where(vertical[index], y, x)
        sizes = (width, height)
        first = jnp.floor(place[index] * jnp.where(vertical[index], *sizes))
        begin = jnp.floor(start[index] * jnp.where(vertical[index], *sizes[::-1]))
        on = (across >= first) & (across < first + thickness[index])
        within = (along >= begin) & (along < begin + length[index])
        on = on & (whole[index] | within) & (index < number)
        owner = jnp.where(on, index + 1, owner)
    return owner


def _clusters(key, shape):
    """Index of the cluster a pixel is in, from 1; 0 if in none."""
    keys = jax.random.split(key, 6)
    y, x = pixel_grid(shape)
    n = _N_CLUSTERS
    number = jax.random.randint(keys[0], (), 1, n + 1)
    y0, x0 = (jax.random.uniform(keys[1], (n, 2)) * jnp.array(shape)).T
    half = log_uniform(keys[2], 0.8, 10.0, (n, 2))
    angle = jnp.where(
        chance(keys[3], 0.5, (n,)), 0.0, uniform(keys[4], 0.0, jnp.pi, (n,))
    )
    # Corners cut off make the rectangles polygons of five to eight edges.
    cut = uniform(keys[5], 1.0, 2.2, (n,))
    owner = jnp.zeros(shape, jnp.int32)
    for index in range(n):
        dy, dx = y - y0[index], x - x0[index]
        cos, sin = jnp.cos(angle[index]), jnp.sin(angle[index])
        u = jnp.abs(cos * dx + sin * dy) / half[index, 0]
        v = jnp.abs(cos * dy - sin * dx) / half[index, 1]
        inside = (u <= 1) & (v <= 1) & (u + v <= cut[index]) & (index < number)
        owner = jnp.where(inside, index + 1, owner)
    return owner


def _dead_values(key, image, owner, scene, n):
    """What dead pixels read: nothing, next to nothing, or too little."""
    keys = jax.random.split(key, 5)
    kind = choice(keys[0], (0.25, 0.15, 0.35, 0.25), (n + 1,))[owner]
    level = uniform(keys[1], 0.0, 0.9, (n + 1,))[owner]
    noise = normal(keys[2], image.shape)
    drop = scene.sigma * log_uniform(keys[3], 5.0, 100.0, (n + 1,))[owner]
    # In a sky-subtracted exposure a pixel that was set to 0 is at the sky's level.
    zero = jnp.where(chance(keys[4], 0.3), scene.sky, 0.0)
    return jnp.select(
        [kind == 0, kind == 1, kind == 2],
        [
            jnp.broadcast_to(zero, image.shape),
            zero + 0.02 * scene.sigma * noise,
            level * image + 0.02 * level * scene.sky * noise,
        ],
        image - drop,
    )


def add_hot_lines(key, image, scene):
    """
    Add hot columns and lines (Paillassa et al. 2020, section 2.1.4).

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons, shape (height, width), with noise.

    scene : `Scene`
        The exposure.

    Returns
    -------
    image, mask : array
        With the defects, and where they are.
    """
    keys = jax.random.split(key, 4)
    owner = _lines(keys[0], image.shape)
    extra = scene.sigma * log_uniform(keys[1], 3.0, 200.0, (_N_LINES + 1,))
    # Some decay along the line, as charge that is released in the transfer.
    noise = 1 + uniform(keys[2], 0.0, 0.1) * normal(keys[3], image.shape)
    mask = owner > 0
    return jnp.where(mask, image + extra[owner] * noise, image), mask


def add_dead_lines(key, image, scene):
    """
    Add dead columns, lines and clusters (Paillassa et al. 2020, section 2.1.4).

    Parameters
    ----------
    key, image, scene : array, array, `Scene`
        As for `add_hot_lines`.

    Returns
    -------
    image, mask : array
        With the defects, and where they are.
    """
    keys = jax.random.split(key, 5)
    kind = choice(keys[0], (0.4, 0.3, 0.3))  # lines, clusters, both
    lines = jnp.where(kind != 1, _lines(keys[1], image.shape), 0)
    clusters = jnp.where(kind != 0, _clusters(keys[2], image.shape), 0)
    values = _dead_values(keys[3], image, lines, scene, _N_LINES)
    image = jnp.where(lines > 0, values, image)
    values = _dead_values(keys[4], image, clusters, scene, _N_CLUSTERS)
    return jnp.where(clusters > 0, values, image), (lines > 0) | (clusters > 0)


def _single_pixels(key, shape):
    """Pixels at random, 20 to 500 in 100,000."""
    first, second = jax.random.split(key)
    return chance(first, log_uniform(second, 2e-5, 1e-3), shape)


def add_hot_pixels(key, image, scene):
    """
    Add hot pixels (Paillassa et al. 2020, section 2.1.4).

    Parameters
    ----------
    key, image, scene : array, array, `Scene`
        As for `add_hot_lines`.

    Returns
    -------
    image, mask : array
        With the defects, and where they are.
    """
    keys = jax.random.split(key, 4)
    mask = _single_pixels(keys[0], image.shape)
    top = log_uniform(keys[1], 20.0, 400.0)
    extra = scene.sigma * log_uniform(keys[2], 6.0, top, image.shape)
    return jnp.where(mask, image + extra, image), mask


def add_dead_pixels(key, image, scene):
    """
    Add dead pixels (Paillassa et al. 2020, section 2.1.4).

    Parameters
    ----------
    key, image, scene : array, array, `Scene`
        As for `add_hot_lines`.

    Returns
    -------
    image, mask : array
        With the defects, and where they are.
    """
    keys = jax.random.split(key, 2)
    mask = _single_pixels(keys[0], image.shape)
    values = _dead_values(keys[1], image, mask.astype(int), scene, 1)
    return jnp.where(mask, jnp.minimum(values, image), image), mask
