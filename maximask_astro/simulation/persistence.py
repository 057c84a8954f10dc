"""Persistence: what a bright source of an earlier exposure leaves behind."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import chance, log_uniform, uniform
from maximask_astro.simulation.scene import pixel_grid

__all__ = ["add_persistence"]

_N_SOURCES = 8

# Exponents of the Fermi model of Long et al. (2015), as in table 2 of Paillassa
# et al. (2020).
_ALPHA = 0.178

# Strength in units of the sky noise: the range for training, and the paper's.
_STRENGTHS, _STRENGTH_OF_PAPER = (2.0, 30.0), 5.0


def _least_visible(radius):
    """Strength, in units of the sky noise, that disks need to be seen."""
    return jnp.clip(25.0 / radius, 1.5, 4.0)


def add_persistence(key, image, scene):
    """
    Add persistence (Paillassa et al. 2020, section 2.1.5, equations 3 to 6).

    The release of trapped charge depends on how full a pixel was: next to
    nothing below a level, and little more above it. So saturated stars leave
    flat disks with an edge that the seeing does not soften, some with what
    bled from them. As in the paper, where the earlier stars were filled far
    above the level, all disks are uniform and equally strong.

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons, shape (height, width), without noise.

    scene : `Scene`
        The exposure.

    Returns
    -------
    image : array
        With persistence.

    mask : array
        Boolean: where the earlier exposure was above the model's level.
    """
    keys = jax.random.split(key, 11)
    y, x = pixel_grid(image.shape)
    n = _N_SOURCES
    number = log_uniform(keys[0], 1.0, n + 1.0)
    size = jnp.array(image.shape, jnp.float32)
    y0, x0 = (jax.random.uniform(keys[1], (n, 2)) * size).T
    # The earlier star: a Moffat whose radius at the level is drawn directly,
    # and whose center is cut off where the pixels were full.
    radius = log_uniform(keys[2], 2.0, 25.0, (n,))
    slope = uniform(keys[3], 2.0, 5.0)
    ratio = uniform(keys[4], 0.75, 1.0, (n,))
    # Width of the step over its place.
    level = jnp.where(scene.as_paper, 1e-3, uniform(keys[5], 0.08, 0.3))
    full = jnp.where(scene.as_paper, 1.0, log_uniform(keys[10], 1.5, 12.0))
    bleeds = chance(keys[6], 0.35)
    length = log_uniform(keys[7], 2.0, 12.0, (n,)) * radius
    fade = uniform(keys[9], 0.4, 1.0, (n,))
    # Within a galaxy or near a bright star there is more noise.
    place = jnp.stack([y0, x0]).astype(int)
    noise = jnp.sqrt(1 + jnp.maximum(image[tuple(place)], 0.0) / scene.sigma**2)
    strength = jnp.maximum(
        fade * log_uniform(keys[8], *_STRENGTHS), noise * _least_visible(radius)
    )
    strength = jnp.where(scene.as_paper, _STRENGTH_OF_PAPER, strength)

    def add_source(index, drawn):
        total, mask = drawn
        dy, dx = (y - y0[index]) / ratio[index], (x - x0[index]) * ratio[index]
        # The logarithm of how full the pixels were over the level.
        distance = (dx**2 + dy**2) / radius[index] ** 2
        filled = slope * (jnp.log(2.0) - jnp.log1p(distance))
        trail = (jnp.abs(x - x0[index]) < 0.25 * radius[index] + 0.5) & (
            jnp.abs(y - y0[index]) < length[index]
        )
        filled = jnp.where(bleeds & trail, jnp.log(2.0), filled)
        step = jax.nn.sigmoid((jnp.exp(filled) - 1) / level)
        release = step * jnp.exp(_ALPHA * jnp.clip(filled, 0.0, jnp.log(full)))
        return jnp.maximum(total, strength[index] * release), mask | (filled > 0)

    nothing = jnp.zeros(image.shape), jnp.zeros(image.shape, bool)
    total, mask = jax.lax.fori_loop(
        0, jnp.ceil(number).astype(int), add_source, nothing
    )
    return image + scene.sigma * total, mask
