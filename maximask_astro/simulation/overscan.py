"""Overscan: pixels that are read out but have seen no light."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.dead_values import dead_values_of_paper
from maximask_astro.simulation.draws import log_between, normal, uniforms
from maximask_astro.simulation.tiles import tiled_normal

__all__ = ["add_overscan"]

# How often there is a strip on the left, right, bottom and top; one of them there
# is anyway. Where columns and rows have strips, they reach the corners.
_PRESENT = (0.4, 0.5, 0.25, 0.25)
# Widths: in so many exposures from 4 to 20 pixels, in the others a part of the
# frame's shorter side, but 4 pixels at least.
_THIN, _THIN_WIDTHS, _PARTS, _NARROWEST = 0.4, (4.0, 20.0), (0.04, 0.3), 4.0
# How often strips lie between amplifiers, how often there are four amplifiers next
# to one another rather than two, how often strips cross those between rows of
# amplifiers, and how often there are strips at the sides as well. Two amplifiers
# mostly meet in the middle.
_BETWEEN, _FOUR, _CROSSED, _SIDES_TOO = 0.2, 0.25, 0.3, 0.4
_MIDDLE, _PLACES = 0.6, (0.1, 0.9)

# What they read: the bias, in some exposures a part of the sky (another level was
# subtracted), in a few more than the sky (a sky was subtracted that was not there).
_PART_OF_SKY, _MOST_OF_SKY = 0.12, 0.7
_BRIGHTER, _ABOVE_SKY = 0.05, (2.0, 30.0)
# Virtual overscan, of calibrated exposures for instance, has no noise.
_VIRTUAL = 0.07
# The least that strips differ from the sky by, in units of its noise: the wider,
# the less; those between amplifiers by the largest of these.
_LEAST, _AT_WIDTH = (0.6, 1.5), 10.0

# Drift from row to row, in units of the read noise.
_DRIFT = 0.3
# Structure of the bias in raw frames: how often, how strong in units of the read
# noise, how much of the difference to the sky at most, and over which part of the
# frame the first rows settle.
_STRUCTURED, _STRUCTURES, _MOST_STRUCTURE = 0.4, (0.3, 10.0), 0.3
_SETTLING = (0.01, 0.3)
# Charge that was left behind and falls off from the edge of the image: how often,
# how much in units of the read noise (and of the sky at most), over which pixels.
_LEFT, _LEFT_CHARGE, _MOST_LEFT, _LEFT_SCALES = 0.3, (0.3, 6.0), 0.4, (0.7, 5.0)

# The edge of the detector beside a strip: how often it differs, how often it glows
# rather than losing light, how much in units of the noise, over how many pixels.
# Pixels that are fuller than this do not glow.
_EDGED, _GLOWS, _GLOWS_BY, _EDGE_SCALES = 0.35, 0.6, (1.0, 40.0), (2.0, 40.0)
_FULL = 0.9


def _edge(draw, image, depth, noise, scene):
    """Let a detector's edge glow, or lose light, beside the overscan."""
    share = jnp.exp(jnp.minimum(depth, 0.0) / log_between(draw.far, *_EDGE_SCALES))
    glow = scene.sigma * log_between(draw.glow, *_GLOWS_BY) * share
    glow = glow + jnp.sqrt(glow) * noise
    lit = jnp.where(draw.glows < _GLOWS, image + glow, image * (1 - draw.loss * share))
    # What is saturated reads no more for it.
    return jnp.where(image < _FULL * scene.full_well, lit, image)


def _depth(sizes, place, n_between, narrow, length):
    """How deep each column (or row) is in a strip; outside minus the distance."""
    position = jnp.arange(length)
    sides = jnp.stack([position, length - 1 - position])
    inside = sizes[:, None] - sides
    # Up to three strips between amplifiers.
    places = length * jnp.where(n_between == 3, jnp.arange(1, 4) / 4, place)
    from_middle = jnp.abs(position - places[:, None])
    between = jnp.where(n_between > 0, narrow / 2 - from_middle, -jnp.inf)
    return jnp.concatenate([inside, between]).max(0)


def _bias(key, draw, shape, most, scene):
    """Structure of the bias: differences between rows, and between columns."""
    height, width = shape
    lines = jax.random.normal(key, (2, max(shape)))
    drift = _DRIFT * scene.read_noise * lines[0, :height]
    y, x = jnp.linspace(0.0, 1.0, height), jnp.linspace(0.0, 1.0, width)
    strength = scene.read_noise * log_between(draw.structure, *_STRUCTURES)
    strength = jnp.where(draw.structured < _STRUCTURED, strength, 0.0)
    strength = jnp.minimum(strength, _MOST_STRUCTURE * most)
    settling = jnp.exp(-y / log_between(draw.settling, *_SETTLING))
    rows = (2 * draw.ramp - 1) * (y - 0.5) + draw.start * settling
    # Amplifiers differ, and in some detectors so do columns.
    columns = (draw.step - 0.5) * (x > 0.5) + draw.columns**4 * 0.3 * lines[1, :width]
    rows = drift + strength * rows
    return rows[:, None], strength * jnp.clip(columns, -0.7, 0.7)


