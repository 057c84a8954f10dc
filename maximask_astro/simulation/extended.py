"""Light that is smooth: large galaxies, halos of clusters, unresolved stars."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import chance, choice, log_uniform, uniform
from maximask_astro.simulation.fields import power_law_field
from maximask_astro.simulation.scene import pixel_grid

__all__ = ["coarse_shape", "draw_crowd", "draw_extended", "enlarge"]

_COARSE = 4  # pixels
_N_EXTENDED = 3


def coarse_shape(shape):
    """
    Give the shape on which smooth light is drawn.

    Parameters
    ----------
    shape : tuple of two int
        Height and width in pixels.

    Returns
    -------
    shape : tuple of two int
        A fourth of that, rounded up.
    """
    return tuple(-(-size // _COARSE) for size in shape)


def enlarge(field, shape):
    """
    Enlarge a field that was drawn on `coarse_shape`.

    Parameters
    ----------
    field : array
        Of that shape.

    shape : tuple of two int
        Height and width.

    Returns
    -------
    field : array
        Interpolated by cubic splines.
    """
    return jax.image.resize(field, shape, "cubic")


def draw_extended(key, scene, shape):
    """
    Draw and render smooth, extended objects, most of them faint.

    Galaxies of low surface brightness, ellipticals and the light between the
    galaxies of a cluster: from flat cores with an edge to cusps, by a Sersic
    profile.

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
    image : array
        Electrons, without noise.
    """
    keys = jax.random.split(key, 3)
    number = choice(keys[0], (0.7, 0.15, 0.1, 0.05))
    u = jax.random.uniform(keys[1], (7, _N_EXTENDED))
    coarse = coarse_shape(shape)
    y, x = pixel_grid(coarse)
    y0, x0 = u[0] * coarse[0], u[1] * coarse[1]
    # Half-light radii from 6 to 100 pixels.
    radius = jnp.hypot(6.0 * 16.0 ** u[2], 0.5 * scene.fwhm) / _COARSE
    index = 0.25 * 6.0 ** u[3]
    ratio = 0.45 + 0.55 * u[4]
    cos, sin = jnp.cos(jnp.pi * u[5]), jnp.sin(jnp.pi * u[5])
    bright = chance(keys[2], 0.2, (_N_EXTENDED,))
    peak = scene.sigma * jnp.where(bright, 8.0 * 15.0 ** u[6], 0.3 * 30.0 ** u[6])

    def add_one(i, light):
        dy, dx = y - y0[i], x - x0[i]
        along, across = cos[i] * dx + sin[i] * dy, cos[i] * dy - sin[i] * dx
        distance = (along**2 + (across / ratio[i]) ** 2) / radius[i] ** 2
        steep = jnp.maximum(2 * index[i] - 1 / 3, 0.35)
        # Soft where a cusp would be narrower than the coarse pixels.
        soft = 0.05**0.5
        fall = (distance + 0.05) ** (0.5 / index[i]) - soft ** (1 / index[i])
        return light + peak[i] * jnp.exp(-steep * fall)

    def some(_):
        light = jax.lax.fori_loop(0, number, add_one, jnp.zeros(coarse))
        return jnp.maximum(enlarge(light, shape), 0.0)

    return jax.lax.cond(number > 0, some, lambda _: jnp.zeros(shape), None)


def draw_crowd(key, scene, shape, often=0.08):
    """
    Draw and render stars that are too many to be drawn one by one.

    From the crowding of a nearby galaxy's disk to that of the Galactic center,
    with dark clouds in front of some, whose level is subtracted as if it were
    the sky's.

    Parameters
    ----------
    key : array
        PRNG key.

    scene : `Scene`
        The exposure.

    shape : tuple of two int
        Height and width.

    often : float, optional
        The fraction of exposures that are of such a field.

    Returns
    -------
    image : array
        Electrons, without noise.
    """
    keys = jax.random.split(key, 8)

    def crowd(_):
        # Stars for each area of the PSF; where they are so many that all blend,
        # it is nebulosity that they resemble.
        density = log_uniform(keys[1], 0.05, 0.8) / jnp.maximum(scene.fwhm, 2.0) ** 2
        coarse = coarse_shape(shape)
        slope = uniform(keys[2], 2.4, 3.6)
        field = power_law_field(keys[3], coarse, slope, 1.5)
        depth = jnp.where(chance(keys[4], 0.6), uniform(keys[5], 0.5, 5.0), 0.0)
        clouds = jnp.exp(-depth * jnp.maximum(field - 0.3, 0.0))
        gradient = jnp.exp(-0.3 * depth * jnp.roll(field, 7, 1) * (depth < 2))
        density = density * enlarge(clouds * gradient, shape)
        # N(> flux) goes as 1 / flux, up to 300 times the faintest.
        u = jax.random.uniform(keys[6], shape)
        flux = jnp.where(u < density, density / jnp.maximum(u, density / 300), 0.0)
        ky = jnp.fft.fftfreq(shape[0])[:, None]
        kx = jnp.fft.rfftfreq(shape[1])
        core = jnp.exp(-2 * (jnp.pi * scene.fwhm / 2.355) ** 2 * (ky**2 + kx**2))
        # A wider part makes it more like a Moffat.
        transfer = 0.8 * core + 0.2 * core**4
        light = jnp.fft.irfft2(jnp.fft.rfft2(flux) * transfer, s=shape)
        sample = jnp.sort(light[::8, ::8].ravel())
        level, typical = sample[sample.size // 6], sample[sample.size * 9 // 10]
        scale = scene.sigma * log_uniform(keys[7], 1.0, 40.0)
        return scale / (typical - level + 1e-6) * jnp.maximum(light - level, 0.0)

    crowded = chance(keys[0], often)
    return jax.lax.cond(crowded, crowd, lambda _: jnp.zeros(shape), None)
