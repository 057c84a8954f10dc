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
    "dead_values_of_paper",
]

_N_LINES, _N_CLUSTERS = 4, 4

# What is added to hot pixels as in the paper, in units of the sky noise.
_HOT_OF_PAPER = (15.0, 100.0)


def _lines(key, shape, as_paper):
    """Index of the line a pixel is on, from 1; 0 if on none."""
    keys = jax.random.split(key, 7)
    height, width = shape
    y, x = pixel_grid(shape)
    number = jax.random.randint(keys[0], (), 1, _N_LINES + 1)
    owner = jnp.zeros(shape, jnp.int32)
    vertical = chance(keys[1], 0.6, (_N_LINES,))
    place = uniform(keys[2], 0.0, 1.0, (_N_LINES,))
    thin = jnp.where(as_paper, jnp.ones(3), jnp.array([2.1, 0.6, 0.3]))
    thickness = choice(keys[3], thin, (_N_LINES,)) + 1
    whole = chance(keys[4], jnp.where(as_paper, 0.0, 0.3), (_N_LINES,))
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


def _around(image):
    """Mean of the 9 by 9 pixels around each."""
    for window in ((9, 1), (1, 9)):
        padded = jnp.pad(image, [(n // 2, n // 2) for n in window], mode="edge")
        image = jax.lax.reduce_window(padded, 0.0, jax.lax.add, window, (1, 1), "VALID")
        image = image / 9.0
    return image


def _clusters(key, shape):
    """Index of the cluster a pixel is in, from 1; 0 if in none. Their areas."""
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

    area = jnp.ceil(2 * half).prod(-1)
    return jax.lax.fori_loop(0, number, add_cluster, owner), area


def dead_values_of_paper(key, noise, scene):
    """
    Draw values of bad pixels as in Paillassa et al. (2020, section 2.1.4).

    Parameters
    ----------
    key : array
        PRNG key.

    noise : array
        Standard normal numbers, shape (height, width).

    scene : `Scene`
        The exposure.

    Returns
    -------
    values : array
        Electrons: nothing, next to nothing, or a fraction of the sky's.

    level : array
        Scalar: what they scatter about.
    """
    first, second = jax.random.split(key)
    kind = choice(first, (1, 1, 1))
    level = jnp.where(kind == 2, scene.sky * uniform(second, 0.1, 0.7), 0.0)
    options = jnp.stack([0.0 * level, 0.02 * scene.sigma, 0.02 * level])
    return level + options[kind] * noise, level


def _dead_values(key, image, owner, scene, visible):
    """
    What dead pixels read: nothing, next to nothing, or too little.

    For each owner but the first, which has no pixels, ``visible`` is how many
    times the sky noise its pixels must lack to be seen.
    """
    keys = jax.random.split(key, 4)
    kinds = choice(keys[0], (0.25, 0.15, 0.35, 0.25), visible.shape)
    levels = uniform(keys[1], 0.0, 0.9, visible.shape)
    drops = scene.sigma * log_uniform(
        keys[3], jnp.maximum(visible, 5.0), 100.0, visible.shape
    )
    # Where the sky is faint, nothing would be seen of that: calibration has
    # taken too much from these pixels instead.
    typical = jnp.where(kinds == 2, levels * scene.sky, 0.0)
    kinds = jnp.where(scene.sky - typical > visible * scene.sigma, kinds, 3)

    noise = normal(keys[2], image.shape)

    def wide(key):
        kind, level, drop = kinds[owner], levels[owner], drops[owner]
        value = jnp.select(
            [kind == 0, kind == 1, kind == 2],
            [
                jnp.zeros(image.shape),
                0.02 * scene.sigma * noise,
                level * image + 0.02 * level * scene.sky * noise,
            ],
            image - drop,
        )
        reads = jnp.where(kinds == 3, scene.sky - drops, typical)
        return value, reads

    def as_paper(key):
        value, level = dead_values_of_paper(key, noise, scene)
        seen = scene.sky - level > visible * scene.sigma
        reads = jnp.where(seen, level, scene.sky - drops)
        return jnp.where(seen[owner], value, image - drops[owner]), reads

    return jax.lax.cond(scene.as_paper, as_paper, wide, keys[0])


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
    owner = _lines(keys[0], image.shape, scene.as_paper)
    extra = scene.sigma * jnp.where(
        scene.as_paper,
        uniform(keys[1], *_HOT_OF_PAPER),
        log_uniform(keys[1], 3.0, 200.0, (_N_LINES + 1,)),
    )
    scatter = jnp.where(scene.as_paper, 0.02, uniform(keys[2], 0.0, 0.1))
    noise = 1 + scatter * normal(keys[3], image.shape)
    read = jnp.minimum(image + extra[owner] * noise, scene.full_well)
    # On bright objects, a faint line is lost in their noise.
    noise = jnp.sqrt(scene.sigma**2 + jnp.maximum(image - scene.sky, 0.0))
    mask = (owner > 0) & (read > image + noise)
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
    lines = jnp.where(kind != 1, _lines(keys[1], image.shape, scene.as_paper), 0)
    clusters, area = _clusters(keys[2], image.shape)
    clusters = jnp.where(kind != 0, clusters, 0)
    owner = jnp.where(clusters > 0, _N_LINES + clusters, lines)
    # The fewer its pixels, the deeper a cluster must be to be seen.
    visible = jnp.concatenate(
        [jnp.full(_N_LINES + 1, 1.2), jnp.clip(14.0 / area**0.5, 1.5, 5.0)]
    )
    dead, reads = _dead_values(keys[3], image, owner, scene, visible)
    # In some reduced exposures they were set to the level of the sky: what
    # gives them away is that they have no noise, if they are not too few.
    smooth = chance(keys[5], jnp.where(scene.as_paper, 0.0, 0.17)) & (kind != 1)
    level = scene.sky + scene.sigma * uniform(keys[4], -0.5, 0.5)
    dead = jnp.where(smooth, level, dead)
    # Nothing is missed where there is no light, in the overscan.
    lacks = _around(image) - reads[owner] > 0.6 * visible[owner] * scene.sigma
    mask = (owner > 0) & jnp.where(smooth, visible[owner] < 4.0, lacks)
    return jnp.where(mask, dead, image), mask


def _single_pixels(key, shape, as_paper):
    """Pixels at random, 5 to 300 in 100,000, or 20 to 50 as in the paper."""
    first, second = jax.random.split(key)
    fraction = jnp.where(
        as_paper, uniform(second, 2e-4, 5e-4), log_uniform(second, 5e-5, 3e-3)
    )
    return chance(first, fraction, shape)


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
    mask = _single_pixels(keys[0], image.shape, scene.as_paper)
    top = log_uniform(keys[1], 20.0, 1000.0)
    u = uniform(keys[2], 0.0, 1.0, image.shape)
    base = uniform(keys[3], *_HOT_OF_PAPER)
    extra = scene.sigma * jnp.where(
        scene.as_paper,
        base * (1 + 0.02 * 12**0.5 * (u - 0.5)),
        6.0 * jnp.exp(jnp.log(top / 6.0) * u),
    )
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
    mask = _single_pixels(keys[0], image.shape, scene.as_paper)
    # Pixels of two kinds in an exposure.
    owner = 1 + chance(keys[2], uniform(keys[3], 0.0, 1.0), image.shape)
    values, _ = _dead_values(keys[1], image, owner, scene, jnp.full(3, 4.0))
    mask = mask & (values < image - 3 * scene.sigma)
    return jnp.where(mask, values, image), mask
