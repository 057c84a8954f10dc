"""What the camera adds: noise, flat-field residue, amplifiers, digitization."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import (
    chance,
    choice,
    log_uniform,
    normal,
    uniform,
)
from maximask_astro.simulation.extended import coarse_shape, enlarge
from maximask_astro.simulation.fields import polynomial_field, power_law_field
from maximask_astro.simulation.masks import smooth
from maximask_astro.simulation.scene import pixel_grid

__all__ = ["add_noise", "digitize", "sky_structure"]

_N_DONUTS = 3


def sky_structure(key, scene, shape):
    """
    The sky's level over the frame, as the camera sees it.

    Parameters
    ----------
    key : array
        PRNG key.

    scene : `Scene`
        The exposure.

    shape : tuple of two int
        Height and width.

    Returns
    -------
    sky : array
        Electrons, never negative, with gradients, vignetting, lumps, shadows of
        dust, reflections and glowing edges, without noise.
    """
    keys = jax.random.split(key, 17)
    y, x = pixel_grid(shape)
    coarse = coarse_shape(shape)
    gradient = scene.sigma * log_uniform(keys[1], 0.05, 15.0)
    gradient = jnp.where(chance(keys[2], 0.5), gradient, 0.0)
    # Where the sky is faint, gradients are glow that comes on top of it.
    field = polynomial_field(keys[0], coarse, 3)
    field = jnp.where(gradient < 0.8 * scene.sky, field, (field + 1) / 2)
    # Lumps, of which a subtraction of the background has left the finer ones.
    lumps = scene.sigma * log_uniform(keys[13], 0.1, 0.4)
    lumps = jnp.where(chance(keys[14], 0.1), lumps, 0.0)
    scale = log_uniform(keys[15], 2.0, 15.0)

    def add_lumps(field):
        lump_field = power_law_field(keys[16], coarse, 0.5, scale)
        return field + lumps * jnp.clip(lump_field, -3.0, 3.0)

    def flat(field):
        return jnp.full(shape, scene.sky)

    def uneven(field):
        field = jax.lax.cond(lumps > 0, add_lumps, lambda field: field, field)
        return scene.sky + enlarge(field, shape)

    field = gradient * field
    sky = jax.lax.cond((gradient > 0) | (lumps > 0), uneven, flat, field)

    # Shadows of dust are dark rings, reflections of bright stars bright ones.
    size = jnp.array(shape, jnp.float32)
    y0, x0 = (jax.random.uniform(keys[3], (_N_DONUTS, 2)) * size).T
    radius = log_uniform(keys[4], 8.0, 120.0, (_N_DONUTS,))
    depth = scene.sigma * log_uniform(keys[5], 0.1, 4.0, (_N_DONUTS,))
    depth = jnp.where(chance(keys[7], 0.35, (_N_DONUTS,)), -depth, depth)
    number = choice(keys[6], (0.62, 0.2, 0.12, 0.06))

    def add_donut(index, sky):
        distance = jnp.hypot(y - y0[index], x - x0[index]) / radius[index]
        outside = jax.nn.sigmoid((distance - 0.35) * 12)
        return sky - depth[index] * jax.nn.sigmoid((1 - distance) * 12) * outside

    sky = jax.lax.fori_loop(0, number, add_donut, sky)

    # A detector's edge glows, or loses light.
    sides = jnp.stack([x, shape[1] - 1 - x, y, shape[0] - 1 - y])
    edges = choice(keys[8], (1, 1, 1, 1), (2,))
    edge = jnp.minimum(sides[edges[0]], sides[edges[1]])
    glow = scene.sigma * log_uniform(keys[9], 0.5, 35.0)
    glow = jnp.where(chance(keys[10], 0.4), -glow, glow)
    glow = jnp.where(chance(keys[11], 0.12), glow, 0.0)
    scale = log_uniform(keys[12], 2.0, 100.0)
    return jnp.maximum(sky + glow * jnp.exp(-edge / scale), 0.0)


def _pattern(key, scene, shape):
    """Noise that the pixels of a row, or of a column, have in common."""
    keys = jax.random.split(key, 4)
    rows = normal(keys[0], (shape[0], 1)) + jnp.zeros(shape)
    columns = normal(keys[1], (1, shape[1])) + jnp.zeros(shape)
    strength = scene.sigma * log_uniform(keys[2], 0.05, 0.6)
    return strength * jnp.where(chance(keys[3], 0.5), rows, columns)


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
        resampled.
    """
    keys = jax.random.split(key, 7)
    image = jnp.maximum(image, 0.0)
    # Photon noise is Gaussian enough but for a few electrons, where its skew
    # matters: the square of a shifted normal number has it.
    root = jnp.sqrt(image + 0.375) + 0.5 * normal(keys[0], image.shape)
    shot = jnp.where(
        image < 30.0,
        jnp.maximum(root, 0.0) ** 2 - 0.625,
        image + jnp.sqrt(image) * normal(keys[0], image.shape),
    )
    noisy = shot + scene.read_noise * normal(keys[1], image.shape)

    def respond(noisy):
        spread = log_uniform(keys[2], 1e-4, 8e-3)
        return noisy * (1 + spread * normal(keys[3], image.shape))

    noisy = jax.lax.cond(chance(keys[4], 0.5), respond, lambda noisy: noisy, noisy)
    noisy = jax.lax.cond(
        chance(keys[5], 0.15),
        lambda noisy: noisy + _pattern(keys[6], scene, image.shape),
        lambda noisy: noisy,
        noisy,
    )
    return jax.lax.cond(
        scene.smoothing > 0,
        lambda noisy: smooth(noisy - image, scene.smoothing) + image,
        lambda noisy: noisy,
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
    keys = jax.random.split(key, 5)
    width = image.shape[1]
    x = jnp.arange(width)
    border = jnp.round(width * uniform(keys[0], 0.1, 0.9))
    step = scene.sigma * log_uniform(keys[1], 0.1, 5.0)
    step = jnp.where(chance(keys[2], 0.15), step, 0.0)
    numbers = (image + step * (x > border)) / scene.gain
    return jnp.where(chance(keys[3], 0.7), jnp.round(numbers), numbers)
