"""Persistence: what a bright source of an earlier exposure leaves behind."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, uniforms
from maximask_astro.simulation.scene import noise_after_smoothing, pixel_grid
from maximask_astro.simulation.significance import FAINTEST

__all__ = ["add_persistence"]

# Earlier saturated stars in a million pixels at most, and in small frames at most;
# in a few exposures, of a crowded field, so many that are small.
_ORDINARY, _FEWEST, _CROWDED = 46.0, 8, 400.0
_CROWDED_OFTEN, _CROWDED_RADIUS = 0.15, 6.0

# Radii of the disks in pixels; how much longer their axes along rows are than those
# along columns; how steeply the earlier star fell off.
_RADII, _RATIOS, _SLOPES = (1.5, 40.0), (0.75, 1.33), (2.5, 6.0)

# How far the pixels were filled above the level at which they begin to keep charge
# (the earlier star is cut off there), and the width of that step over its place: wide
# ones make soft edges.
_FULL, _STEPS = (1.5, 12.0), (0.05, 0.25)

# So often the earlier stars bled, along columns or rows, by so many radii and at most
# pixels to each side.
_BLEEDS, _BLED, _FARTHEST = 0.35, (2.0, 12.0), 100.0

# So often the telescope moved while the stars still shone, by so many pixels.
_MOVED_OFTEN, _MOVED = 0.15, (4.0, 100.0)

# So often an earlier exposure of the same field, dithered by so many pixels, or of one
# like it, leaves its image: where it was brighter than a level, drawn from that of its
# brightest pixel down to this factor below it, while at most this much of the frame is.
_GHOSTS, _DITHERS, _LEVELS, _MOST_OF_FRAME = 0.25, (5.0, 120.0), (2e-3, 0.7), 0.08
_LEAST_LEVEL = 30.0  # in units of the sky noise; fainter images leave none

# So often an earlier exposure was of spectra without a slit: this many streaks in a
# million pixels at most, so wide (the radius of a disk) and long, in pixels.
_SPECTRA_OFTEN, _SPECTRA, _SPECTRUM_WIDTHS = 0.08, 20.0, (1.0, 5.0)
_SPECTRUM_LENGTHS = (60.0, 500.0)

# Strengths in units of the sky noise: the range for training, and the paper's; how much
# fainter than the strongest those of an exposure are.
_STRENGTHS, _STRENGTH_OF_PAPER, _FADES = (0.3, 30.0), 5.0, (0.4, 1.0)

# How far above the least signal-to-noise ratio that of all of the light of the faintest
# disks is.
_FAINT = (1.0, 2.0)

# Pixels are labeled from half of the disk's peak on, or from the local noise on if that
# is less; not where so much more noise than the sky's hides it.
_HALF, _HIDDEN = 0.5, 5.0

# Exponent of the Fermi model of Long et al. (2015), as in table 2 of Paillassa et al.
# (2020), and its step as drawn for the paper's disks.
_ALPHA, _STEP_OF_PAPER = 0.178, 1e-3

# Sides of the parts of the frame on which disks are drawn: small ones and others.
_STAMPS = (48, 288)

# Side of the squares within which an image that was left is judged.
_AROUND = 15


class _Disks(NamedTuple):
    """Earlier stars, each of shape (n,)."""

    y: jax.Array
    x: jax.Array
    radius: jax.Array
    ratio: jax.Array
    bled: jax.Array  # pixels, 0 for those that have not
    strength: jax.Array  # units of the sky noise; 0 for none
    limit: jax.Array  # from which on pixels are labeled, in these units


class _Model(NamedTuple):
    """How charge is kept and released, and what moved: scalars."""

    slope: jax.Array
    step: jax.Array
    full: jax.Array
    moved: jax.Array
    direction: jax.Array
    along_rows: jax.Array
    as_paper: jax.Array


def _between(number, limits):
    """Turn uniform numbers into such between two limits."""
    return limits[0] + (limits[1] - limits[0]) * number


def _release(filled, model):
    """Light of pixels filled by exp(filled) levels: 1 well above one, 0 far below."""
    below = jax.nn.sigmoid(-1 / model.step)
    step = jax.nn.sigmoid((jnp.exp(jnp.minimum(filled, 3.0)) - 1) / model.step)
    step = (step - below) / (1 - below)
    return step * jnp.exp(_ALPHA * jnp.clip(filled, 0.0, jnp.log(model.full)))


def _noise_at(image, scene, y, x):
    """Local noise in units of the sky's."""
    row, column = (
        jnp.clip(jnp.round(place), 0, size - 1).astype(int)
        for place, size in zip((y, x), image.shape, strict=True)
    )
    light = jnp.maximum(image[row, column], 0.0)
    return jnp.sqrt(1 + light / scene.sigma**2)


