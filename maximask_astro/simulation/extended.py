"""Light that is smooth: large galaxies, halos of clusters, unresolved stars."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, uniforms
from maximask_astro.simulation.fields import (
    larger_period,
    make_grid,
    power_law_field,
)
from maximask_astro.simulation.resolved import draw_resolved
from maximask_astro.simulation.scene import pixel_grid

__all__ = ["coarse_shape", "draw_crowd", "draw_extended", "enlarge"]

# Side in pixels of the cells that smooth light is drawn in, and that in which
# galaxies are of which more is seen.
_COARSE, _FINE = 4, 2

# How many smooth objects an exposure has: none, one, two or three.
_NUMBERS = (0.7, 0.15, 0.1, 0.05)
_N_EXTENDED = len(_NUMBERS) - 1

# Their half-light radii in pixels, Sersic's index, axis ratio, and the brightness at
# the center in units of the noise: most are faint, some are bright.
_RADII, _INDICES, _RATIOS = (6.0, 96.0), (0.25, 1.5), (0.45, 1.0)
_FAINT, _BRIGHT, _OFTEN_BRIGHT = (0.3, 9.0), (8.0, 120.0), 0.2

# In this fraction of the exposures there is a galaxy, or a glare, of which more is
# seen than a profile; in this one of those, one that it interacts with (M 51).
_OFTEN_RESOLVED, _OFTEN_PAIR = 0.14, 0.2

# Crowds: how often, by default; stars in the area of the squared FWHM; slope of the
# spectrum, frequency and depth of the clouds in front; N(> flux) goes as 1 / flux
# up to so many times the faintest; the ninetieth percentile of the light in units of
# the noise.
_OFTEN_CROWD, _DENSITIES, _CLOUD_SLOPES = 0.08, (0.05, 0.8), (2.4, 3.6)
_OFTEN_CLOUDS, _DEPTHS, _BRIGHTEST, _LIGHT = 0.6, (0.5, 5.0), 300.0, (1.0, 40.0)

# The PSF reaches so many pixels.
_MARGIN = 32

# In this fraction of them the stars are those of a cluster or of a disk that ends
# within the frame: core or scale length in pixels, stars in the area of the squared
# FWHM at the center (so many that they blend to a smooth light with grains), and axis
# ratio of disks.
_OFTEN_GATHERED, _CORES, _CENTERS = 0.4, (30.0, 300.0), (0.3, 12.0)
_OFTEN_ROUND, _DISK_RATIOS = 0.6, (0.25, 1.0)


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


def _between(number, limits):
    """Uniform within limits."""
    return limits[0] + (limits[1] - limits[0]) * number


def _smooth_objects(key, scene, shape, number):
    """Render so many objects that have nothing but a profile."""
    draw = uniforms(
        key, "y", "x", "radius", "index", "ratio", "angle", "brightness", "bright",
        shape=(_N_EXTENDED,),
    )  # fmt: skip
    coarse = coarse_shape(shape)
    y, x = pixel_grid(coarse)
    y0, x0 = draw.y * coarse[0], draw.x * coarse[1]
    radius = jnp.hypot(log_between(draw.radius, *_RADII), 0.5 * scene.fwhm) / _COARSE
    index = log_between(draw.index, *_INDICES)
    ratio = _between(draw.ratio, _RATIOS)
    cos, sin = jnp.cos(jnp.pi * draw.angle), jnp.sin(jnp.pi * draw.angle)
    peak = scene.sigma * jnp.where(
        draw.bright < _OFTEN_BRIGHT,
        log_between(draw.brightness, *_BRIGHT),
        log_between(draw.brightness, *_FAINT),
    )

    def add_one(i, light):
        dy, dx = y - y0[i], x - x0[i]
        along, across = cos[i] * dx + sin[i] * dy, cos[i] * dy - sin[i] * dx
        distance = (along**2 + (across / ratio[i]) ** 2) / radius[i] ** 2
        steep = jnp.maximum(2 * index[i] - 1 / 3, 0.35)
        # Soft where a cusp would be narrower than the coarse pixels.
        soft = 0.05**0.5
        fall = (distance + 0.05) ** (0.5 / index[i]) - soft ** (1 / index[i])
        return light + peak[i] * jnp.exp(-steep * fall)

    light = jax.lax.fori_loop(0, number, add_one, jnp.zeros(coarse))
    return jnp.maximum(enlarge(light, shape), 0.0)


def draw_extended(key, scene, shape):
    """
    Draw and render extended objects.

    Galaxies of low surface brightness, ellipticals and the light between the
    galaxies of a cluster, most of them faint: from flat cores with an edge to
    cusps, by a Sersic profile. In some exposures, large galaxies with arms, dust
    and knots, alone or in pairs, or the glare of a star, by
    `maximask_astro.simulation.resolved.draw_resolved`.

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
    keys = jax.random.split(key, 4)
    draw = uniforms(keys[0], "number", "resolved", "pair")
    borders = jnp.cumsum(jnp.array(_NUMBERS))
    number = (draw.number >= borders[:-1]).sum()
    grid = make_grid(shape, _FINE)

    def smooth_objects(image):
        return image + _smooth_objects(keys[1], scene, shape, number)

    def resolved(image):
        # One after another: a second that is the same code is compiled once.
        pair = jnp.where(draw.pair < _OFTEN_PAIR, 2, 1)

        def add_one(index, state):
            light, place = state
            key = jax.random.fold_in(keys[2], index)
            more, place = draw_resolved(key, grid, scene, place, index > 0)
            return light + more, place

        first = jnp.zeros(grid.shape), (0.0, 0.0)
        light, _ = jax.lax.fori_loop(0, pair, add_one, first)
        return image + jnp.maximum(grid.enlarge(light), 0.0)

    def leave(image):
        return image

    image = jnp.zeros(shape)
    image = jax.lax.cond(number > 0, smooth_objects, leave, image)
    often = scene.unusual * _OFTEN_RESOLVED
    return jax.lax.cond(draw.resolved < often, resolved, leave, image)


