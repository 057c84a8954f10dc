"""Saturation: the level, the pixels that reach it, and what becomes of them."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.bleeding import INTRUDING, bleed
from maximask_astro.simulation.draws import log_between, uniforms
from maximask_astro.simulation.full_pixels import read_full_pixels

__all__ = ["saturate"]

# A pixel is saturated from this fraction of the level on, or from this fraction
# of the level's height above the sky, if that is more.
_FULL, _FULL_ABOVE_SKY = 0.98, 0.9

# Converters, gains and non-linear ranges make exposures saturate far below the
# full well. In so many exposures the level is among the peaks of the brightest
# stars, as small saturated cores are what most exposures have of saturation.
_LOWERED = 0.7
# The star whose core it is, counted from the brightest: in a few exposures many
# stars are saturated.
_RANKS, _MANY, _MANY_RANKS = (1.0, 11.0), 0.15, (8.0, 64.0)
# How many pixels its core has.
_CORES = (1.0, 80.0)
# Stars that are brighter than this, in units of the noise of the sky, and the
# lowest level above the sky.
_BRIGHTER, _LOWEST = 50.0, 25.0
# At most this fraction of the frame, or so many pixels, are brighter than the
# level; if they were to fill more than this fraction, no charge bleeds.
_COVERED, _FEW_PIXELS, _FILLED = 0.01, 500.0, 0.02
# One star is looked for in each block of so many pixels, as the brightest of
# its squares of 2 by 2: so that cosmic rays count for less than stars.
_BLOCK = 16
_SQUARE = 4.0

# How often charge bleeds: at the full well, or where the level was lowered (if
# a converter clips, the pixels are not full). How often it does so along rows.
_BLEEDS, _BLEEDS_LOWERED, _ALONG_ROWS = 0.7, 0.35, 0.25


def _brightest(image, number):
    """Peaks of the brightest stars, in order: the lowest of four pixels each."""
    square = jnp.minimum(image[1:], image[:-1])
    square = jnp.minimum(square[:, 1:], square[:, :-1])
    window = (_BLOCK, _BLOCK)
    peaks = jax.lax.reduce_window(square, -jnp.inf, jax.lax.max, window, window, "SAME")
    peaks = peaks.ravel()
    return jax.lax.top_k(peaks, min(number, peaks.size))[0]


def _profile(area, scene):
    """Fall of a star's light to the edge of a disk of so many pixels."""
    core = scene.fwhm / 2 / jnp.sqrt(2 ** (1 / scene.moffat) - 1)
    return (1 + area / jnp.pi / core**2) ** -scene.moffat


def _level(draw, image, scene):
    """Where pixels saturate, and whether that is below the full well."""
    peaks = _brightest(image, int(_MANY_RANKS[1])) - scene.sky
    number = (peaks > _BRIGHTER * scene.sigma).sum()
    few, many = log_between(draw.rank, *_RANKS), log_between(draw.rank, *_MANY_RANKS)
    rank = jnp.where(draw.many < _MANY, many, few).astype(int)
    peak = peaks[jnp.clip(jnp.minimum(rank, number) - 1, 0, len(peaks) - 1)]
    core = log_between(draw.core, *_CORES)
    above = peak * _profile(core, scene) / _profile(_SQUARE, scene)
    level = scene.sky + jnp.maximum(above, _LOWEST * scene.sigma)
    covered = (image > level).sum() > max(_COVERED * image.size, _FEW_PIXELS)
    lowered = (draw.lowered < _LOWERED) & (number > 0) & ~covered & ~scene.as_paper
    lowered = lowered & (level < scene.full_well)
    return jnp.where(lowered, level, scene.full_well), lowered


def saturate(key, image, scene):
    """
    Saturate an exposure (Paillassa et al. 2020, section 2.1.9).

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons, shape (height, width), with noise, sky included.

    scene : `Scene`
        The exposure.

    Returns
    -------
    image : array
        Electrons. Pixels saturate at the full well or, in most exposures with
        bright stars, at a lower level that 1 to 64 of the stars exceed. The
        excess is lost, or bleeds along columns or rows. Saturated pixels read
        all the same, or differ, or the innermost read less than their
        neighbors, or all read a constant, or what is left of their integers
        (`~maximask_astro.simulation.full_pixels.read_full_pixels`).

    mask : array
        Boolean: where the level was reached, and the tails of trails.
    """
    first, second, third = jax.random.split(key, 3)
    draw = uniforms(
        first,
        *("lowered", "rank", "many", "core"),
        *("bleeds", "intrudes", "along_rows"),
    )
    level, lowered = _level(draw, image, scene)
    # That of what is above the sky counts, where the sky is bright.
    above = scene.sky + _FULL_ABOVE_SKY * (level - scene.sky)
    least = jnp.maximum(_FULL * level, above)
    intrudes = (draw.intrudes < INTRUDING) & ~lowered
    filled = (jnp.maximum(image - level, 0.0) / level).mean()
    often = jnp.where(filled < _FILLED, _BLEEDS_LOWERED, 0.0)
    often = jnp.where(lowered, often, _BLEEDS)
    bleeds = (draw.bleeds < often) | intrudes
    along_rows = (draw.along_rows < _ALONG_ROWS) & bleeds

    def spill(image):
        return bleed(second, image, scene, level, least, intrudes, along_rows)

    def clip(image):
        return jnp.minimum(image, level), image >= least

    def read(image):
        done, full = jax.lax.cond(bleeds, spill, clip, image)
        # Tails read what they are.
        reached = full & (done >= least)
        how = (scene, level, bleeds, along_rows, scene.as_paper)
        return read_full_pixels(third, done, reached, image, *how), full

    def leave(image):
        return image, jnp.zeros(image.shape, bool)

    some = (image >= least).any() | intrudes
    return jax.lax.cond(some, read, leave, image)
