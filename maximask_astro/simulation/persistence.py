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


def add_persistence(key, image, scene):
    """
    Add persistence (Paillassa et al. 2020, section 2.1.5, equations 3 to 6).

    The release of trapped charge depends on how full a pixel was: next to
    nothing below a level, and little more above it. So saturated stars leave
    disks with soft edges, some with what bled from them.

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
    keys = jax.random.split(key, 10)
    y, x = pixel_grid(image.shape)
    n = _N_SOURCES
    number = log_uniform(keys[0], 1.0, n + 1.0)
    size = jnp.array(image.shape, jnp.float32)
    y0, x0 = (jax.random.uniform(keys[1], (n, 2)) * size).T
    # The earlier star: a Moffat whose radius at the level is drawn directly.
    radius = log_uniform(keys[2], 2.0, 25.0, (n,))
    slope = uniform(keys[3], 2.0, 5.0)
    ratio = uniform(keys[4], 0.75, 1.0, (n,))
    level = uniform(keys[5], 0.15, 0.3)  # width of the step over its place
    bleeds = chance(keys[6], 0.25)
    length = log_uniform(keys[7], 2.0, 12.0, (n,)) * radius
    strength = scene.sigma * log_uniform(keys[8], 0.7, 12.0)
    fade = uniform(keys[9], 0.5, 1.0, (n,))

    def add_source(index, drawn):
        total, mask = drawn
        dy, dx = (y - y0[index]) / ratio[index], (x - x0[index]) * ratio[index]
        distance = jnp.sqrt(dx**2 + dy**2)
        filled = (1 + (distance / radius[index]) ** 2) ** -slope * 2**slope
        trail = (jnp.abs(x - x0[index]) < 0.25 * radius[index] + 0.5) & (
            jnp.abs(y - y0[index]) < length[index]
        )
        filled = jnp.where(bleeds & trail, 2.0, filled)
        step = jax.nn.sigmoid((filled - 1) / level)
        release = step * jnp.minimum(filled, 30.0) ** _ALPHA
        return jnp.maximum(total, fade[index] * release), mask | (filled > 1)

    nothing = jnp.zeros(image.shape), jnp.zeros(image.shape, bool)
    total, mask = jax.lax.fori_loop(
        0, jnp.ceil(number).astype(int), add_source, nothing
    )
    return image + strength * total, mask
