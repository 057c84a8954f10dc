"""What the camera adds: noise, flat-field residue, amplifiers, digitization."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, normal, uniforms
from maximask_astro.simulation.masks import smooth
from maximask_astro.simulation.pattern_noise import (
    add_heavy_tails,
    add_pattern,
    bayer_mosaic,
)
from maximask_astro.simulation.sky_level import sky_structure

__all__ = ["add_noise", "digitize", "sky_structure"]

# Above this sky, photon noise is Gaussian; below this many electrons in a pixel its
# skew matters; cameras that count draw up to this many one by one.
_GAUSSIAN_SKY, _SKEWED, _COUNTED = 60.0, 30.0, 24

# Pixels respond differently, or flat fields leave that: relative standard deviation.
_OFTEN_RESPONSE, _RESPONSE = 0.5, (1e-4, 8e-3)

_OFTEN_PATTERN, _OFTEN_HEAVY, _OFTEN_BAYER = 0.2, 0.03, 0.025

# Two amplifiers, of which the border is in this part of the width, uniform, and whose
# levels differ by this in units of the sky noise.
_OFTEN_STEP, _BORDER, _STEP = 0.15, (0.1, 0.9), (0.1, 5.0)

# What the converter gives are whole numbers, unless the exposure was calibrated.
_OFTEN_WHOLE = 0.7


def _count(key, image):
    """Poisson numbers, whole ones of few electrons by inversion."""
    u = jax.random.uniform(key, image.shape)
    few = jnp.minimum(image, _COUNTED / 2)

    def add_one(k, state):
        counts, left, term = state
        # One more where the cumulative probability of k is below the number.
        left = left - term
        return counts + (left > 0), left, term * few / (k + 1)

    start = jnp.zeros(image.shape), u, jnp.exp(-few)
    counts, _, _ = jax.lax.fori_loop(0, _COUNTED, add_one, start)
    deviate = 2**0.5 * jax.scipy.special.erfinv(
        jnp.clip(2 * u - 1, -0.999999, 0.999999)
    )
    many = jnp.round(image + jnp.sqrt(image) * deviate)
    return jnp.where(image < _COUNTED / 2, counts, many)


def _shot(key, image):
    """Photons with noise, skewed where they are few."""
    deviate = normal(key, image.shape)
    # The square of a shifted normal number has the right skew.
    root = jnp.maximum(jnp.sqrt(image + 0.375) + 0.5 * deviate, 0.0)
    return jnp.where(
        image < _SKEWED, root**2 - 0.625, image + jnp.sqrt(image) * deviate
    )


def add_noise(key, image, scene):
    """
    Add photon and read noise, and what differs from pixel to pixel.

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Expected electrons, shape (height, width), sky included; below 0 there
        is no light.

    scene : `Scene`
        The exposure.

    Returns
    -------
    image : array
        With noise; correlated between neighbors where the exposure was
        resampled. The pixels of some color cameras have a level for each color.
    """
    keys = jax.random.split(key, 8)
    draw = uniforms(keys[0], "bayer", "response", "spread", "heavy", "pattern")
    image = jnp.maximum(image, 0.0)

    def sometimes(happens, function, image):
        return jax.lax.cond(happens, function, lambda image: image, image)

    def read(key):
        return scene.read_noise * normal(key, image.shape)

    image = sometimes(
        draw.bayer < scene.unusual * _OFTEN_BAYER,
        lambda image: bayer_mosaic(keys[1], image),
        image,
    )

    def gaussian(image):
        spread = jnp.sqrt(image + scene.read_noise**2)
        return image + spread * normal(keys[2], image.shape)

    def faint(image):
        return _shot(keys[2], image) + read(keys[3])

    def counted(image):
        return _count(keys[2], image)

    bright = scene.sky > _GAUSSIAN_SKY
    kind = jnp.where(scene.counting, 2, jnp.where(bright, 0, 1))
    noisy = jax.lax.switch(kind, [gaussian, faint, counted], image)

    def respond(noisy):
        spread = log_between(draw.spread, *_RESPONSE)
        # Uniform numbers, which are quicker drawn: it is their spread that matters.
        uneven = 12**0.5 * (jax.random.uniform(keys[4], image.shape) - 0.5)
        return noisy * (1 + spread * uneven)

    noisy = sometimes(
        (draw.response < _OFTEN_RESPONSE) & ~scene.counting, respond, noisy
    )
    noisy = sometimes(
        (draw.heavy < scene.unusual * _OFTEN_HEAVY) & ~scene.counting,
        lambda noisy: image + add_heavy_tails(keys[5], noisy - image),
        noisy,
    )
    noisy = sometimes(
        (draw.pattern < _OFTEN_PATTERN) & ~scene.counting,
        lambda noisy: add_pattern(keys[6], noisy, scene),
        noisy,
    )
    return sometimes(
        scene.smoothing > 0,
        lambda noisy: smooth(noisy - image, scene.smoothing) + image,
        noisy,
    )


def digitize(key, image, scene):
    """
    Convert to data numbers.

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons, shape (height, width).

    scene : `Scene`
        The exposure.

    Returns
    -------
    image : array
        Data numbers above the bias: whole ones in raw exposures, with the
        steps between amplifiers, where there are several.
    """
    draw = uniforms(key, "border", "stepped", "step", "whole")
    width = image.shape[1]
    low, high = _BORDER
    border = jnp.round(width * (low + (high - low) * draw.border))
    step = scene.sigma * log_between(draw.step, *_STEP)
    step = jnp.where((draw.stepped < _OFTEN_STEP) & ~scene.counting, step, 0.0)
    numbers = (image + step * (jnp.arange(width) > border)) / scene.gain
    whole = (draw.whole < _OFTEN_WHOLE) | scene.counting
    return jnp.where(whole, jnp.round(numbers), numbers)
