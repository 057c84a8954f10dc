"""Galaxies, edge-on ones among them, and stars too many to be told apart."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, uniforms
from maximask_astro.simulation.extended import draw_crowd, draw_extended
from maximask_astro.simulation.scene import pixel_grid
from maximask_astro.simulation.stamps import add_stamps, in_groups, stamp_grid
from maximask_astro.simulation.vignetting import vignette

__all__ = ["draw_galaxies"]

# So many galaxies at most in an area of so many pixels, and in this fraction of the
# exposures any: from the shallow ones of small telescopes to those of deep fields.
_MOST, _AREA, _OFTEN = 40, 400**2, 0.55

# Half-light radii in pixels, smaller where galaxies are many: those of a deep field
# are far away. Sersic indices from disks to ellipticals; axis ratios, uniform, down
# to edge-on disks.
_RADIUS, _MANY = (1.0, 12.0), 10.0
_INDEX, _RATIO = (0.5, 4.0), (0.12, 1.0)

# Brightness at the center, in units of the sky noise: this times a power of this,
# whose exponent is this power of a uniform number. Two in three are below 10.
_FAINTEST, _RANGE, _MORE_FAINT = 0.5, 300.0, 1.35

# In this fraction of the exposures with galaxies one is so many times larger.
_OFTEN_LARGE, _LARGER = 0.3, 8.0

# Exposures of fields where stars blend.
_OFTEN_CROWD = 0.08

_STAMP, _GROUP = 61, 8


def _profile(dx, dy, scene, half_light, index, ratio, angle):
    """Sersic's profile, 1 at the center, which the seeing softens."""
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    along, across = cos * dx + sin * dy, cos * dy - sin * dx
    soft = (0.45 * scene.fwhm) ** 2 + 0.5 * scene.defocus**2
    # A telescope that did not follow draws them out; a uniform drift has a
    # standard deviation of its length by the root of 12.
    major = half_light**2 + soft + scene.trailing**2 / 6
    minor = (half_light * ratio) ** 2 + soft
    radius = jnp.sqrt(along**2 / major + across**2 / minor + 0.02)
    steep = 2 * index - 1 / 3
    return jnp.exp(-steep * (radius ** (1 / index) - 0.02 ** (0.5 / index)))


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
    keys = jax.random.split(key, 4)
    area = shape[0] * shape[1] / _AREA
    n = max(_GROUP, round(_MOST * area))
    one = uniforms(keys[0], "there", "number", "large")
    each = uniforms(
        keys[1], "y", "x", "radius", "index", "ratio", "angle", "brightness", shape=(n,)
    )
    number = log_between(one.number, 1.0, 1.0 + n)
    number = jnp.where(one.there < _OFTEN, jnp.floor(number), 0.0).astype(int)
    y, x = each.y * shape[0], each.x * shape[1]
    many = jnp.maximum(number / area / _MANY, 1.0)
    half_light = log_between(each.radius, *_RADIUS) / jnp.sqrt(many)
    large = (jnp.arange(n) == 0) & (one.large < _OFTEN_LARGE)
    half_light = jnp.where(large, half_light * _LARGER, half_light)
    trails = scene.trailing > half_light
    columns = (
        half_light,
        log_between(each.index, *_INDEX),
        _RATIO[0] + (_RATIO[1] - _RATIO[0]) * each.ratio,
        jnp.where(trails, scene.angle, jnp.pi * each.angle),
    )
    brightness = scene.sigma * _FAINTEST * _RANGE ** (each.brightness**_MORE_FAINT)

    def add_some(canvas, some, there):
        y, x, brightness, columns = some
        dx, dy, top, left = stamp_grid(_STAMP, x, y)
        columns = (values[:, None, None] for values in columns)
        values = _profile(dx, dy, scene, *columns)
        reach = _STAMP // 2 - 1.0
        fade = jnp.clip((reach - jnp.hypot(dx, dy)) / (0.4 * reach), 0.0, 1.0)
        values = values * fade * jnp.where(there, brightness, 0.0)[:, None, None]
        return add_stamps(canvas, values, top + _STAMP, left + _STAMP)

    def small(image):
        canvas = jnp.pad(image, _STAMP)
        sources = (y, x, jnp.where(large, 0.0, brightness), columns)
        canvas = in_groups(add_some, canvas, sources, 0, number, _GROUP)
        return canvas[_STAMP:-_STAMP, _STAMP:-_STAMP]

    def whole(image):
        y_grid, x_grid = pixel_grid(shape)
        first = (value[0] for value in columns)
        profile = _profile(x_grid - x[0], y_grid - y[0], scene, *first)
        return image + brightness[0] * profile

    def leave(image):
        return image

    # Where a telescope did not follow, stars that blend would be streaks.
    blurred = (scene.trailing > 0) | (scene.defocus > 0)
    often = jnp.where(blurred, 0.0, scene.unusual * _OFTEN_CROWD)
    image = draw_extended(keys[2], scene, shape)
    image = image + draw_crowd(keys[3], scene, shape, often)
    image = jax.lax.cond(number > 0, small, leave, image)
    image = jax.lax.cond((number > 0) & large[0], whole, leave, image)
    return vignette(image, scene)