def _strengths(overall, fade, faint, area, noise, scene):
    """Strengths so that all of them stand out by their integrated light."""
    least = FAINTEST * log_between(faint, *_FAINT) * noise / jnp.sqrt(area)
    # What resampling has smoothed is noisier over many pixels.
    least = least / noise_after_smoothing(scene.smoothing)
    strength = _between(fade, _FADES) * log_between(overall, *_STRENGTHS)
    strength = jnp.maximum(strength, least)
    strength = jnp.where(scene.as_paper, _STRENGTH_OF_PAPER, strength)
    return strength, jnp.minimum(_HALF * strength, noise)


def _draw_disks(key, exposure, image, scene, model, bleeds):
    """Draw the disks, those that need more room first."""
    megapixels = image.size / 1e6
    few = max(_FEWEST, round(_ORDINARY * megapixels))
    n = max(few, round(_CROWDED * megapixels))
    draw = uniforms(
        key, "y", "x", "radius", "ratio", "bled", "fade", "faint", shape=(n,)
    )
    crowded = (exposure.crowded < _CROWDED_OFTEN) & ~scene.as_paper
    most = jnp.where(scene.as_paper, _FEWEST, jnp.where(crowded, n, few))
    number = log_between(exposure.number, jnp.where(crowded, few, 1.0), most + 1.0)
    # As pixels: a frame begins half a pixel before the middle of its first one.
    y, x = (
        place * size - 0.5 for place, size in zip(draw[:2], image.shape, strict=True)
    )
    largest = jnp.where(crowded, _CROWDED_RADIUS, _RADII[1])
    radius = log_between(draw.radius, _RADII[0], largest)
    bled = jnp.minimum(log_between(draw.bled, *_BLED) * radius, _FARTHEST)
    noise = _noise_at(image, scene, y, x)
    area = jnp.pi * radius**2 + 2 * radius * model.moved
    strength, limit = _strengths(
        exposure.strength, draw.fade, draw.faint, area, noise, scene
    )
    disks = _Disks(
        y=y,
        x=x,
        radius=radius,
        ratio=jnp.sqrt(log_between(draw.ratio, *_RATIOS)),
        bled=jnp.where(bleeds, bled, 0.0),
        strength=jnp.where(jnp.arange(n) < number, strength, 0.0),
        limit=limit,
    )
    room = 3 * radius + 0.5 * model.moved + disks.bled
    room = jnp.where(disks.strength > 0, room, 0.0)
    order = jnp.argsort(-room)
    large = (room > _STAMPS[0] / 2).sum()
    disks = jax.tree.map(lambda values: values[order], disks)
    return disks, large, (disks.strength > 0).sum()


def _draw_one(disk, dy, dx, model):
    """Light of one disk, in units of the noise, and where it is labeled."""
    # The telescope moved: all places are that much closer.
    sin, cos = jnp.sin(model.direction), jnp.cos(model.direction)
    moved = jnp.clip(dx * cos + dy * sin, -0.5 * model.moved, 0.5 * model.moved)
    near_y, near_x = dy - moved * sin, dx - moved * cos
    distance = (near_y * disk.ratio) ** 2 + (near_x / disk.ratio) ** 2
    # The logarithm of how full the pixels were over the level.
    filled = model.slope * (jnp.log(2.0) - jnp.log1p(distance / disk.radius**2))
    across = jnp.where(model.along_rows, dy, dx)
    along = jnp.where(model.along_rows, dx, dy)
    bled = (jnp.abs(across) < 0.25 * disk.radius + 0.5) & (jnp.abs(along) < disk.bled)
    filled = jnp.where(bled, jnp.maximum(filled, jnp.log(2.0)), filled)
    light = disk.strength * _release(filled, model)
    return light, jnp.where(model.as_paper, filled > 0, light > disk.limit)