def add_overscan(key, image, scene):
    """
    Replace strips by overscan (Paillassa et al. 2020, section 2.1.11).

    Strips lie along the sides, or between amplifiers. Where they could not be
    told from the sky, as it is fainter than the noise, there are none. Some
    detectors glow or lose light at the edge beside them. As in the paper, they
    read what dead pixels do; else the bias with its structure, in some exposures
    a part of the sky or more than the sky.

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons above the bias, shape (height, width), with noise.

    scene : `Scene`
        The exposure.

    Returns
    -------
    image, mask : array
        With strips of bias level and read noise, and where they are.
    """
    keys = jax.random.split(key, 6)
    as_paper = scene.as_paper
    draw = uniforms(
        keys[0],
        *("first", "thin", "between", "four", "crossed", "sides", "middle", "place"),
        *("narrow", "level", "share", "virtual", "structured", "structure"),
        *("settling", "ramp", "start", "step", "columns"),
        *("left", "left_charge", "left_scale"),
        *("edged", "far", "glow", "glows", "loss"),
    )
    side = uniforms(keys[1], "present", "width", shape=(4,))
    height, width = image.shape
    shorter = min(height, width)

    low, high = _PARTS
    narrowest = max(_NARROWEST, low * shorter)
    wide = log_between(side.width, narrowest, max(high * shorter, narrowest))
    thin = log_between(side.width, *_THIN_WIDTHS)
    thin = jnp.minimum(thin, high * shorter)
    sizes = jnp.where(draw.thin < _THIN, thin, wide)
    of_paper = log_between(side.width, _NARROWEST, high * shorter)
    sizes = jnp.where(as_paper, of_paper, sizes)

    level, scatter = dead_values_of_paper(keys[2], scene)
    above = scene.sky + scene.sigma * log_between(draw.share, *_ABOVE_SKY)
    part = draw.level < _PART_OF_SKY
    typical = jnp.where(part, _MOST_OF_SKY * draw.share * scene.sky, 0.0)
    brighter = ~part & (draw.level < _PART_OF_SKY + _BRIGHTER)
    typical = jnp.where(brighter, above, typical)
    typical = jnp.where(as_paper, level, typical)
    differs = jnp.abs(scene.sky - typical)

    # The wider, the less a strip must differ to be recognized.
    present = side.present < jnp.array(_PRESENT)
    present = present | (jnp.arange(4) == (4 * draw.first).astype(int))
    present = present & (differs > scene.sigma * jnp.clip(_AT_WIDTH / sizes, *_LEAST))
    split = (draw.between < _BETWEEN) & (differs > _LEAST[1] * scene.sigma) & ~as_paper
    present = present & (~split | (draw.sides < _SIDES_TOO))
    sizes = jnp.where(present, sizes, -jnp.inf)
    number = jnp.where(split, jnp.where(draw.four < _FOUR, 3, 1), 0)
    low, high = _PLACES
    place = jnp.where(draw.middle < _MIDDLE, 0.5, low + (high - low) * draw.place)
    narrow = log_between(draw.narrow, *_THIN_WIDTHS)
    narrow = jnp.minimum(narrow, 0.15 * shorter)
    crossing = jnp.where(split & (draw.crossed < _CROSSED), 1, 0)
    depth_x = _depth(sizes[:2], place, number, narrow, width)
    depth_y = _depth(sizes[2:], 0.5, crossing, narrow, height)
    depth = jnp.maximum(depth_x, depth_y[:, None])
    mask = depth > 0

    noise = normal(keys[3], image.shape)
    rows, columns = _bias(keys[4], draw, image.shape, differs, scene)
    left = scene.read_noise * log_between(draw.left_charge, *_LEFT_CHARGE)
    left = jnp.minimum(left, _MOST_LEFT * scene.sky)
    left = jnp.where((draw.left < _LEFT) & ~split, left, 0.0)
    fall = jnp.exp(
        -jnp.maximum(depth, 0.0) / log_between(draw.left_scale, *_LEFT_SCALES)
    )
    charge = scene.read_noise * noise + rows + columns + left * fall
    charge = jnp.where(draw.virtual < _VIRTUAL, 0.0, charge)
    charge = jnp.where(as_paper, scatter * noise, charge)

    edged = (draw.edged < _EDGED) & ~as_paper & ~split & mask.any()
    lit = jax.lax.cond(
        edged,
        lambda image: _edge(
            draw, image, depth, tiled_normal(keys[5], image.shape), scene
        ),
        lambda image: image,
        image,
    )
    return jnp.where(mask, typical + charge, lit), mask
