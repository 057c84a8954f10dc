"""Nebulosity: emission and reflection of gas and dust."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import chance, log_uniform, uniform
from maximask_astro.simulation.fields import polynomial_field, power_law_field
from maximask_astro.simulation.masks import dilate, smooth

__all__ = ["add_nebulosity"]

_PADDING = 16

# Standard deviation in units of the sky noise.
_STRENGTH_OF_PAPER = 1.3


def add_nebulosity(key, image, scene):
    """
    Add nebulosity.

    A scale-free field, as dust is from degrees to arcseconds
    (Miville-Deschenes et al. 2016, A&A 593, A4), made of filaments by an
    exponential and of edges by folding, in place of the far-infrared maps of
    Paillassa et al. (2020, section 2.1.8, equation 11).

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
        With nebulosity.

    mask : array
        Boolean: where it is brighter than half the sky noise, in areas
        smoothed over 6 pixels. As in the paper, where it is brighter than its
        own standard deviation, eroded by 6 pixels and dilated by 22.
    """
    keys = jax.random.split(key, 9)
    shape = image.shape
    slope = uniform(keys[0], 2.6, 3.8)
    field = power_law_field(keys[1], shape, slope, 2.0 + scene.fwhm / 2)
    filaments = jnp.exp(uniform(keys[2], 0.3, 1.1) * field)
    ridges = 1 - jnp.abs(power_law_field(keys[3], shape, slope, 2.0 + scene.fwhm / 2))
    cloud = filaments * jnp.where(
        chance(keys[4], 0.4), 1 + 0.7 * jnp.clip(ridges, -1.0, 1.0), 1.0
    )
    # It may fill the frame or a part of it.
    part = jax.nn.sigmoid(4 * polynomial_field(keys[5], shape, 2))
    cloud = cloud * jnp.where(chance(keys[6], 0.5), part, 1.0)
    sample = jnp.sort(cloud[::16, ::16].ravel())
    rank = uniform(keys[8], 0.05, 0.5) * sample.size
    cloud = jnp.maximum(cloud - sample[rank.astype(int)], 0.0)
    spread = cloud[::4, ::4].std() + 1e-12
    strength = scene.sigma * jnp.where(
        scene.as_paper, _STRENGTH_OF_PAPER, log_uniform(keys[7], 1.0, 30.0)
    )
    light = strength * cloud / spread

    def around(light):
        # Mirrored at the sides: nothing wraps around to the other side.
        padded = jnp.pad(light, _PADDING, mode="symmetric")
        around = smooth(padded, 6.0)[_PADDING:-_PADDING, _PADDING:-_PADDING]
        return around > 0.5 * scene.sigma

    def as_paper(light):
        # Squares with the areas of its disks.
        eroded = ~dilate(light <= strength, 5)
        return dilate(eroded, 19)

    return image + light, jax.lax.cond(scene.as_paper, as_paper, around, light)
