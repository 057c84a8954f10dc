"""Nebulosity: emission and reflection of gas and dust."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.clouds import draw_cloud
from maximask_astro.simulation.draws import log_between, uniforms
from maximask_astro.simulation.fields import make_grid
from maximask_astro.simulation.masks import dilate, smooth
from maximask_astro.simulation.scene import noise_after_smoothing
from maximask_astro.simulation.significance import FAINTEST

__all__ = ["add_nebulosity"]

# Side in pixels of the cells that nebulae are drawn in, and of those in which it
# is judged where they are visible.
_CELL, _COARSE = 2, 8

# Mean brightness, weighted by the light itself, in units of the sky noise: from what
# only the whole frame shows to saturation. The paper's is a standard deviation.
_STRENGTHS, _SPREAD_OF_PAPER = (0.3, 300.0), 1.3

# A part of the frame is dark in so many nebulae: light below a quantile is taken
# away, as when the sky was measured there.
_DARK, _QUANTILES = 0.5, (0.02, 0.5)

# The width in pixels of the Gaussians over which light is averaged to see whether it
# can be seen; what is seen only over the wider one counts where it is not the faint
# outskirts of something bright.
_NARROW, _WIDE, _OUTSKIRTS = 8.0, 24.0, 0.1

# Quantiles of the light between which it has structure.
_LOW, _HIGH = 0.02, 0.98


def _visible(light, image, scene, grid, typical):
    """Where light is seen, as an excess over the frame's darkest parts."""
    low, high = jnp.quantile(grid.average(light)[::2, ::2], jnp.array([_LOW, _HIGH]))
    # A level that is the same everywhere is not seen, however high. Where the
    # nebula varies as much as it is bright, it is seen even at its darkest.
    level = jnp.maximum(low - (high - low), 0.0)
    noise = jnp.sqrt(scene.sigma**2 + jnp.maximum(image + light, 0.0))
    ratio = grid.average((light - level) / noise)
    margin = int(3 * _WIDE / grid.factor)
    while margin >= min(grid.shape):
        margin //= 2
    padded = jnp.pad(ratio, margin, mode="symmetric")
    left = noise_after_smoothing(scene.smoothing)

    def seen(width):
        around = smooth(padded, width / grid.factor)[margin:-margin, margin:-margin]
        # A Gaussian averages over an area of 4 pi times its variance.
        return around * left * (4 * jnp.pi) ** 0.5 * width / FAINTEST, around

    narrow, _ = seen(_NARROW)
    wide, around = seen(_WIDE)
    main = around > _OUTSKIRTS * typical / scene.sigma
    excess = jnp.maximum(narrow, jnp.where(main, wide, 0.0))
    return grid.enlarge(excess) > 1


def add_nebulosity(key, image, scene):
    """
    Add nebulosity.

    Diffuse clouds with filaments, ionization fronts with bright rims, shells,
    reflection nebulae and dark clouds in front of bright gas, drawn by
    `maximask_astro.simulation.clouds.draw_cloud` in place of the far-infrared
    maps of Paillassa et al. (2020, section 2.1.8, equation 11).

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
        Boolean: where its light, averaged over about 30 pixels (or over about
        85, outside of the outskirts of bright nebulae), has a signal-to-noise
        ratio above 7. A level that is the same everywhere does not count. As
        in the paper, where it is brighter than its own standard deviation,
        eroded by 6 pixels and dilated by 22.
    """
    keys = jax.random.split(key, 2)
    shape = image.shape
    draw = uniforms(keys[0], "strength", "dark", "quantile")
    grid = make_grid(shape, _CELL)
    smallest = (1.0 + scene.fwhm / 2) / _CELL
    cloud = draw_cloud(keys[1], grid, image, smallest, plain=scene.as_paper)
    sample = jnp.sort(cloud[::8, ::8].ravel())
    quantile = _QUANTILES[0] + (_QUANTILES[1] - _QUANTILES[0]) * draw.quantile
    floor = sample[(quantile * sample.size).astype(int)]
    dark = scene.as_paper | (draw.dark < _DARK)
    cloud = jnp.maximum(cloud - jnp.where(dark, floor, 0.0), 0.0)

    # Of a small nebula, enough to be seen at all.
    coarse = cloud[::2, ::2]
    total, squares = coarse.sum() + 1e-12, (coarse**2).sum() + 1e-12
    pixels = 4 * _CELL**2 * total**2 / squares
    strength = log_between(draw.strength, *_STRENGTHS)
    strength = jnp.maximum(strength, 1.5 * FAINTEST / jnp.sqrt(pixels))
    strength = scene.sigma * jnp.where(scene.as_paper, _SPREAD_OF_PAPER, strength)
    scale = jnp.where(scene.as_paper, coarse.std() + 1e-12, squares / total)
    light = jnp.maximum(grid.enlarge(cloud * (strength / scale)), 0.0)

    def as_seen(light):
        return _visible(light, image, scene, make_grid(shape, _COARSE), strength)

    def as_paper(light):
        # Squares with the areas of its disks.
        eroded = ~dilate(light <= strength, 5)
        return dilate(eroded, 19)

    return image + light, jax.lax.cond(scene.as_paper, as_paper, as_seen, light)
