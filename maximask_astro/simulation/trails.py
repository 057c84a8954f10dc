"""Trails of satellites, airplanes and meteors."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, normal, uniforms
from maximask_astro.simulation.masks import dilate
from maximask_astro.simulation.scene import noise_after_smoothing, pixel_grid
from maximask_astro.simulation.significance import FAINTEST, signal_to_noise

__all__ = ["add_trails"]

# Assumed without a survey to measure them in, so that a network sees enough of
# each kind; lengths and widths in pixels.

# How many there are. Several at once are passes of a minute or so of a busy orbit;
# many are a group shortly after its launch, or geostationary ones with the
# telescope at rest, and always parallel.
_N_TRAILS = 8
_SEVERAL, _THREE, _MANY = 0.2, 0.07, 0.02
_PARALLEL = 0.6

# What is near, or glows, is broad: out of focus, with sharp edges or, behind a
# central obstruction, with two ridges, or diffuse as the trains of meteors.
_BROAD = 0.45
_WIDTHS = (2.5, 40.0)  # FWHM before the seeing
_RIDGES, _DIFFUSE = 0.4, 0.3
_HOLES = (0.3, 0.85)  # radius of the hole as a fraction
_STEEPNESS = (1.0, 3.0)  # exponents of diffuse profiles; of a disk it is 0.5

# They cross the field in a moment, in which the image of a point is sharper than
# over the whole exposure and the telescope does not drift, but shakes: standard
# deviation in pixels, at most.
_SHARPER, _SHARPEST = (0.55, 1.0), 0.7
_JITTER = 1.0
_WOBBLE = 0.3  # how much of it is seen along the trail

# Where they are. Some go through the brightest place, which makes no spike of them.
_THROUGH_BRIGHTEST = 0.08
# Most cross the frame; of the others, some are short.
_ENDING, _SHORT = 0.35, 0.45
_LENGTHS_ENDING = (0.15, 2.0)  # in diagonals of the frame
_SHORTEST, _LONGEST_SHORT = 20.0, 0.5  # the latter in diagonals
# Near the pole, or where the optics distort, they are arcs of circles.
_CURVED, _RADII = 0.12, (2.0, 40.0)  # in diagonals of the frame

# Steady, else flaring, tumbling, or dashed. What is broad is out of focus along the
# trail as well: variations are as long as so many widths, at least, and ends soft
# over this part of the radius.
_STEADY, _FLARING, _TUMBLING = 0.55, 0.2, 0.15
_PERIODS, _WIDTHS_OF_PERIOD, _SOFT = (12.0, 250.0), 3.0, 0.35

# How strong they are at their brightest, in units of the sky noise, or, of a part
# of them, in all: the integrated signal-to-noise ratio.
_PEAKS, _BRIGHTEST = (1.0, 500.0), 500.0
_FAINT, _RATIOS = 0.35, (FAINTEST, 100.0)
# Short ones fainter than this would be galaxies seen edge-on.
_FAINTEST_SHORT = 1.0

# A part of a trail is labeled where a stretch of this length would be found if
# it were all of it.
_STRETCH = 300.0

# How a trail looks is tabulated: across, at these steps up to this distance from
# its middle, and along, at these steps, in pixels.
_FINE, _FARTHEST, _COARSE = 0.25, 72, 0.5

# In the paper the noise of trails is scaled to that of the exposure, and by this
# factor; its masks are what is above a small limit, here in units of that noise,
# dilated by a square of so many pixels.
_PAPER_SCALE, _PAPER_LIMIT, _PAPER_DILATION = 6.0, 0.5, 7

# Two-point Gauss-Legendre nodes in a pixel.
_NODE = 0.5 / 3**0.5


def _between(number, low, high):
    """Turn uniform numbers into such between two limits."""
    return low + (high - low) * number


class _Shape(NamedTuple):
    """What the trails of an exposure are like across, lengths in pixels."""

    radius: jax.Array  # of the disk; 0 of a point
    hole: jax.Array  # its radius
    exponent: jax.Array  # 0.5 of a disk, more of what is diffuse
    fwhm: jax.Array  # of the seeing
    jitter: jax.Array  # standard deviation


def _draw_shape(key, scene):
    """Draw what trails are like across."""
    draw = uniforms(
        key, "broad", "width", "kind", "hole", "steepness", "sharpness", "jitter"
    )
    diffuse = draw.kind >= 1 - _DIFFUSE
    exponent = jnp.where(diffuse, _between(draw.steepness, *_STEEPNESS), 0.5)
    radius = (
        0.5 * log_between(draw.width, *_WIDTHS) / jnp.sqrt(1 - 0.5 ** (1 / exponent))
    )
    radius = jnp.where(draw.broad < _BROAD, radius, 0.0)
    hole = jnp.where(draw.kind < _RIDGES, _between(draw.hole, *_HOLES), 0.0)
    # A telescope out of focus shows its pupil of everything.
    pupil = scene.defocus > radius
    radius = jnp.where(pupil, scene.defocus, radius)
    hole = jnp.where(pupil, scene.obstruction, hole)
    fwhm = jnp.maximum(scene.fwhm * _between(draw.sharpness, *_SHARPER), _SHARPEST)
    return _Shape(
        radius=radius,
        hole=hole * radius,
        exponent=jnp.where(pupil, 0.5, exponent),
        fwhm=fwhm,
        jitter=jnp.where(scene.as_paper, 1.0, _JITTER * draw.jitter**2),
    )


def _profile(shape, moffat, turn):
    """
    Tabulate the brightness across a trail, 1 at its brightest.

    Disks (or rings) out of focus, seen edge-on along their motion, are chords.
    The seeing blurs them: of a Moffat profile that moved along a line, another
    one is left. So do the pixels, by their width in this direction.
    """
    n = round(_FARTHEST / _FINE)
    across = _FINE * jnp.arange(-n, n + 1, dtype=jnp.float32)

    def chord(radius):
        inside = jnp.maximum(1 - (across / jnp.maximum(radius, _FINE)) ** 2, 0.0)
        return jnp.maximum(radius, _FINE) * inside**shape.exponent

    disk = chord(shape.radius) - jnp.where(shape.hole > 0, chord(shape.hole), 0.0)
    scale = 0.5 * shape.fwhm / jnp.sqrt(2 ** (1 / moffat) - 1)
    soft = scale**2 + (2 * moffat - 3) * shape.jitter**2
    cos, sin = jnp.abs(jnp.cos(turn)), jnp.abs(jnp.sin(turn))
    nodes = _NODE * jnp.stack([cos + sin, cos - sin])[:, None]
    line = sum(
        (1 + jnp.square(across + sign * nodes) / soft) ** (0.5 - moffat)
        for sign in (-1, 1)
    ).sum(0)
    blurred = jax.scipy.signal.fftconvolve(disk, line, mode="same")[n:]
    blurred = jnp.maximum(blurred, 0.0)  # but for rounding
    return blurred / blurred.max()


def _light(draw, reach, shape):
    """
    Tabulate the brightness along a trail, 1 or less.

    Steady, flaring, tumbling, or dashed as of a lamp that blinks or a body that
    turns; ending on the way or not.
    """
    n = 2 * round(reach / _COARSE) + 1
    along = _COARSE * jnp.arange(n) - reach
    from_flare = along / reach - 1.4 * (draw.phase - 0.5)
    flare = jnp.exp(-0.5 * (from_flare / (0.04 + 0.3 * draw.size)) ** 2)
    flare = 0.1 + 0.3 * draw.floor + (0.9 - 0.3 * draw.floor) * flare
    width = 2 * shape.radius + shape.fwhm
    shortest, longest = _PERIODS
    shortest = jnp.maximum(shortest, _WIDTHS_OF_PERIOD * width)
    period = log_between(draw.period, shortest, jnp.maximum(shortest, longest))
    waves = jnp.cos(2 * jnp.pi * (along / period + draw.phase))
    tumble = _between(0.5 + 0.5 * waves, draw.floor, 1.0)
    dashes = jax.nn.sigmoid(8 * (waves + 0.8 * (draw.size - 0.5)))
    steady, flaring = _STEADY, _STEADY + _FLARING
    light = jnp.select(
        [draw.kind < steady, draw.kind < flaring, draw.kind < flaring + _TUMBLING],
        [1.0, flare, tumble],
        dashes,
    )
    # The middle of the trail lies within the frame, and between its ends.
    short = draw.ends < _ENDING * _SHORT
    length = reach * log_between(draw.length, *_LENGTHS_ENDING)
    shortest = jnp.maximum(_SHORTEST, _WIDTHS_OF_PERIOD * width)
    longest = jnp.maximum(_LONGEST_SHORT * reach, shortest)
    length = jnp.where(short, log_between(draw.length, shortest, longest), length)
    soft = jnp.maximum(jnp.hypot(0.47 * shape.fwhm, _SOFT * shape.radius), 0.5)
    start = -length * draw.begin
    within = jax.nn.sigmoid((along - start) / soft) * jax.nn.sigmoid(
        (start + length - along) / soft
    )
    return light * jnp.where(draw.ends < _ENDING, within, 1.0), short


def add_trails(key, image, scene):
    """
    Add trails (Paillassa et al. 2020, section 2.1.6).

    Point-like or broad: out of focus (a disk, or a ring behind a central
    obstruction, which is how meteors, airplanes and, with large telescopes,
    satellites look: their equation 7) or diffuse; steady, flaring, tumbling or
    dashed; jittering a little; ending within the frame or not; alone, several
    in parallel, seldom many; seldom an arc. They go where they go, some through
    the brightest star.

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons, shape (height, width), without noise or with.

    scene : `~maximask_astro.simulation.scene.Scene`
        The exposure.

    Returns
    -------
    image : array
        With trails whose integrated signal-to-noise ratio is at least
        `~maximask_astro.simulation.significance.FAINTEST`.

    mask : array
        Boolean: where a trail is brighter than the local noise (or, of faint
        ones, half as bright as in its middle there, if a stretch of it like
        this could be found, or half as bright as at its brightest) and than a
        hundredth of its brightest, or between its ridges; and a pixel beyond.
        If contaminants are to be as in the paper: where it is above half of
        the sky noise, and 3 pixels beyond.
    """
    keys = jax.random.split(key, 4)
    height, width = image.shape
    reach = float((height**2 + width**2) ** 0.5)
    y, x = pixel_grid(image.shape)

    # Few large draws: every draw of its own makes the compiler work for longer.
    common = uniforms(
        keys[0], "number", "many", "turn", "parallel", "through", "curved", "radius",
        "bend",
    )  # fmt: skip
    each = uniforms(
        keys[1], "kind", "phase", "size", "period", "floor", "ends", "begin", "length",
        "faint", "strength", "turn", "down", "right", shape=(_N_TRAILS,),
    )  # fmt: skip
    count = jnp.select(
        [common.number < limit for limit in (_MANY, _THREE, _SEVERAL)],
        [4 + (common.many * (_N_TRAILS - 3)).astype(int), 3, 2],
        1,
    )
    count = jnp.minimum(count, _N_TRAILS)
    parallel = (common.parallel < _PARALLEL) | (count > 3)
    turns = jnp.pi * (common.turn + jnp.where(parallel, 0.0, each.turn))
    downs, rights = each.down * height, each.right * width
    brightest = jnp.unravel_index(jnp.argmax(image), image.shape)
    through = (common.through < _THROUGH_BRIGHTEST) & (jnp.arange(_N_TRAILS) == 0)
    downs = jnp.where(through, brightest[0], downs)
    rights = jnp.where(through, brightest[1], rights)
    bend = jnp.where(common.bend < 0.5, -0.5, 0.5) / reach
    bend = bend / log_between(common.radius, *_RADII)
    bend = jnp.where(common.curved < _CURVED, bend, 0.0)

    shape = _draw_shape(keys[2], scene)
    # What is left of the jitter within the time that light moves by its width.
    n_along = 2 * round(reach / _COARSE) + 1
    wobble = normal(keys[3], (n_along + 16,))
    wobble = jnp.convolve(wobble, jnp.full(17, 17**-0.5), "valid")
    wobble = _WOBBLE * shape.jitter * wobble
    noise = jnp.sqrt(scene.sigma**2 + jnp.maximum(image, 0.0))

    def add_trail(index, drawn):
        total, mask = drawn
        draw = jax.tree.map(lambda values: values[index], each)
        light, short = _light(draw, reach, shape)
        profile = _profile(shape, scene.moffat, turns[index])
        dy, dx = y - downs[index], x - rights[index]
        cos, sin = jnp.cos(turns[index]), jnp.sin(turns[index])
        along = cos * dx + sin * dy
        step = jnp.round((along + reach) / _COARSE).astype(int)
        across = cos * dy - sin * dx + wobble[step] + bend * along**2
        across = jnp.abs(across) / _FINE
        low = jnp.minimum(across.astype(int), len(profile) - 2)
        share = jnp.minimum(across - low, 1.0)
        middle = light[step]
        values = profile[low] * (1 - share) + profile[low + 1] * share
        values = middle * jnp.where(low < len(profile) - 2, values, 0.0)

        # Of one whose peak is as high as the sky noise.
        ratio = signal_to_noise(scene.sigma * values, noise, scene)
        faint = log_between(draw.strength, *_RATIOS) / jnp.maximum(ratio, 1e-3)
        faint = jnp.where(short, jnp.maximum(faint, _FAINTEST_SHORT), faint)
        faint = jnp.minimum(faint, _BRIGHTEST)
        peak = jnp.where(
            draw.faint < _FAINT, faint, log_between(draw.strength, *_PEAKS)
        )
        # Up to rounding, as this is where the faintest end.
        peak = jnp.where(peak * ratio < 0.999 * FAINTEST, 0.0, peak)
        paper = _PAPER_SCALE * log_between(draw.strength, 1.0, 30.0)
        peak = jnp.where(scene.as_paper, paper, peak)
        total = total + peak * scene.sigma * values

        squares = 2 * _FINE * jnp.square(profile).sum()
        squares = squares * noise_after_smoothing(scene.smoothing) ** 2
        lowest = FAINTEST / jnp.sqrt(squares * _STRETCH)
        lowest = jnp.minimum(lowest, 0.5 * peak)
        middle = peak * middle
        inside = jnp.where(across < jnp.argmax(profile), middle, peak * values)
        bright = inside > jnp.minimum(1.0, 0.5 * middle) * noise / scene.sigma
        bright = bright & (inside > 0.01 * peak) & (middle > lowest)
        return total, mask | bright

    nothing = jnp.zeros(image.shape), jnp.zeros(image.shape, bool)
    total, mask = jax.lax.fori_loop(0, count, add_trail, nothing)
    mask = jax.lax.cond(
        scene.as_paper,
        lambda: dilate(total > _PAPER_LIMIT * scene.sigma, _PAPER_DILATION),
        lambda: dilate(mask, 3),
    )
    # The paper cuts out what it labels, and adds nothing else.
    return image + jnp.where(scene.as_paper & ~mask, 0.0, total), mask
