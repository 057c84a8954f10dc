"""Diffraction spikes of bright stars."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import chance, choice, log_uniform, uniform
from maximask_astro.simulation.scene import pixel_grid

__all__ = ["add_spikes"]

# Spikes come in pairs on either side of a star: up to four lines make eight.
_N_LINES, _N_SPIKED = 4, 3


def _directions(key):
    """Directions of up to four lines of spikes, and their number."""
    keys = jax.random.split(key, 4)
    number = jnp.array([2, 3, 4, 1])[choice(keys[0], (0.6, 0.17, 0.18, 0.05))]
    # Mostly along the pixels or the diagonals, as on equatorial mounts.
    fixed = jnp.pi / 4 * choice(keys[1], (1, 1))
    free = uniform(keys[2], 0.0, jnp.pi)
    start = jnp.where(chance(keys[3], 0.4), fixed, free)
    return start + jnp.pi * jnp.arange(_N_LINES) / number, number


def add_spikes(key, image, scene, stars):
    """
    Add diffraction spikes to the brightest stars.

    Light diffracted by a vane of the spider spreads perpendicular to it, along
    a spike as in the pattern of a slit of the vane's width, whose minima wash
    out over the passband: flat near the star, then falling as the square of
    the distance. Across, a spike is as wide as the seeing (Paillassa et al.
    2020, section 2.1.10, for the class).

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
    keys = jax.random.split(key, 5)
    y, x = pixel_grid(image.shape)
    angles, number = _directions(keys[0])
    share = log_uniform(keys[1], 1e-3, 4e-2)  # light in a line of spikes
    slit = log_uniform(keys[2], 5.0, 150.0)  # half the light is within, pixels
    strength = uniform(keys[3], 0.5, 1.5, (_N_LINES,))
    width = 0.42 * scene.fwhm + 0.2
    widening = uniform(keys[4], 0.0, 0.01)

    def add_lines(light, star):
        amount = share * star.flux / (jnp.pi * slit)
        dy, dx = y - star.y, x - star.x

        def add_line(index, light):
            cos, sin = jnp.cos(angles[index]), jnp.sin(angles[index])
            distance = jnp.abs(cos * dx + sin * dy)
            across = cos * dy - sin * dx
            pattern = 1 / (1 + (distance / slit) ** 2)
            spread = width + widening * distance
            profile = jnp.exp(-0.5 * (across / spread) ** 2) / (2.5 * spread)
            return light + amount * strength[index] * pattern * profile

        # Spikes that nobody could see are not drawn.
        visible = 1.5 * amount / (2.5 * width) > 0.3 * scene.sigma
        lines = jnp.where(visible, number, 0)
        return jax.lax.fori_loop(0, lines, add_line, light), None

    brightest = jax.tree.map(lambda values: values[:_N_SPIKED], stars)
    light = jax.lax.scan(add_lines, jnp.zeros(image.shape), brightest)[0]
    noise = jnp.sqrt(scene.sigma**2 + image)
    mask = (light > 1.5 * noise) & (light > 0.05 * image)
    return image + light, mask
