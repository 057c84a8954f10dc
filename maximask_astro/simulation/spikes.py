"""Diffraction spikes of bright stars."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between
from maximask_astro.simulation.scene import pixel_grid

__all__ = ["add_spikes"]

# Spikes come in pairs on either side of a star: up to four lines make eight.
_N_LINES, _N_SPIKED = 4, 3


def _directions(numbers):
    """Directions of up to four lines of spikes, and their number."""
    number = jnp.select(
        [numbers[0] < 0.6, numbers[0] < 0.77, numbers[0] < 0.95], [2, 3, 4], 1
    )
    # Mostly along the pixels or the diagonals, as on equatorial mounts.
    fixed = jnp.pi / 4 * (numbers[1] < 0.5)
    start = jnp.where(numbers[2] < 0.4, fixed, jnp.pi * numbers[3])
    return start + jnp.pi * jnp.arange(_N_LINES) / number, number


def add_spikes(key, image, scene, stars):
    """
    Add diffraction spikes to the brightest stars.

    Light diffracted by a vane of the spider spreads perpendicular to it, along
    a spike as in the pattern of a slit of the vane's width: flat near the star,
    then falling as the square of the distance. The minima of the pattern wash
    out over a broad passband and leave beads in a narrow one. Across, a spike
    is as wide as the seeing, or wider (Paillassa et al. 2020, section 2.1.10,
    for the class). In some exposures, one side of a line is fainter than the
    other, as far from the axis of the telescope.

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
        than a twentieth of the light under them, outside of the stars' cores.
    """
    y, x = pixel_grid(image.shape)
    # Few large draws: every draw of its own makes the compiler work for longer.
    numbers = jax.random.uniform(key, (11 + 2 * _N_LINES,))
    angles, count = _directions(numbers[:4])
    share = log_between(numbers[4], 1e-3, 4e-2)  # light in a line of spikes
    slit = log_between(numbers[5], 4.0, 100.0)  # half the light is within, pixels
    width = (0.38 + 0.3 * numbers[6] ** 2) * scene.fwhm + 0.2
    widening = 0.03 * numbers[7] ** 2
    contrast = jnp.maximum(0.0, 4 * numbers[8] - 3)
    wave = jnp.pi / (slit * log_between(numbers[9], 0.5, 2.0))
    uneven = numbers[10] < 0.25
    strength, ratio = numbers[11:].reshape(2, _N_LINES)
    strength = 0.5 + strength
    # Brighter on one side by this half of the ratio's logarithm.
    tilt = jnp.where(uneven, 1.2 * (ratio - 0.5), 0.0)

    def add_lines(drawn, star):
        amount = share * star.flux / (jnp.pi * slit)
        dy, dx = y - star.y, x - star.x

        def add_line(index, light):
            cos, sin = jnp.cos(angles[index]), jnp.sin(angles[index])
            along = cos * dx + sin * dy
            across = cos * dy - sin * dx
            distance = jnp.abs(along)
            spread = width + widening * distance
            pattern = amount * strength[index] / (1 + (distance / slit) ** 2)
            exponent = 0.5 * (across / spread) ** 2 + tilt[index] * jnp.sign(along)
            return light + pattern * jnp.exp(-exponent) / (2.5 * spread)

        # Spikes that nobody could see are not drawn.
        visible = 1.5 * amount / (2.5 * width) > 0.3 * scene.sigma

        def add_all(drawn):
            light, core = drawn
            distance = jnp.hypot(dx, dy)
            added = jax.lax.fori_loop(0, count, add_line, jnp.zeros(image.shape))
            added = jax.lax.cond(
                contrast > 0,
                lambda added: added * (1 + contrast * jnp.cos(2 * wave * distance)),
                lambda added: added,
                added,
            )
            return light + added, core | (distance < scene.fwhm)

        return jax.lax.cond(visible, add_all, lambda drawn: drawn, drawn), None

    brightest = jax.tree.map(lambda values: values[:_N_SPIKED], stars)
    nothing = jnp.zeros(image.shape), jnp.zeros(image.shape, bool)
    light, core = jax.lax.scan(add_lines, nothing, brightest)[0]
    noise = jnp.sqrt(scene.sigma**2 + image)
    mask = (light > 1.5 * noise) & (light > 0.05 * image) & ~core
    return image + light, mask
