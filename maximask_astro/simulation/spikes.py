"""Diffraction spikes of bright stars."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import chance, choice, log_uniform, uniform
from maximask_astro.simulation.scene import pixel_grid

__all__ = ["add_spikes"]

# Spikes come in pairs on either side of a star: up to four lines make eight.
_N_LINES, _N_SPIKED = 4, 3


def _directions(key):
    """Directions of up to four lines of spikes, and which exist."""
    keys = jax.random.split(key, 4)
    number = jnp.array([2, 3, 4, 1])[choice(keys[0], (0.6, 0.17, 0.18, 0.05))]
    # Mostly along the pixels or the diagonals, as on equatorial mounts.
    fixed = jnp.pi / 4 * choice(keys[1], (1, 1))
    free = uniform(keys[2], 0.0, jnp.pi)
    start = jnp.where(chance(keys[3], 0.4), fixed, free)
    index = jnp.arange(_N_LINES)
    return start + jnp.pi * index / number, index < number


def add_spikes(key, image, scene, stars):
    """
    Add diffraction spikes to the brightest stars.

    Light diffracted by a vane of the spider spreads perpendicular to it: along
    a spike it falls as the square of the distance under the slit pattern of
    the vane's width, whose minima wash out over the passband; across it is as
    wide as the seeing (Paillassa et al. 2020, section 2.1.10, for the class).

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons, shape (height, width), without noise.

    scene : `Scene`
        The exposure.

    stars : `Stars`
        Its stars.

    Returns
    -------
    image : array
        With spikes.

    mask : array
        Boolean: where spikes are brighter than 1.5 times the local noise and
        than a twentieth of the light under them.
    """
    keys = jax.random.split(key, 6)
    y, x = pixel_grid(image.shape)
    angles, exists = _directions(keys[0])
    share = log_uniform(keys[1], 1e-3, 3e-2)  # light in a line of spikes
    slit = log_uniform(keys[2], 30.0, 400.0)  # first minimum, pixels
    strength = uniform(keys[3], 0.5, 1.5, (_N_LINES,)) * exists
    width = 0.42 * scene.fwhm + 0.2
    widening = uniform(keys[4], 0.0, 0.01)

    light = jnp.zeros(image.shape)
    for index in range(_N_SPIKED):
        dy, dx = y - stars.y[index], x - stars.x[index]
        for line in range(_N_LINES):
            cos, sin = jnp.cos(angles[line]), jnp.sin(angles[line])
            distance = jnp.abs(cos * dx + sin * dy)
            across = cos * dy - sin * dx
            # The slit pattern averaged over a broad passband keeps its envelope
            # and loses its minima: flat within the slit's width, then a square.
            fall = scene.fwhm / (scene.fwhm + distance) ** 2
            pattern = 1 / (1 + (distance / slit) ** 2)
            spread = width + widening * distance
            profile = jnp.exp(-0.5 * (across / spread) ** 2) / (2.5 * spread)
            flux = 0.5 * share * strength[line] * stars.flux[index]
            light = light + flux * fall * pattern * profile
    noise = jnp.sqrt(scene.sigma**2 + image)
    mask = (light > 1.5 * noise) & (light > 0.05 * image)
    return image + light, mask
