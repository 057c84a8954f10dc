"""Clean skies: stars and galaxies, before anything goes wrong."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import chance, log_uniform, power_law, uniform
from maximask_astro.simulation.extended import draw_crowd, draw_extended
from maximask_astro.simulation.psf import psf_in_pixel, psf_peak, psf_value
from maximask_astro.simulation.scene import pixel_grid

__all__ = ["N_BRIGHT", "Stars", "draw_galaxies", "draw_stars", "render_stars"]

# Stars are drawn in order of brightness: the first with their wings over the
# whole frame, the next in large stamps, the rest, a group at a time, in stamps
# that are small where the PSF is.
N_BRIGHT, _N_MEDIUM, _N_FAINT, _GROUP = 4, 20, 1000, 40
_MEDIUM, _FAINT, _SMALL = 61, 41, 21

_N_GALAXIES = 20

# One star in so many has a companion.
_BINARIES = 0.06

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
    keys = jax.random.split(key, 10)
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

    size = jnp.array(shape, jnp.float32)[:, None]
    place = uniform(keys[5], 0.0, 1.0, (2, n_all))
    y, x = place * (size + 2 * _MARGIN) - _MARGIN
    # Close doubles: a companion lies within a few FWHM of the next brighter star.
    double = chance(keys[8], _BINARIES, (n_all,))
    apart = scene.fwhm * uniform(keys[9], -2.5, 2.5, (2, n_all))
    y = jnp.where(double, jnp.roll(y, 1) + apart[0], y)
    x = jnp.where(double, jnp.roll(x, 1) + apart[1], x)
    y = jnp.clip(y, -_MARGIN, size[0] + _MARGIN)
    x = jnp.clip(x, -_MARGIN, size[1] + _MARGIN)

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


def _add_stars(canvas, stars, scene, size, n_whole=0):
    """Add stars in stamps; the first so many without a fall at the stamp's rim."""
    dx, dy, top, left = _stamp_grid(size, stars.x, stars.y)
    shape_of = (stars.ellipticity[:, None, None], stars.angle[:, None, None])
    values = psf_in_pixel(dx, dy, scene, *shape_of, core_only=size != _MEDIUM)
    # Fall to zero at the stamp's rim, so that no box shows.
    reach = size // 2 - 1.0
    distance = jnp.hypot(dx, dy)
    whole = (jnp.arange(len(stars.x)) < n_whole)[:, None, None]
    fade = jnp.clip((reach - distance) / (0.3 * reach), 0.0, 1.0)
    values = values * jnp.where(whole, distance < reach, fade)
    values = values * stars.flux[:, None, None]
    margin = _MARGIN + _MEDIUM
    return _add_stamps(canvas, values, top + margin, left + margin)


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
    some = jax.tree.map(lambda values: values[:last], stars)
    canvas = _add_stars(canvas, some, scene, _MEDIUM, N_BRIGHT)

    extent = 2.3 * scene.fwhm + 0.5 * scene.trailing + scene.defocus
    compact = extent < _SMALL // 2

    def add_group(canvas, group):
        def small(canvas):
            return _add_stars(canvas, group, scene, _SMALL)

        def large(canvas):
            return _add_stars(canvas, group, scene, _FAINT)

        def some(canvas):
            return jax.lax.cond(compact, small, large, canvas)

        there = (group.flux > 0).any()
        return jax.lax.cond(there, some, lambda canvas: canvas, canvas), None

    groups = jax.tree.map(lambda values: values[last:].reshape(-1, _GROUP), stars)
    canvas = jax.lax.scan(add_group, canvas, groups)[0]
    image = canvas[margin:-margin, margin:-margin]

    y, x = pixel_grid(shape)

    def add_wings(image, star):
        def wings(image):
            dx, dy = x - star.x, y - star.y
            wing = psf_value(dx, dy, scene, star.ellipticity, star.angle)
            outside = jnp.hypot(dx, dy) >= _MEDIUM // 2 - 1.0
            return image + jnp.where(outside, wing * star.flux, 0.0)

        # Not where they are lost in the noise.
        rim = psf_value(_MEDIUM // 2 - 1.0, 0.0, scene, 0.0, 0.0) * star.flux
        visible = rim > 0.02 * scene.sigma
        return jax.lax.cond(visible, wings, lambda image: image, image), None

    # What two surfaces reflect is a disk out of focus, with the shadow of the
    # secondary mirror, a little off the star.
    halo = jnp.maximum(scene.halo, 1.0)
    off = 0.5 * halo * scene.coma

    def add_halo(image, star):
        surface = star.flux * scene.reflected / (jnp.pi * halo**2)

        def disk(image):
            dx, dy = x - star.x - off, y - star.y + off
            distance = jnp.sqrt(dx**2 + dy**2) / halo
            inside = jax.nn.sigmoid(15 * (1 - distance))
            shadow = 0.6 * jax.nn.sigmoid(15 * (0.35 - distance))
            return image + surface * inside * (1 - shadow)

        visible = (scene.halo > 0) & (surface > 0.05 * scene.sigma)
        return jax.lax.cond(visible, disk, lambda image: image, image), None

    bright = jax.tree.map(lambda values: values[:N_BRIGHT], stars)
    image = jax.lax.scan(add_wings, image, bright)[0]
    return jax.lax.scan(add_halo, image, bright)[0]


def draw_galaxies(key, scene, shape):
    """
    Draw and render galaxies, edge-on ones among them, and unresolved stars.

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
    keys = jax.random.split(key, 11)
    n = _N_GALAXIES
    present = jnp.arange(n) < jnp.where(
        chance(keys[0], 0.55), log_uniform(keys[1], 1.0, 1.0 + n), 0.0
    )
    size = jnp.array(shape, jnp.float32)[:, None]
    y, x = jax.random.uniform(keys[2], (2, n)) * size
    half_light = log_uniform(keys[3], 1.0, 12.0, (n,))
    index = log_uniform(keys[4], 0.5, 4.0, (n,))
    ratio = uniform(keys[5], 0.12, 1.0, (n,))
    angle = uniform(keys[6], 0.0, jnp.pi, (n,))
    # Two in three are below 10 times the noise.
    u = uniform(keys[7], 0.0, 1.0, (n,))
    brightness = scene.sigma * 0.5 * 300.0 ** (u**1.35)
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

    columns = (half_light, index, ratio, angle)

    def small(image):
        margin = _MEDIUM
        dx, dy, top, left = _stamp_grid(_MEDIUM, x, y)
        values = profile(dx, dy, *(value[:, None, None] for value in columns))
        reach = _MEDIUM // 2 - 1.0
        distance = jnp.hypot(dx, dy)
        fade = jnp.clip((reach - distance) / (0.4 * reach), 0.0, 1.0)
        amplitude = jnp.where(present & ~large, brightness, 0.0)
        values = values * fade * amplitude[:, None, None]
        canvas = _add_stamps(
            jnp.pad(image, margin), values, top + margin, left + margin
        )
        return canvas[margin:-margin, margin:-margin]

    def whole(image):
        y_grid, x_grid = pixel_grid(shape)
        first = (value[0] for value in columns)
        return image + brightness[0] * profile(x_grid - x[0], y_grid - y[0], *first)

    image = draw_extended(keys[9], scene, shape) + draw_crowd(keys[10], scene, shape)
    image = jax.lax.cond(present.any(), small, lambda image: image, image)
    return jax.lax.cond(present[0] & large[0], whole, lambda image: image, image)
