"""Overscan: pixels that are read out but have seen no light."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.defects import dead_values_of_paper
from maximask_astro.simulation.draws import chance, log_uniform, normal, uniform
from maximask_astro.simulation.scene import pixel_grid

__all__ = ["add_overscan"]


def _edge(key, image, depth, scene):
    """Let a detector's edge glow, or lose light, beside the overscan."""
    numbers = jax.random.uniform(key, (5,))
    scale = 2.0 * 20.0 ** numbers[0]
    share = jnp.exp(jnp.minimum(depth, 0.0) / scale)
    glow = scene.sigma * 40.0 ** numbers[1] * share
    glow = glow + jnp.sqrt(glow) * normal(jax.random.fold_in(key, 1), image.shape)
    lit = jnp.where(numbers[2] < 0.6, image + glow, image * (1 - numbers[3] * share))
    # What is saturated reads no more for it.
    there = (numbers[4] < 0.35) & (image < 0.9 * scene.full_well)
    return jnp.where(there, lit, image)


def add_overscan(key, image, scene):
    """
    Replace strips by overscan (Paillassa et al. 2020, section 2.1.11).

    Strips lie along the sides, or between two amplifiers. Where the sky is
    fainter than the noise they could not be told from it: there are none. Some
    detectors glow or lose light at the edge beside them. As in the paper, they
    read what dead pixels do.

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
    keys = jax.random.split(key, 14)
    height, width = image.shape
    y, x = pixel_grid(image.shape)
    sides = jnp.stack([x, width - 1 - x, y, height - 1 - y])
    sizes = log_uniform(keys[0], 4.0, 0.3 * min(height, width), (4,))
    present = chance(keys[1], jnp.array([0.4, 0.5, 0.25, 0.25]))
    first = jax.random.randint(keys[2], (), 0, 4)
    present = present | (jnp.arange(4) == first)
    level = jnp.where(chance(keys[5], 0.15), uniform(keys[6], 0.0, 0.7), 0.0)
    noise = normal(keys[3], image.shape)
    values, typical = dead_values_of_paper(keys[9], noise, scene)
    typical = jnp.where(scene.as_paper, typical, level * scene.sky)
    # The wider, the less a strip must differ to be recognized.
    least = scene.sigma * jnp.clip(10.0 / sizes, 0.6, 1.5)
    present = present & (scene.sky - typical > least)
    within = (sizes[:, None, None] - sides) * present[:, None, None]
    # Pixels from the image's edge, from 0; as far as none below 0.
    depth = within.max(0)
    mask = depth > 0
    between = jnp.abs(x - width * uniform(keys[7], 0.1, 0.9)) < 0.25 * sizes[0]
    recognized = scene.sky - typical > 1.5 * scene.sigma
    split = chance(keys[8], jnp.where(scene.as_paper, 0.0, 0.12)) & recognized
    mask = jnp.where(split, between, mask)
    # Rows drift a little, and charge that was left behind falls off from the
    # edge of the image.
    drift = 0.3 * scene.read_noise * normal(keys[4], (height, 1))
    left = scene.read_noise * log_uniform(keys[10], 0.3, 6.0)
    left = jnp.minimum(left, 0.4 * scene.sky)
    left = jnp.where(chance(keys[11], 0.3) & ~split, left, 0.0)
    left = left * jnp.exp(-jnp.maximum(depth, 0.0) / log_uniform(keys[12], 0.7, 5.0))
    charge = scene.read_noise * noise + drift + left
    values = jnp.where(scene.as_paper, values, typical + charge)
    edged = _edge(keys[13], image, depth, scene)
    lit = jnp.where(scene.as_paper | split | ~mask.any(), image, edged)
    return jnp.where(mask, values, lit), mask
