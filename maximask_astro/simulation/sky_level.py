"""The sky's level over the frame: gradients, glows, shadows and stray light."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, uniforms
from maximask_astro.simulation.extended import coarse_shape, enlarge
from maximask_astro.simulation.fields import polynomial_field, power_law_field
from maximask_astro.simulation.scene import pixel_grid
from maximask_astro.simulation.vignetting import vignette

__all__ = ["sky_structure"]

# Heights are in units of the sky noise and lengths in pixels. Ranges are of numbers
# whose logarithm is uniform, unless said otherwise.

# Gradients. Where they are more than this part of the sky they come on top of it.
_OFTEN_GRADIENT, _GRADIENT, _PART_OF_SKY = 0.5, (0.05, 15.0), 0.8

# Lumps that a flat field, or a subtraction of the background, has left: so high,
# within so many times that, of scales in coarse pixels, of four.
_OFTEN_LUMPS, _LUMPS, _HIGHEST_LUMP = 0.1, (0.05, 0.3), 3.0
_SCALE_OF_LUMPS = (2.0, 15.0)

# Shadows of dust are dark rings, reflections bright ones: how many frames have none,
# one, two or three, how many are bright, and their radii and depths.
_RINGS, _OFTEN_BRIGHT = (0.62, 0.2, 0.12, 0.06), 0.35
_RADIUS, _DEPTH = (8.0, 120.0), (0.1, 4.0)

# Edges glow, or lose light, within these distances.
_OFTEN_EDGE, _DARK_EDGES, _EDGE, _WITHIN = 0.12, 0.4, (0.5, 35.0), (2.0, 100.0)

# Amplifiers in corners, or anywhere along the edges, glow.
_OFTEN_GLOW, _GLOW, _SIZE_OF_GLOW, _IN_CORNER = 0.05, (1.0, 100.0), (15.0, 250.0), 0.6

# Moonlight and bright stars beside the field make arcs: radius, width, height, and
# within what part of the frame, uniform, they fade to the ends.
_OFTEN_ARC, _ARC, _WIDTH_OF_ARC = 0.04, (150.0, 3000.0), (20.0, 200.0)
_HEIGHT_OF_ARC, _FADING = (0.3, 8.0), (0.15, 1.2)


def _sometimes(happens, function, sky):
    """Change the sky of some exposures."""
    return jax.lax.cond(happens, function, lambda sky: sky, sky)


def _uneven(key, scene, shape):
    """The sky with gradients and lumps."""
    keys = jax.random.split(key, 3)
    draw = uniforms(keys[0], "sloped", "gradient", "lumpy", "lumps", "scale")
    coarse = coarse_shape(shape)
    gradient = scene.sigma * log_between(draw.gradient, *_GRADIENT)
    gradient = jnp.where(draw.sloped < _OFTEN_GRADIENT, gradient, 0.0)
    lumps = scene.sigma * log_between(draw.lumps, *_LUMPS)
    lumpy = draw.lumpy < _OFTEN_LUMPS
    scale = log_between(draw.scale, *_SCALE_OF_LUMPS)

    def add_lumps(field):
        lumps_here = power_law_field(keys[2], coarse, 0.5, scale)
        return field + lumps * jnp.clip(lumps_here, -_HIGHEST_LUMP, _HIGHEST_LUMP)

    def uneven():
        field = polynomial_field(keys[1], coarse, 3)
        on_top = gradient >= _PART_OF_SKY * scene.sky
        field = gradient * jnp.where(on_top, (field + 1) / 2, field)
        return scene.sky + enlarge(_sometimes(lumpy, add_lumps, field), shape)

    return jax.lax.cond(
        (gradient > 0) | lumpy, uneven, lambda: jnp.full(shape, scene.sky)
    )


def _add_rings(key, sky, scene):
    """Shadows of dust, and reflections of bright stars."""
    keys = jax.random.split(key)
    shape, most = sky.shape, len(_RINGS) - 1
    y, x = pixel_grid(shape)
    draw = uniforms(keys[0], "y", "x", "radius", "depth", "bright", shape=(most,))
    radius = log_between(draw.radius, *_RADIUS)
    depth = scene.sigma * log_between(draw.depth, *_DEPTH)
    depth = jnp.where(draw.bright < _OFTEN_BRIGHT, -depth, depth)
    number = jax.random.categorical(keys[1], jnp.log(jnp.array(_RINGS)))

    def add_one(i, sky):
        dy, dx = y - draw.y[i] * shape[0], x - draw.x[i] * shape[1]
        distance = jnp.hypot(dy, dx) / radius[i]
        outside = jax.nn.sigmoid((distance - 0.35) * 12)
        return sky - depth[i] * jax.nn.sigmoid((1 - distance) * 12) * outside

    return jax.lax.fori_loop(0, number, add_one, sky)


def _add_edges(key, sky, scene):
    """Edges of the detector that glow, or lose light."""
    draw = uniforms(key, "there", "height", "dark", "within", "first", "second")
    shape = sky.shape
    height = scene.sigma * log_between(draw.height, *_EDGE)
    height = jnp.where(draw.dark < _DARK_EDGES, -height, height)
    scale = log_between(draw.within, *_WITHIN)

    def add(sky):
        y, x = pixel_grid(shape)
        sides = jnp.stack([x, shape[1] - 1 - x, y, shape[0] - 1 - y])
        first, second = (
            jnp.floor(4 * u).astype(int) for u in (draw.first, draw.second)
        )
        edge = jnp.minimum(sides[first], sides[second])
        return sky + height * jnp.exp(-edge / scale)

    return _sometimes(draw.there < _OFTEN_EDGE, add, sky)


def _add_glow(key, sky, scene):
    """The glow of an amplifier."""
    draw = uniforms(key, "there", "height", "size", "corner", "along", "side", "end")
    shape = sky.shape
    height = scene.sigma * log_between(draw.height, *_GLOW)
    size = log_between(draw.size, *_SIZE_OF_GLOW)
    end = jnp.round(draw.end)
    along = jnp.where(draw.corner < _IN_CORNER, jnp.round(draw.along), draw.along)
    place = jnp.where(draw.side < 0.5, jnp.stack([end, along]), jnp.stack([along, end]))

    def add(sky):
        y, x = pixel_grid(shape)
        dy, dx = y - place[0] * shape[0], x - place[1] * shape[1]
        return sky + height / (1 + (dy**2 + dx**2) / size**2) ** 1.5

    return _sometimes(draw.there < scene.unusual * _OFTEN_GLOW, add, sky)


def _add_arc(key, sky, scene):
    """Stray light in a broad arc, that fades to both ends."""
    draw = uniforms(
        key, "there", "height", "radius", "width", "y", "x", "direction", "fading"
    )
    shape = sky.shape
    height = scene.sigma * log_between(draw.height, *_HEIGHT_OF_ARC)
    radius = log_between(draw.radius, *_ARC)
    width = jnp.minimum(log_between(draw.width, *_WIDTH_OF_ARC), 0.4 * radius)
    direction = 2 * jnp.pi * draw.direction
    low, high = _FADING
    length = (low + (high - low) * draw.fading) * min(shape)

    def add(sky):
        y, x = pixel_grid(shape)
        # About a center from where the arc's brightest part lies in the frame.
        cos, sin = jnp.cos(direction), jnp.sin(direction)
        dy = y - draw.y * shape[0] + radius * sin
        dx = x - draw.x * shape[1] + radius * cos
        distance = jnp.hypot(dy, dx)
        across = (distance - radius) / width
        along = (cos * dy - sin * dx) / length
        front = jax.nn.sigmoid((cos * dx + sin * dy) / width)
        return sky + height * front * jnp.exp(-0.5 * (across**2 + along**2))

    return _sometimes(draw.there < scene.unusual * _OFTEN_ARC, add, sky)


def sky_structure(key, scene, shape):
    """
    The sky's level over the frame, as the camera sees it.

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
    sky : array
        Electrons, never negative, with gradients, vignetting, lumps, shadows of
        dust, reflections, stray light, and glowing edges and amplifiers, without
        noise.
    """
    keys = jax.random.split(key, 5)
    sky = _uneven(keys[0], scene, shape)
    sky = _add_rings(keys[1], sky, scene)
    sky = _add_arc(keys[2], sky, scene)
    sky = vignette(sky, scene)
    # What comes from the detector, no stop keeps off.
    sky = _add_edges(keys[3], sky, scene)
    sky = _add_glow(keys[4], sky, scene)
    return jnp.maximum(sky, 0.0)
