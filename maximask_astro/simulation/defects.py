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

    def add_line(index, owner):
        across = jnp.where(vertical[index], x, y)
        along = jnp.where(vertical[index], y, x)
        sizes = (width, height)
        first = jnp.floor(place[index] * jnp.where(vertical[index], *sizes))
        begin = jnp.floor(start[index] * jnp.where(vertical[index], *sizes[::-1]))
        on = (across >= first) & (across < first + thickness[index])
        within = (along >= begin) & (along < begin + length[index])
        return jnp.where(on & (whole[index] | within), index + 1, owner)

    return jax.lax.fori_loop(0, number, add_line, owner)


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

    def add_cluster(index, owner):
        dy, dx = y - y0[index], x - x0[index]
        cos, sin = jnp.cos(angle[index]), jnp.sin(angle[index])
        u = jnp.abs(cos * dx + sin * dy) / half[index, 0]
        v = jnp.abs(cos * dy - sin * dx) / half[index, 1]
        inside = (u <= 1) & (v <= 1) & (u + v <= cut[index])
        return jnp.where(inside, index + 1, owner)

    return jax.lax.fori_loop(0, number, add_cluster, owner)


def _dead_values(key, image, owner, scene, n, visible):
    """What dead pixels read: nothing, next to nothing, or too little."""
    keys = jax.random.split(key, 4)
    kind = choice(keys[0], (0.25, 0.15, 0.35, 0.25), (n + 1,))[owner]
    level = uniform(keys[1], 0.0, 0.9, (n + 1,))[owner]
    noise = normal(keys[2], image.shape)
    drop = scene.sigma * log_uniform(keys[3], 5.0, 100.0, (n + 1,))[owner]
    value = jnp.select(
        [kind == 0, kind == 1],
        [jnp.zeros(image.shape), 0.02 * scene.sigma * noise],
        level * image + 0.02 * level * scene.sky * noise,
    )
    # Where the sky is faint, nothing would be seen of that: calibration has
    # taken too much from these pixels instead.
    typical = jnp.where(kind == 2, level * scene.sky, 0.0)
    seen = scene.sky - typical > visible * scene.sigma
    return jnp.where((kind != 3) & seen, value, image - drop)


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
    read = jnp.minimum(image + extra[owner] * noise, scene.full_well)
    mask = (owner > 0) & (read > image)
    return jnp.where(mask, read, image), mask


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
    keys = jax.random.split(key, 6)
    kind = choice(keys[0], (0.4, 0.3, 0.3))  # lines, clusters, both
    lines = jnp.where(kind != 1, _lines(keys[1], image.shape), 0)
    clusters = jnp.where(kind != 0, _clusters(keys[2], image.shape), 0)
    owner = jnp.where(clusters > 0, _N_LINES + clusters, lines)
    n = _N_LINES + _N_CLUSTERS
    mask = owner > 0
    dead = jnp.where(mask, _dead_values(keys[3], image, owner, scene, n, 1.0), image)
    # In some reduced exposures they were set to the level of the sky: what
    # gives them away is that they have no noise.
    level = scene.sky + scene.sigma * uniform(keys[4], -0.5, 0.5)
    return jnp.where(mask & chance(keys[5], 0.12), level, dead), mask


def _single_pixels(key, shape):
    """Pixels at random, 5 to 300 in 100,000."""
    first, second = jax.random.split(key)
    return chance(first, log_uniform(second, 5e-5, 3e-3), shape)


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
        With the defects, and where they are: where a pixel stands out by more
        than 4 times the sky noise.
    """
    keys = jax.random.split(key, 4)
    mask = _single_pixels(keys[0], image.shape)
    top = log_uniform(keys[1], 20.0, 1000.0)
    extra = scene.sigma * log_uniform(keys[2], 6.0, top, image.shape)
    read = jnp.minimum(image + extra, scene.full_well)
    mask = mask & (read > image + 4 * scene.sigma)
    return jnp.where(mask, read, image), mask


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
        With the defects, and where they are: where a pixel lacks more than 3
        times the sky noise.
    """
    keys = jax.random.split(key, 4)
    mask = _single_pixels(keys[0], image.shape)
    # Pixels of two kinds in an exposure.
    owner = 1 + chance(keys[2], uniform(keys[3], 0.0, 1.0), image.shape)
    values = _dead_values(keys[1], image, owner, scene, 2, 4.0)
    mask = mask & (values < image - 3 * scene.sigma)
    return jnp.where(mask, values, image), mask
