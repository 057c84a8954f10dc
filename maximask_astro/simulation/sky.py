"""Clean skies: stars and galaxies, before anything goes wrong."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import chance, log_uniform, power_law, uniform
from maximask_astro.simulation.psf import psf_in_pixel, psf_peak, psf_value
from maximask_astro.simulation.scene import pixel_grid

__all__ = ["N_BRIGHT", "Stars", "draw_galaxies", "draw_stars", "render_stars"]

# Stars are drawn in order of brightness: the first with their wings over the
# whole frame, the next in large stamps, the rest in small ones.
N_BRIGHT, _N_MEDIUM, _N_FAINT = 4, 60, 960
_MEDIUM, _FAINT = 61, 21

_N_GALAXIES = 20

# Sources may lie this far outside of the frame.
_MARGIN = 40


class Stars(NamedTuple):
    """
    The stars of an exposure, the brightest first.

    Parameters
    ----------
    x, y : array
        Positions in pixels.

    flux : array
        Electrons.

    ellipticity, angle : array
        Of the PSF where the star is.
    """

    x: jax.Array
    y: jax.Array
    flux: jax.Array
    ellipticity: jax.Array
    angle: jax.Array


def draw_stars(key, scene, shape):
    """
    Draw the stars of an exposure: from none to a crowded field.

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
    stars : `Stars`
        A fixed number, in order of brightness; the flux is 0 beyond the
        number drawn.
    """
    keys = jax.random.split(key, 8)
    n_all = N_BRIGHT + _N_MEDIUM + _N_FAINT
    area = shape[0] * shape[1] / 400**2
    number = log_uniform(keys[0], 2.0, 1100.0) * area
    number = jnp.where(chance(keys[0], 0.03), 0.0, number)
    present = jnp.arange(n_all) < number

    peak = psf_peak(scene)
    faintest = scene.sigma / peak
    flux = faintest * power_law(keys[1], uniform(keys[2], 0.6, 1.3), (n_all,))
    # Some exposures have a star far beyond saturation.
    beyond = scene.full_well / peak * log_uniform(keys[3], 0.5, 300.0, (n_all,))
    extra = (jnp.arange(n_all) < 2) & chance(keys[4], 0.2, (n_all,))
    flux = jnp.where(extra, beyond, jnp.minimum(flux, 300 * scene.full_well / peak))
    flux = jnp.sort(jnp.where(present | extra, flux, 0.0))[::-1]

    position = uniform(keys[5], -_MARGIN, 1.0 * _MARGIN, (2, n_all))
    size = jnp.array(shape, jnp.float32)[:, None]
    position = position + jax.random.uniform(keys[6], (2, n_all)) * size
    y, x = jnp.clip(position, -_MARGIN, size + _MARGIN)

    # Coma points away from the center of a field that the frame is a part of.
    center = size[:, 0] * uniform(keys[7], -1.0, 2.0, (2,))
    dy, dx = y - center[0], x - center[1]
    growth = scene.coma * jnp.hypot(dx, dy) / jnp.hypot(*shape)
    radial = growth > scene.ellipticity
    return Stars(
        x,
        y,
        flux,
        jnp.minimum(jnp.maximum(growth, scene.ellipticity), 0.5),
        jnp.where(radial, jnp.arctan2(dy, dx), scene.angle),
    )


def _add_stamps(canvas, values, top, left):
    """Add square stamps to a canvas, one after another."""

    def step(image, stamp):
        pixels, corner = stamp
        old = jax.lax.dynamic_slice(image, corner, pixels.shape)
        return jax.lax.dynamic_update_slice(image, old + pixels, corner), None

    corners = jnp.stack([top, left], axis=1)
    return jax.lax.scan(step, canvas, (values, corners))[0]


def _stamp_grid(size, x, y):
    """Distances from sources in square stamps, and the stamps' corners."""
    half = size // 2
    left, top = jnp.round(x).astype(int) - half, jnp.round(y).astype(int) - half
    steps = jnp.arange(size, dtype=jnp.float32)
    dx = (left[:, None] + steps) - x[:, None]
    dy = (top[:, None] + steps) - y[:, None]
    return dx[:, None, :], dy[:, :, None], top, left