def _draw_all(disks, large, number, shape, model):
    """Light and labels of all disks, each drawn where it is."""
    margin = _STAMPS[1] // 2
    canvas = jnp.zeros([size + 2 * margin for size in shape])
    carry = canvas, canvas > 0

    def add_on(side):
        offsets = jnp.arange(side) - side // 2

        def add(i, carry):
            disk = jax.tree.map(lambda values: values[i], disks)
            row, column = (jnp.round(p).astype(int) for p in (disk.y, disk.x))
            start = (row + margin - side // 2, column + margin - side // 2)
            dy = (row + offsets - disk.y)[:, None]
            dx = (column + offsets - disk.x)[None]
            light, mask = _draw_one(disk, dy, dx, model)
            before = [
                jax.lax.dynamic_slice(values, start, (side, side)) for values in carry
            ]
            after = jnp.maximum(before[0], light), before[1] | mask
            return tuple(
                jax.lax.dynamic_update_slice(values, part, start)
                for values, part in zip(carry, after, strict=True)
            )

        return add

    carry = jax.lax.fori_loop(0, large, add_on(_STAMPS[1]), carry)
    carry = jax.lax.fori_loop(large, number, add_on(_STAMPS[0]), carry)
    return [
        values[margin : margin + shape[0], margin : margin + shape[1]]
        for values in carry
    ]


def _add_spectra(key, exposure, carry, image, scene, model):
    """Add parallel streaks of an earlier exposure of spectra."""
    shape = image.shape
    n = max(2, round(_SPECTRA * image.size / 1e6))
    draw = uniforms(
        key, "y", "x", "width", "length", "fade", "faint", "waves", "phase", shape=(n,)
    )
    number = log_between(exposure.number, 1.0, n + 1.0).astype(int)
    y, x = pixel_grid(shape)
    y0, x0 = (place * size - 0.5 for place, size in zip(draw[:2], shape, strict=True))
    width = log_between(draw.width, *_SPECTRUM_WIDTHS)
    half = 0.5 * log_between(draw.length, *_SPECTRUM_LENGTHS)
    waves = _between(draw.waves, (0.5, 4.0)) * jnp.pi / half
    noise = _noise_at(image, scene, y0, x0)
    strength, limit = _strengths(
        exposure.strength, draw.fade, draw.faint, 4 * half * width, noise, scene
    )

    def add(i, carry):
        dy, dx = y - y0[i], x - x0[i]
        across = jnp.where(model.along_rows, dy, dx)
        along = jnp.where(model.along_rows, dx, dy)
        # Spectra have lines and bands, and fade at their ends.
        band = 1 + 0.3 * jnp.sin(waves[i] * along + 2 * jnp.pi * draw.phase[i])
        end = jnp.maximum(1 - (along / half[i]) ** 4, 1e-6)
        filled = model.slope * (jnp.log(2.0) - jnp.log1p((across / width[i]) ** 2))
        light = strength[i] * _release(filled + jnp.log(band * end), model)
        return jnp.maximum(carry[0], light), carry[1] | (light > limit[i])

    return jax.lax.fori_loop(0, number, add, tuple(carry))


def _sum_around(values):
    """Sum over squares of the side `_AROUND`."""
    for axis in (0, 1):
        window = [_AROUND if axis == a else 1 for a in (0, 1)]
        values = jax.lax.reduce_window(values, 0.0, jax.lax.add, window, (1, 1), "SAME")
    return values


def _add_ghost(exposure, carry, image, scene, model):
    """Add what is left of an image like this one: of it when dithered, or turned."""
    brightest = image.max()
    sample = jnp.sort(image[::8, ::8].ravel())
    level = brightest * log_between(exposure.level, *_LEVELS)
    level = jnp.maximum(level, sample[round((1 - _MOST_OF_FRAME) * (sample.size - 1))])
    level = jnp.maximum(level, _LEAST_LEVEL * scene.sigma)
    distance = log_between(exposure.dither, *_DITHERS)
    turned = jax.lax.cond(
        exposure.turned < 0.4,
        lambda image: image[::-1, ::-1],
        lambda image: image,
        image,
    )
    direction = 2 * jnp.pi * exposure.dither_direction
    offset = distance * jnp.stack([jnp.sin(direction), jnp.cos(direction)])
    earlier = jnp.roll(turned, jnp.round(offset).astype(int), (0, 1))
    filled = jnp.log(jnp.maximum(earlier, 1e-3 * level) / level)
    strength = log_between(exposure.strength, *_STRENGTHS)
    light = jnp.maximum(strength, 1.0) * _release(filled, model)
    noise = jnp.sqrt(1 + jnp.maximum(image, 0.0) / scene.sigma**2)
    visible = _sum_around((light / noise) ** 2) > FAINTEST**2
    mask = visible & (light > jnp.minimum(_HALF * strength, noise))
    return jnp.maximum(carry[0], light), carry[1] | mask


def add_persistence(key, image, scene):
    """
    Add persistence (Paillassa et al. 2020, section 2.1.5, equations 3 to 6).

    The release of trapped charge depends on how full a pixel was: next to
    nothing below a level, and little more above it. So saturated stars leave
    flat disks with an edge that the seeing does not soften, some with what
    bled from them, some drawn out as the telescope moved. Seldom a whole
    image is left, or the streaks of spectra. As in the paper, where the
    earlier stars were filled far above the level, all disks are uniform and
    equally strong.

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons, shape (height, width), above the sky.

    scene : `Scene`
        The exposure.

    Returns
    -------
    image : array
        With persistence.

    mask : array
        Boolean: where the light is more than half of its own peak or, if that
        is less, than the local noise. If contaminants are to be as in the
        paper: where the earlier exposure was above the model's level.
    """
    image = jnp.asarray(image)
    keys = jax.random.split(key, 3)
    exposure = uniforms(
        keys[0], "number", "crowded", "slope", "step", "full", "bleeds", "along_rows",
        "moves", "moved", "direction", "strength", "ghost", "level", "dither",
        "dither_direction", "turned", "spectra",
    )  # fmt: skip
    others = ~scene.as_paper
    moves = (exposure.moves < _MOVED_OFTEN) & others
    model = _Model(
        slope=_between(exposure.slope, _SLOPES),
        step=jnp.where(
            scene.as_paper, _STEP_OF_PAPER, log_between(exposure.step, *_STEPS)
        ),
        full=jnp.where(scene.as_paper, 1.0, log_between(exposure.full, *_FULL)),
        moved=jnp.where(moves, log_between(exposure.moved, *_MOVED), 0.0),
        direction=jnp.pi * exposure.direction,
        along_rows=exposure.along_rows < 0.3,
        as_paper=scene.as_paper,
    )
    bleeds = (exposure.bleeds < _BLEEDS) & ~moves
    disks, large, number = _draw_disks(keys[1], exposure, image, scene, model, bleeds)
    carry = tuple(_draw_all(disks, large, number, image.shape, model))

    def leave(carry):
        return carry

    bright = image.max() > 2 * _LEAST_LEVEL * scene.sigma
    carry = jax.lax.cond(
        (exposure.ghost < _GHOSTS) & bright & others,
        lambda carry: _add_ghost(exposure, carry, image, scene, model),
        leave,
        carry,
    )
    total, mask = jax.lax.cond(
        (exposure.spectra < _SPECTRA_OFTEN) & others,
        lambda carry: _add_spectra(keys[2], exposure, carry, image, scene, model),
        leave,
        carry,
    )
    # Hidden where stars and galaxies are so much noisier than the sky.
    noise = jnp.sqrt(1 + jnp.maximum(image, 0.0) / scene.sigma**2)
    hidden = others & (_HIDDEN * total < noise - 1)
    return image + scene.sigma * total, mask & ~hidden
