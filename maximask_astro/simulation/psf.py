"""Point spread functions, evaluated where a pixel is."""

import jax
import jax.numpy as jnp

__all__ = ["psf_core", "psf_in_pixel", "psf_peak", "psf_value"]

# Two-point Gauss-Legendre nodes in a pixel: integrals exact for cubics.
_NODES = (-0.5 / 3**0.5, 0.5 / 3**0.5)

# Where one point is enough for a pixel: FWHM in pixels.
_WELL_SAMPLED = 3.5

_AUREOLE = 6.0  # its scale, in FWHM


def psf_core(dx, dy, scene, ellipticity, angle):
    """
    Light per pixel in the core of the PSF of a source of unit flux.

    A Moffat profile (1969, A&A 3, 455). A telescope that drifted draws it out
    to a line; one out of focus turns it into a ring.

    Parameters
    ----------
    dx, dy : array
        Distance in pixels.

    scene : `Scene`
        Seeing and optics.

    ellipticity, angle : float or array
        Of the PSF at the source.

    Returns
    -------
    value : array
        Non-negative; its integral over the plane is 1 for a telescope that
        neither drifted nor was out of focus, else it has the peak of that one.

    squared : array
        Elliptical distance squared, for the aureole.
    """
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    along, across = cos * dx + sin * dy, cos * dy - sin * dx
    # Distance from the line over which the star has drifted.
    along = jnp.maximum(jnp.abs(along) - 0.5 * scene.trailing, 0.0)
    ratio = 1.0 - ellipticity
    squared = along**2 * ratio + across**2 / ratio
    ring = (jnp.sqrt(squared + 1e-12) - scene.defocus) ** 2
    squared = jnp.where(scene.defocus > 0, ring, squared)
    scale = scene.fwhm**2 / (4 * (2 ** (1 / scene.moffat) - 1))
    peak = (scene.moffat - 1) / (jnp.pi * scale)
    core = peak * jnp.exp(-scene.moffat * jnp.log1p(squared / scale))
    return core, squared


def psf_value(dx, dy, scene, ellipticity, angle):
    """
    Light per pixel at a distance from a source of unit flux.

    The core of `psf_core`, an aureole that falls as the cube of the radius,
    and, for telescopes above the atmosphere, rings.

    Parameters
    ----------
    dx, dy, scene, ellipticity, angle : array or `Scene`
        As for `psf_core`.

    Returns
    -------
    value : array
        Non-negative; its integral is that of the core (but for the rings).
    """
    core, squared = psf_core(dx, dy, scene, ellipticity, angle)
    wide = (_AUREOLE * scene.fwhm) ** 2
    base = 1 + squared / wide
    aureole = 0.5 / (jnp.pi * wide) / (base * jnp.sqrt(base))
    radius = jnp.sqrt(squared) / scene.fwhm
    wave = 1 + scene.rings * jnp.cos(2 * jnp.pi * radius / 1.2) * jnp.minimum(radius, 1)
    return (1 - scene.wings) * core * wave + scene.wings * aureole


def psf_in_pixel(dx, dy, scene, ellipticity, angle, *, core_only=False):
    """
    Light in a pixel, by integration over its area.

    Parameters
    ----------
    dx, dy, scene, ellipticity, angle : array or `Scene`
        As for `psf_core`.

    core_only : bool, optional
        Whether to leave out the aureole and the rings, which do not show in
        faint stars.

    Returns
    -------
    value : array
        Mean of the light over the pixel.
    """

    # Wide profiles change little within a pixel.
    number = jnp.where(scene.fwhm > _WELL_SAMPLED, 1, 4)
    nodes = jnp.where(number == 1, 0.0, jnp.array(_NODES))

    def light(node, total):
        x, y = nodes[node % 2], nodes[node // 2]
        if core_only:
            value, _ = psf_core(dx + x, dy + y, scene, ellipticity, angle)
        else:
            value = psf_value(dx + x, dy + y, scene, ellipticity, angle)
        return total + value

    shape = jnp.broadcast_shapes(*(jnp.shape(a) for a in (dx, dy, ellipticity)))
    return jax.lax.fori_loop(0, number, light, jnp.zeros(shape)) / number


def psf_peak(scene):
    """
    Light in the brightest pixel of a source of unit flux.

    Parameters
    ----------
    scene : `Scene`
        Seeing and optics.

    Returns
    -------
    peak : float
        For a source in the middle of a pixel, where it is brightest.
    """
    cos, sin = jnp.cos(scene.angle), jnp.sin(scene.angle)
    # A ring is brightest on its radius, here along the axis of the PSF.
    stretch = scene.defocus / jnp.sqrt(1.0 - scene.ellipticity)
    reach = jnp.where(scene.defocus > 0, stretch + 0.5 * scene.trailing, 0.0)
    return psf_in_pixel(reach * cos, reach * sin, scene, scene.ellipticity, scene.angle)
