"""Shapes of nebulae: what gas and dust look like, before they are made bright."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, uniforms
from maximask_astro.simulation.fields import (
    larger_period,
    periodic_field,
    polynomial_field,
    sample_periodic,
)

__all__ = ["KINDS", "draw_cloud"]

# Kinds of nebulae, and how often each is drawn.
KINDS = ("cirrus", "front", "shell", "reflection", "dark")
_WEIGHTS = (0.28, 0.24, 0.2, 0.14, 0.14)

# Power of the column of gas goes as the wave number to minus this (2.6 to 3 for
# cirrus, Miville-Deschenes et al. 2016, A&A 593, A4; steeper for denser gas).
_SLOPES = (2.5, 3.8)
# Edges and dark clouds are smoother than what they enclose.
_SMOOTH = 3.5
# How far structures are drawn out, and how far they are moved to bend them, in sizes
# of the frame, by a smooth flow and by one that follows the edges.
_STRETCH, _WARP, _WRINKLE = (1.0, 3.0), 0.12, 0.02
# Spread of the logarithm of the density.
_CONTRASTS = (0.3, 1.3)

# Filaments are where a second field crosses zero: how narrow, and how bright
# beside the rest.
_FILAMENT_WIDTHS, _FILAMENTS, _FILAMENTED = (0.04, 0.3), (0.3, 3.0), 0.5

# Ionization fronts: how sharp the edge is and how deep the bright rim behind it, in
# standard deviations of the field whose level the front follows; how bright the rim
# is, and the glow behind it.
_EDGES, _RIMS, _RIM_LIGHT, _GLOWS = (0.01, 0.08), (0.08, 0.8), (0.5, 4.0), (0.5, 2.0)
_FRONT_LEVELS = (-1.2, 0.8)

# Shells: radii in pixels, thickness of the wall in radii (planetary nebulae and old
# supernova remnants), how uneven the radius and how elongated the shape is, and how
# bright what fills the shell is.
_RADII, _WALLS, _UNEVEN = (12.0, 900.0), (0.03, 0.5), (0.01, 0.25)
_ELONGATION, _FILLING = (1.0, 1.8), (0.0, 0.5)
# How far outside of the frame a center may be, in radii.
_BEYOND = 0.5
# Second, fainter and larger shells; two lobes.
_SECOND, _BIPOLAR = 0.3, 0.25

# Reflection nebulae: radius of the core of a star's light in pixels, and how steeply
# the light falls, the exponent of the distance.
_CORES, _FALLS, _N_ILLUMINATING = (4.0, 80.0), (1.0, 2.2), 3

# Dark clouds: their optical depth, how often there are some in front of the other
# kinds, and how wide lanes are.
_DEPTHS, _LANES, _LANE_WIDTHS = (0.7, 4.0), 0.4, (0.1, 0.5)
_DARK_LEVELS = (-0.6, 1.0)

# A nebula has so many pixels at least, times its highest brightness.
_LEAST_AREA = 60.0

# The part of the frame that a nebula is seen in: all of it, one side, or a patch
# whose radius in pixels is in a range.
_ALL, _SIDE, _PATCHES = 0.4, 0.25, (10.0, 250.0)


def _between(number, limits):
    """Uniform within limits."""
    return limits[0] + (limits[1] - limits[0]) * number


def _cirrus(draw, fields):
    """Diffuse gas, filaments in it."""
    return jnp.exp(_between(draw.contrast, _CONTRASTS) * fields[0])


def _front(draw, fields):
    """Ionized gas behind a front with a bright rim."""
    depth = fields[1] - _between(draw.level, _FRONT_LEVELS)
    edge = log_between(draw.edge, *_EDGES)
    behind = jax.nn.sigmoid(depth / edge)
    fall = jnp.exp(-jnp.maximum(depth, 0.0) / log_between(draw.rim, *_RIMS))
    # A front shines where the star stands before it, not all along.
    lit = jnp.clip(0.5 + 0.7 * fields[2], 0.0, 1.5)
    rim = log_between(draw.rim_light, *_RIM_LIGHT) * fall * lit
    glow = log_between(draw.glow, *_GLOWS)
    texture = jnp.exp(0.6 * _between(draw.contrast, _CONTRASTS) * fields[0])
    return behind * (rim + glow * texture) + 0.06 * draw.second * texture


def _shell(draw, fields, along, across):
    """A bubble: the edge of a shell is brighter, as we look along its wall."""
    radius = log_between(draw.radius, *_RADII)
    stretch = log_between(draw.elongation, *_ELONGATION)
    uneven = log_between(draw.uneven, *_UNEVEN)
    distance = jnp.hypot(along / stretch, across) / radius
    cosine = along / (jnp.hypot(along, across) + 1e-3)
    lobes = jnp.where(draw.bipolar < _BIPOLAR, 0.35 + 0.65 * cosine**2, 1.0)
    distance = distance / jnp.maximum(lobes * (1 + uneven * fields[1]), 0.2)
    wall = log_between(draw.wall, *_WALLS)
    inner = 1 - wall

    def path(limit):
        return jnp.sqrt(jnp.maximum(limit**2 - distance**2, 0.0))

    # One edge of a remnant is often brighter than the other.
    side = 1 + 0.8 * (2 * draw.side - 1) * along / (radius * stretch)
    texture = jnp.exp(_between(draw.contrast, _CONTRASTS) * fields[0])
    light = (path(1.0) - path(inner)) / jnp.sqrt(wall)
    light = light * texture * jnp.clip(side, 0.1, 2.0)
    light = light + _between(draw.filling, _FILLING) * path(1.0)
    halo = jnp.exp(-(((distance - 1.6 - draw.rim) / 0.35) ** 2))
    return light + jnp.where(draw.second < _SECOND, 0.15 * halo * texture, 0.0)


def _reflection(draw, fields, stars):
    """Dust that a few stars light up, in streaks."""
    fall = _between(draw.fall, _FALLS)
    light = 0.0
    for y, x, core, flux in zip(*stars, strict=True):
        light = light + flux / (1 + (y**2 + x**2) / core**2) ** (fall / 2)
    # Dust does not reach everywhere.
    part = jax.nn.sigmoid(3 * fields[1] + 1)
    return light * part * jnp.exp(_between(draw.contrast, _CONTRASTS) * fields[0])


def _dark(draw, fields):
    """A bright background, dark clouds in front of it."""
    return jnp.exp(0.3 * _between(draw.contrast, _CONTRASTS) * fields[1])


def _absorption(draw, fields):
    """What dark clouds with sharp edges and lanes let through."""
    depth = log_between(draw.depth, *_DEPTHS)
    cloud = fields[2] - _between(draw.dark_level, _DARK_LEVELS)
    edge = 3 * log_between(draw.dark_edge, *_EDGES)
    lane = jnp.exp(-((fields[2] / log_between(draw.lane, *_LANE_WIDTHS)) ** 2))
    column = jnp.where(draw.lanes < 0.5, jax.nn.softplus(cloud / edge) * edge, lane)
    return jnp.exp(-depth * column)


def _draw_fields(key, draw, grid, smallest):
    """Gas, a smoother field for edges, and one for filaments and dark clouds."""
    keys = jax.random.split(key, 5)
    slope = _between(draw.slope, _SLOPES)
    smooth_slope = jnp.maximum(slope, _SMOOTH)
    stretch = log_between(draw.stretch, *_STRETCH)
    # Larger than the frame, so that opposite sides differ and what is moved is
    # seldom seen twice. Three fields at once are compiled faster than one by one.
    period = larger_period(grid.shape, 1.3)
    gas, edges, clouds = jax.vmap(periodic_field, (0, None, 0, 0, 0, None))(
        keys[:3], period,
        jnp.stack([slope, smooth_slope, smooth_slope]),
        smallest * jnp.array([1.0, 1.0, 2.0]),
        jnp.stack([stretch, 1.0, stretch]), jnp.pi * draw.angle,
    )  # fmt: skip
    edges = edges[: grid.shape[0], : grid.shape[1]]
    edges = (edges - edges.mean()) / (edges.std() + 1e-12)
    # Drawn out in other directions elsewhere, as by flows and fields.
    warp = _WARP * jnp.array(grid.shape, float)[:, None, None]
    bend = jax.vmap(lambda key: polynomial_field(key, grid.shape, 3))
    warp = warp * bend(keys[3:])
    # Flows that follow the edges.
    warp = warp + _WRINKLE * min(grid.shape) * edges
    y, x = (jnp.arange(size, dtype=float) for size in grid.shape)
    gas, clouds = sample_periodic((gas, clouds), y[:, None] + warp[0], x + warp[1])
    return gas, edges, clouds


def draw_cloud(key, grid, image, smallest, plain=False):
    """
    Draw the light of a nebula.

    Parameters
    ----------
    key : array
        PRNG key.

    grid : `~maximask_astro.simulation.fields.Grid`
        The cells to draw it in.

    image : array
        Electrons, of the frame's shape, without noise: the brightest star there
        may light a reflection nebula.

    smallest : float or array
        The smallest structures, in cells.

    plain : bool or array, optional
        Draw a diffuse cloud without dark ones.

    Returns
    -------
    light : array
        Of the grid's shape, at least 0, on no particular scale; many nebulae
        have no dark place at all.
    """
    keys = jax.random.split(key, 7)
    draw = uniforms(
        keys[0], "kind", "slope", "stretch", "angle", "contrast", "filaments",
        "filament_width", "filamented", "level", "edge", "rim", "rim_light", "glow",
        "radius", "elongation", "uneven", "bipolar", "wall", "side", "filling",
        "second", "fall", "depth", "dark_level", "dark_edge", "lane", "lanes", "dark",
        "place_y", "place_x", "tilt", "part", "patch", "patch_y", "patch_x", "ratio",
        "brightest",
    )  # fmt: skip
    fields = _draw_fields(keys[1], draw, grid, smallest)

    y, x = grid.coordinates()
    height, width = grid.frame
    # The centers of large ones may lie outside of the frame.
    beyond = _BEYOND * log_between(draw.radius, *_RADII)
    y0 = draw.place_y * (height + 2 * beyond) - beyond
    x0 = draw.place_x * (width + 2 * beyond) - beyond
    dy, dx = y - y0, x - x0
    cos, sin = jnp.cos(jnp.pi * draw.tilt), jnp.sin(jnp.pi * draw.tilt)
    along, across = cos * dx + sin * dy, cos * dy - sin * dx

    bright = jnp.argmax(image)
    stars = uniforms(keys[4], "y", "x", "core", "flux", shape=(_N_ILLUMINATING,))
    star_y, star_x = stars.y * height, stars.x * width
    known = draw.brightest < 0.5
    star_y = star_y.at[0].set(jnp.where(known, bright // width, star_y[0]))
    star_x = star_x.at[0].set(jnp.where(known, bright % width, star_x[0]))
    flux = (stars.flux**2).at[0].set(1.0)
    sources = (
        [y - value for value in star_y], [x - value for value in star_x],
        list(log_between(stars.core, *_CORES)), list(flux),
    )  # fmt: skip

    borders = jnp.cumsum(jnp.array(_WEIGHTS))
    kind = jnp.searchsorted(borders / borders[-1], draw.kind, side="right")
    kind = jnp.where(plain, 0, jnp.minimum(kind, len(KINDS) - 1))
    light = jax.lax.switch(
        kind,
        (
            lambda: _cirrus(draw, fields),
            lambda: _front(draw, fields),
            lambda: _shell(draw, fields, along, across),
            lambda: _reflection(draw, fields, sources),
            lambda: _dark(draw, fields),
        ),
    )
    crest = jnp.abs(fields[2]) / log_between(draw.filament_width, *_FILAMENT_WIDTHS)
    filaments = log_between(draw.filaments, *_FILAMENTS) * jnp.exp(-crest)
    thread = 1 + filaments * jax.nn.sigmoid(2 * fields[1])
    light = light * jnp.where(draw.filamented < _FILAMENTED, thread, 1.0)
    is_dark = kind == KINDS.index("dark")
    lanes = ~jnp.asarray(plain) & (is_dark | (draw.dark < _LANES))
    light = light * jnp.where(lanes, _absorption(draw, fields), 1.0)

    # The part of it that is seen.
    side = jax.nn.sigmoid(4 * polynomial_field(keys[5], grid.shape, 2))
    radius = log_between(draw.patch, *_PATCHES)
    ratio = 0.4 + 0.6 * draw.ratio
    py = y - draw.patch_y * height
    px = x - draw.patch_x * width
    major, minor = cos * px + sin * py, cos * py - sin * px
    distance = jnp.hypot(major, minor / ratio) / radius
    # Ragged, like the cloud.
    patch = jax.nn.sigmoid(4 * (1 - distance) + fields[1])
    # Shells and reflection have an extent of their own.
    own = (kind == KINDS.index("shell")) | (kind == KINDS.index("reflection"))
    part = jnp.where(draw.part < _ALL + _SIDE, side, patch)
    light = light * jnp.where(own | (draw.part < _ALL), 1.0, part)
    light = jnp.maximum(light, 0.0)
    # Where nothing is left within the frame, a cloud takes its place.
    few = light.sum() < _LEAST_AREA * light.max() / grid.factor**2 + 1e-6
    return jnp.where(few, _cirrus(draw, fields) * patch, light)
