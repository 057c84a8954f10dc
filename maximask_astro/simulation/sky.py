"""Clean skies: stars, before anything goes wrong."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, uniforms
from maximask_astro.simulation.galaxies import draw_galaxies
from maximask_astro.simulation.psf import psf_peak
from maximask_astro.simulation.star_light import (
    MARGIN,
    N_BRIGHT,
    psf_shape,
    render_points,
)
from maximask_astro.simulation.vignetting import vignette

__all__ = ["N_BRIGHT", "Stars", "draw_galaxies", "draw_stars", "render_stars"]

# Stars in an area of so many pixels: from a few to a rich field. In this fraction of
# the exposures there are none, in this one they are crowded, up to one star in so many
# pixels (2MASS and Spitzer at the Galactic center: one in 20 to 40), but not more
# than so many in the area of the PSF.
_AREA, _STARS, _OFTEN_EMPTY = 400**2, (2.0, 1100.0), 0.03
_OFTEN_CROWDED, _CROWDED, _PIXELS_A_STAR = 0.13, 700.0, 25
_MOST_IN_PSF = 0.3

# N(> flux) goes as flux to minus this, uniform: 0.6 and flatter in the Galactic
# plane, 1.5 for a uniform distribution. The faintest has a peak of the noise;
# crowded fields are up to so many times as deep.
_SLOPE, _DEEPER = (0.6, 1.3), (0.7, 30.0)

# No star but one of these two has more than so many full wells; in this fraction of
# the exposures, each, these have between these, far beyond saturation.
_BRIGHTEST, _N_BEYOND, _OFTEN_BEYOND, _BEYOND = 300.0, 2, 0.2, (0.5, 300.0)

# One star in so many has a companion, within so many FWHM.
_BINARIES, _APART = 0.06, 3.0

# In this fraction of the exposures, and of the crowded ones, a cluster has this
# share, uniform, of the stars, and this core radius in pixels; projected, its density
# is that of Plummer (1911, MNRAS 71, 460).
_OFTEN_CLUSTER, _OFTEN_CLUSTER_CROWDED = 0.04, 0.3
_SHARE_OF_CLUSTER, _CORE = (0.3, 0.95), (12.0, 200.0)


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


def _draw_number(one, scene, shape):
    """How many stars there are, and whether they are crowded."""
    area = shape[0] * shape[1]
    number = log_between(one.number, *_STARS) * area / _AREA
    crowd = log_between(one.number, _CROWDED, _AREA / _PIXELS_A_STAR) * area / _AREA
    width = scene.fwhm + 2 * scene.defocus
    most = _MOST_IN_PSF * area / (width * (width + scene.trailing))
    crowded = one.kind < _OFTEN_CROWDED
    number = jnp.where(crowded, jnp.minimum(crowd, most), number)
    number = jnp.where(one.kind > 1 - _OFTEN_EMPTY, 0.0, number)
    return number.astype(int), crowded


def _draw_flux(key, one, number, crowded, scene, n_all):
    """Fluxes, the brightest first."""
    # Sorted uniform numbers: sums of exponential ones (Devroye 1986, Non-uniform
    # random variate generation, chapter V).
    sums = jnp.cumsum(jax.random.exponential(key, (n_all + 1,)))
    order = jnp.minimum(sums[:-1] / sums[jnp.minimum(number, n_all)], 1.0)
    slope = _SLOPE[0] + (_SLOPE[1] - _SLOPE[0]) * one.slope
    peak = psf_peak(scene)
    deeper = jnp.where(crowded, log_between(one.deeper, *_DEEPER), 1.0)
    flux = deeper * scene.sigma / peak * jnp.exp(-jnp.log(order) / slope)
    flux = jnp.minimum(flux, _BRIGHTEST * scene.full_well / peak)
    flux = jnp.where(jnp.arange(n_all) < number, flux, 0.0)
    draw = uniforms(jax.random.fold_in(key, 1), "there", "flux", shape=(_N_BEYOND,))
    beyond = scene.full_well / peak * log_between(draw.flux, *_BEYOND)
    beyond = jnp.where(draw.there < _OFTEN_BEYOND, beyond, 0.0)
    first = jnp.sort(jnp.maximum(flux[:_N_BEYOND], beyond))[::-1]
    return flux.at[:_N_BEYOND].set(first)


def _draw_places(key, one, crowded, scene, shape, n_all):
    """Positions: anywhere, in a cluster, or beside the next brighter star."""
    each = uniforms(
        key, "y", "x", "member", "distance", "direction", "double", shape=(n_all,)
    )
    size = jnp.array(shape, jnp.float32)[:, None] + 2 * MARGIN
    place = jnp.stack([each.y, each.x]) * size - MARGIN

    often = jnp.where(crowded, _OFTEN_CLUSTER_CROWDED, _OFTEN_CLUSTER)
    often = scene.unusual * often
    low, high = _SHARE_OF_CLUSTER
    share = jnp.where(one.cluster < often, low + (high - low) * one.share, 0.0)
    core = log_between(one.core, *_CORE)
    direction = 2 * jnp.pi * each.direction
    direction = jnp.stack([jnp.sin(direction), jnp.cos(direction)])
    away = core * jnp.sqrt(each.distance / (1.001 - each.distance)) * direction
    center = jnp.stack([one.center_y, one.center_x])[:, None] * (size - 2 * MARGIN)
    place = jnp.where(each.member < share, center + away, place)

    apart = _APART * scene.fwhm * each.distance * direction
    double = each.double < _BINARIES
    place = jnp.where(double, jnp.roll(place, 1, axis=1) + apart, place)
    # What is too far outside comes in again from the other side.
    return (place + MARGIN) % size - MARGIN


def draw_stars(key, scene, shape):
    """
    Draw the stars of an exposure: from none to a crowded field or a cluster.

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
        A number that is fixed for a shape, in order of brightness; the flux is 0
        beyond the number drawn.
    """
    keys = jax.random.split(key, 3)
    n_all = max(shape[0] * shape[1] // _PIXELS_A_STAR, 2 * N_BRIGHT)
    one = uniforms(
        keys[0], "kind", "number", "slope", "deeper", "cluster", "share", "core",
        "center_y", "center_x",
    )  # fmt: skip
    number, crowded = _draw_number(one, scene, shape)
    flux = _draw_flux(keys[1], one, number, crowded, scene, n_all)
    y, x = _draw_places(keys[2], one, crowded, scene, shape, n_all)

    return Stars(x, y, flux, *psf_shape(y, x, scene, shape))


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
    return vignette(render_points(stars, scene, shape), scene)