def _gathered(draw, scene, shape):
    """Stars in the squared FWHM, of a cluster or of a disk: the most, and a map."""
    y, x = pixel_grid(shape)
    core = log_between(draw.core, *_CORES)
    dy, dx = y - draw.y * shape[0], x - draw.x * shape[1]
    cos, sin = jnp.cos(jnp.pi * draw.angle), jnp.sin(jnp.pi * draw.angle)
    is_round = draw.round < _OFTEN_ROUND
    ratio = jnp.where(is_round, 1.0, _between(draw.ratio, _DISK_RATIOS))
    along, across = cos * dx + sin * dy, (cos * dy - sin * dx) / ratio
    distance = (along**2 + across**2) / core**2
    # Plummer's (1911) and an exponential disk, whose stars do not thin out at once.
    profile = jnp.where(is_round, (1 + distance) ** -2, jnp.exp(-jnp.sqrt(distance)))
    center = log_between(draw.center, *_CENTERS)
    return center, center * profile


def draw_crowd(key, scene, shape, often=_OFTEN_CROWD):
    """
    Draw and render stars that are too many to be drawn one by one.

    From the crowding of a nearby galaxy's disk to that of the Galactic center,
    with dark clouds in front of some, whose level is subtracted as if it were
    the sky's; and globular clusters and disks, whose stars blend to a smooth
    light with grains in the middle.

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
    keys = jax.random.split(key, 4)
    draw = uniforms(
        keys[0], "there", "density", "slope", "clouds", "depth", "light", "gathered",
        "core", "center", "y", "x", "angle", "round", "ratio",
    )  # fmt: skip

    def crowd(_):
        gathered = draw.gathered < _OFTEN_GATHERED
        coarse = coarse_shape(shape)
        slope = _between(draw.slope, _CLOUD_SLOPES)
        field = power_law_field(keys[1], coarse, slope, 1.5)
        cloudy = ~gathered & (draw.clouds < _OFTEN_CLOUDS)
        depth = jnp.where(cloudy, _between(draw.depth, _DEPTHS), 0.0)
        clouds = jnp.exp(-depth * jnp.maximum(field - 0.3, 0.0))
        gradient = jnp.exp(-0.3 * depth * jnp.roll(field, 7, 1) * (depth < 2))
        # Over the whole frame, only so many that not all blend.
        even = log_between(draw.density, *_DENSITIES) * enlarge(
            clouds * gradient, shape
        )
        center, profile = _gathered(draw, scene, shape)
        area = jnp.maximum(scene.fwhm, 2.0) ** 2
        density = jnp.where(gathered, profile, even) / area
        # N(> flux) goes as 1 / flux; of more than one star in a pixel, the brightest
        # and the mean of the others.
        u = jax.random.uniform(keys[2], shape)
        single = jnp.minimum(density, 1.0)
        brightest = single / jnp.maximum(u, single / _BRIGHTEST)
        flux = jnp.where(u < single, brightest, 0.0) * jnp.maximum(density, 1.0)
        # With a margin, so that nothing wraps around to the other side.
        padded = larger_period([size + _MARGIN for size in shape], 1.0)
        ky = jnp.fft.fftfreq(padded[0])[:, None]
        kx = jnp.fft.rfftfreq(padded[1])
        core = jnp.exp(-2 * (jnp.pi * scene.fwhm / 2.355) ** 2 * (ky**2 + kx**2))
        # A wider part makes it more like a Moffat.
        transfer = 0.8 * core + 0.2 * core**4
        light = jnp.fft.irfft2(jnp.fft.rfft2(flux, s=padded) * transfer, s=padded)
        light = light[: shape[0], : shape[1]]
        sample = jnp.sort(light[::8, ::8].ravel())
        level, typical = sample[sample.size // 6], sample[sample.size * 9 // 10]
        # A cluster may be a small part of the frame: what is typical is its center,
        # where a star has the mean of the distribution.
        level = jnp.where(gathered, 0.0, level)
        middle = center / area * jnp.log(_BRIGHTEST)
        typical = jnp.where(gathered, middle, typical)
        scale = scene.sigma * log_between(draw.light, *_LIGHT)
        return scale / (typical - level + 1e-6) * jnp.maximum(light - level, 0.0)

    return jax.lax.cond(draw.there < often, crowd, lambda _: jnp.zeros(shape), None)
