"""Overscan: pixels that are read out but have seen no light."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import chance, log_uniform, normal, uniform
from maximask_astro.simulation.scene import pixel_grid

__all__ = ["add_overscan"]


def add_overscan(key, image, scene):
    """
    Replace strips by overscan (Paillassa et al. 2020, section 2.1.11).

    Strips lie along the sides, or between two amplifiers. Where the sky is no
    brighter than the noise they could not be told from it: there are none.

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons above the bias, shape (height, width), with noise.

    scene : `Scene`
        The exposure.

    Returns
    -------
    image, mask : array
        With strips of bias level and read noise, and where they are.
    """
    keys = jax.random.split(key, 9)
    height, width = image.shape
    y, x = pixel_grid(image.shape)
    sides = jnp.stack([x, width - 1 - x, y, height - 1 - y])
    sizes = log_uniform(keys[0], 4.0, 0.3 * min(height, width), (4,))
    present = chance(keys[1], jnp.array([0.4, 0.5, 0.25, 0.25]))
    first = jax.random.randint(keys[2], (), 0, 4)
    present = present | (jnp.arange(4) == first)
    mask = ((sides < sizes[:, None, None]) & present[:, None, None]).any(0)
    between = jnp.abs(x - width * uniform(keys[7], 0.1, 0.9)) < 0.25 * sizes[0]
    mask = jnp.where(chance(keys[8], 0.12), between, mask)
    # Left-over charge falls off from the edge of the image; rows drift a little.
    noise = scene.read_noise * normal(keys[3], image.shape)
    drift = 0.3 * scene.read_noise * normal(keys[4], (height, 1))
    level = jnp.where(chance(keys[5], 0.15), uniform(keys[6], 0.0, 0.7), 0.0)
    mask = mask & ((1 - level) * scene.sky > 1.5 * scene.sigma)
    return jnp.where(mask, level * scene.sky + noise + drift, image), mask