def render_stars(stars, scene, shape):
    """
    Render stars.

    Parameters
    ----------
    stars : `Stars`
        The stars.

    scene : `Scene`
        The exposure.

    shape : tuple of two int
        Height and width.

    Returns
    -------
    image : array
        Electrons, without noise.
    """
    margin = _MARGIN + _MEDIUM
    canvas = jnp.zeros((shape[0] + 2 * margin, shape[1] + 2 * margin))
    last = N_BRIGHT + _N_MEDIUM
    for part, size in ((slice(0, last), _MEDIUM), (slice(last, None), _FAINT)):
        some = jax.tree.map(lambda values, part=part: values[part], stars)
        dx, dy, top, left = _stamp_grid(size, some.x, some.y)
        shape_of = (some.ellipticity[:, None, None], some.angle[:, None, None])
        values = psf_in_pixel(dx, dy, scene, *shape_of, core_only=size == _FAINT)
        # Fall to zero at the stamp's rim, so that no box shows.
        reach = size // 2 - 1.0
        rim = psf_value(reach, 0.0, scene, 0.0, 0.0)
        bright = (jnp.arange(len(some.x)) < N_BRIGHT) & (size == _MEDIUM)
        inside = jnp.hypot(dx, dy) < reach
        values = jnp.where(
            bright[:, None, None],
            jnp.where(inside, values, 0.0),
            jnp.maximum(values - rim, 0.0),
        )
        values = values * some.flux[:, None, None]
        canvas = _add_stamps(canvas, values, top + margin, left + margin)
    image = canvas[margin:-margin, margin:-margin]

    y, x = pixel_grid(shape)
    for index in range(N_BRIGHT):
        star = jax.tree.map(lambda values, index=index: values[index], stars)
        dx, dy = x - star.x, y - star.y
        wing = psf_value(dx, dy, scene, star.ellipticity, star.angle)
        outside = jnp.hypot(dx, dy) >= _MEDIUM // 2 - 1.0
        image = image + jnp.where(outside, wing * star.flux, 0.0)
    return image


def draw_galaxies(key, scene, shape):
    """
    Draw and render galaxies, edge-on ones among them.

    Sersic (1963, BAAA 6, 41) profiles whose center is softened by the seeing.

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
    keys = jax.random.split(key, 9)
    n = _N_GALAXIES
    present = jnp.arange(n) < jnp.where(
        chance(keys[0], 0.5), log_uniform(keys[1], 1.0, 1.0 + n), 0.0
    )
    size = jnp.array(shape, jnp.float32)[:, None]
    y, x = jax.random.uniform(keys[2], (2, n)) * size
    half_light = log_uniform(keys[3], 1.0, 12.0, (n,))
    index = log_uniform(keys[4], 0.5, 4.0, (n,))
    ratio = uniform(keys[5], 0.12, 1.0, (n,))
    angle = uniform(keys[6], 0.0, jnp.pi, (n,))
    brightness = scene.sigma * log_uniform(keys[7], 0.5, 150.0, (n,))
    # One in three exposures with galaxies has a large one.
    large = (jnp.arange(n) == 0) & chance(keys[8], 0.3)
    half_light = jnp.where(large, half_light * 8, half_light)

    def profile(dx, dy, half_light, index, ratio, angle):
        cos, sin = jnp.cos(angle), jnp.sin(angle)
        along, across = cos * dx + sin * dy, cos * dy - sin * dx
        soft = (0.45 * scene.fwhm) ** 2
        major = half_light**2 + soft
        minor = (half_light * ratio) ** 2 + soft
        radius = jnp.sqrt(along**2 / major + across**2 / minor + 0.02)
        steep = 2 * index - 1 / 3
        return jnp.exp(-steep * (radius ** (1 / index) - 0.02 ** (0.5 / index)))

    margin = _MEDIUM
    canvas = jnp.zeros((shape[0] + 2 * margin, shape[1] + 2 * margin))
    dx, dy, top, left = _stamp_grid(_MEDIUM, x, y)
    columns = (half_light, index, ratio, angle)
    values = profile(dx, dy, *(value[:, None, None] for value in columns))
    reach = _MEDIUM // 2 - 1.0
    distance = jnp.hypot(dx, dy)
    fade = jnp.clip((reach - distance) / (0.4 * reach), 0.0, 1.0)
    amplitude = jnp.where(present & ~large, brightness, 0.0)
    values = values * fade * amplitude[:, None, None]
    canvas = _add_stamps(canvas, values, top + margin, left + margin)
    image = canvas[margin:-margin, margin:-margin]

    y_grid, x_grid = pixel_grid(shape)
    whole = profile(x_grid - x[0], y_grid - y[0], *(value[0] for value in columns))
    return image + whole * jnp.where(present[0] & large[0], brightness[0], 0.0)
