"""Tracking errors: how the image moves over the detector during an exposure."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from maximask_astro.simulation.draws import (
    chance,
    choice,
    log_between,
    normal,
    uniform,
    uniforms,
)

__all__ = ["KINDS", "LONGEST", "Motion", "blur_of", "draw_motion"]

KINDS = (
    "drift",
    "jump",
    "periodic",
    "shake",
    "curve",
    "rotation",
    "partial",
)

# How often each of them is drawn.
_WEIGHTS = (0.3, 0.12, 0.14, 0.12, 0.1, 0.1, 0.12)

# Blurs longer than this, in pixels, are not drawn.
LONGEST = 60.0

# A drift this many times as long as the PSF is wide shows in every star; one of that
# many times in none.
_VISIBLE, _INVISIBLE = 1.5, 0.3

# A path as broad as long only widens the PSF, as seeing does, until it is so many
# times as long as the PSF is wide: then stars look like the path.
_OUTLINED = 4.5

# How far a drift is ahead of a steady one or behind it at most, in units of its length.
_UNEVEN = 0.15

# Jumps happen between these moments, each within a moment; so often there is a second
# one, from back by so much of the first to onwards by the rest.
_JUMPS, _JUMP_SPEED, _AGAIN, _BACK = (0.25, 0.75), 60, 0.3, 0.3

# Periods in an exposure, of gears and of vibrations, and how much the image drifts on
# in units of the amplitude of the former.
_PERIODS, _VIBRATIONS, _DRIFTS_ON = (0.4, 6.0), (2.0, 20.0), 0.3

# Breadth of a shake over its length at most, and sagitta of a curve over its length.
_BREADTH, _SAGITTA = 0.6, 1.0

# When guiding is lost: later, only bright stars would show a tail.
_LOST = (0.2, 0.6)

# How far off the star is about which the field turns, in sizes of the frame.
_PIVOTS = (0.7, 20.0)

# No path but the longest that may be drawn has to be longer to show in every star, in
# units of `LONGEST`.
_LEAST = 0.7

# Places on the path; the PSF fills what is between them.
_N_PLACES = 64

# Sources are moved in groups of so many; groups without light are skipped.
_GROUP = 64


class Motion(NamedTuple):
    """
    The path of the image over the detector.

    Parameters
    ----------
    y, x : array
        Displacements in pixels at moments of the exposure, shape (64,).

    turn : array
        Rotation in radians at these moments, shape (64,).

    pivot : array
        Point in pixels, y and x, about which the field rotates.
    """

    y: jax.Array
    x: jax.Array
    turn: jax.Array
    pivot: jax.Array


def _paths(key):
    """The path of each of `KINDS`, of any size: along and across, shape (7, 64)."""
    keys = jax.random.split(key, 3)
    draw = uniforms(
        keys[0], "uneven", "uneven_phase", "first", "second", "again", "again_size",
        "period", "phase", "vibration", "curve", "lost", "breadth",
    )  # fmt: skip
    t = jnp.linspace(0.0, 1.0, _N_PLACES)
    nothing = jnp.zeros(_N_PLACES)

    def wave(number, phase):
        return jnp.sin(2 * jnp.pi * (number * t + phase))

    def moment(number, limits):
        return limits[0] + (limits[1] - limits[0]) * number

    # A slow drift, never at quite the same speed.
    drift = t + _UNEVEN * draw.uneven * wave(1.0, draw.uneven_phase)
    # One or two jumps, each within a moment, early or late enough that both images
    # have a good part of the light.
    first, second = moment(draw.first, _JUMPS), moment(draw.second, _JUMPS)
    jump = jnp.clip((t - first) * _JUMP_SPEED, 0, 1)
    again = jnp.where(draw.again < _AGAIN, draw.again_size - _BACK, 0.0)
    jump = jump + again * jnp.clip((t - second) * _JUMP_SPEED, 0, 1)
    periodic = wave(log_between(draw.period, *_PERIODS), draw.phase) + _DRIFTS_ON * t
    # Wind: a few vibrations and a random walk.
    steps = jnp.cumsum(normal(keys[1], (2, _N_PLACES)), axis=1) / _N_PLACES**0.5
    phases = uniform(keys[2], 0.0, 1.0, (2, 1))
    vibration = log_between(draw.vibration, *_VIBRATIONS)
    shake = jnp.sin(2 * jnp.pi * (vibration * t + phases))
    shake = shake + steps
    curve = _SAGITTA * (2 * draw.curve - 1) * 4 * (t - 0.5) ** 2
    # Guiding is lost after a while.
    lost = jnp.maximum(t - moment(draw.lost, _LOST), 0.0)
    along = jnp.stack([drift, jump, periodic, shake[0], drift, nothing, lost])
    narrow = _BREADTH * draw.breadth * shake[1]
    across = jnp.stack([nothing, nothing, nothing, narrow, curve, nothing, nothing])
    return along, across


def _principal(y, x):
    """Length, breadth and angle of the uniform drifts with the same second moments."""
    dy, dx = y - y.mean(), x - x.mean()
    yy, xx, xy = (dy**2).mean(), (dx**2).mean(), (dx * dy).mean()
    split = jnp.hypot((xx - yy) / 2, xy)
    length, breadth = (
        jnp.sqrt(12 * jnp.maximum((xx + yy) / 2 + part, 0.0))
        for part in (split, -split)
    )
    angle = 0.5 * jnp.arctan2(2 * xy, xx - yy) % jnp.pi
    return length, breadth, angle


def _shortest_that_shows(ratio):
    """
    Length of a path that shows in every star, in widths of the PSF.

    From there on a star is as elongated as by a drift of `_VISIBLE` widths, or the
    path is outlined. ``ratio`` is that of the path's breadth to its length.
    """
    # Variances of a Gaussian PSF and of a drift, in squares of its width.
    psf, drift = 1 / (8 * np.log(2)), _VISIBLE**2 / 12
    rest = 1 - (1 + drift / psf) * ratio**2
    return _VISIBLE / jnp.sqrt(jnp.maximum(rest, (_VISIBLE / _OUTLINED) ** 2))


def blur_of(motion, place):
    """
    Measure how long the image of a point is, and in which direction.

    Parameters
    ----------
    motion : `Motion`
        The path.

    place : array
        The point in pixels, y and x.

    Returns
    -------
    length : array
        In pixels: that of a uniform drift with the same second moment along
        the path's principal axis, which is the square root of 12 times it.

    angle : array
        Of that axis, in radians from the first axis x towards y, in [0, pi).
    """
    length, _, angle = _principal(*_places(motion, *place))
    return length, angle


def _places(motion, y, x):
    """Where a point is at each moment."""
    y, x = y - motion.pivot[0], x - motion.pivot[1]
    sin, cos = jnp.sin(motion.turn), jnp.cos(motion.turn)
    return (
        motion.pivot[0] + cos * y + sin * x + motion.y,
        motion.pivot[1] + cos * x - sin * y + motion.x,
    )


def draw_motion(key, width, shape, affected):
    """
    Draw the motion of an exposure.

    Parameters
    ----------
    key : array
        PRNG key.

    width : array
        Full width at half maximum in pixels of a star that does not move.

    shape : tuple of two int
        Height and width in pixels.

    affected : array
        2: the blur shows in every star: its length, see `blur_of`, is at most 60
        pixels, and at least 1.5 times the width for a straight path, and up to 4.5
        times for one as broad as long; 1: it may show; 0: it does not, being
        less than 0.3 times the width.

    Returns
    -------
    motion : `Motion`
        The path, whose mean is nowhere in particular.

    kind : array
        Index in `KINDS`.
    """
    keys = jax.random.split(key, 6)
    kind = choice(keys[0], _WEIGHTS)
    along, across = _paths(keys[2])
    angle = uniform(keys[3], 0.0, jnp.pi)
    sin, cos = jnp.sin(angle), jnp.cos(angle)
    y = sin * along[kind] + cos * across[kind]
    x = cos * along[kind] - sin * across[kind]
    size, breadth, _ = _principal(y, x)
    size = jnp.maximum(size, 1e-3)
    least = jnp.minimum(_shortest_that_shows(breadth / size) * width, _LEAST * LONGEST)
    hidden = _INVISIBLE * width
    number = uniform(keys[1], 0.0, 1.0)
    length = jnp.select(
        [affected == 2, affected == 1],
        [log_between(number, least, LONGEST), hidden + number * (least - hidden)],
        number * hidden,
    )
    scale = length / size

    # The field turns about a star far off, or one that is seen.
    rotates = kind == KINDS.index("rotation")
    middle = jnp.array(shape, jnp.float32) / 2
    far = log_between(uniform(keys[4], 0.0, 1.0), *_PIVOTS) * min(shape)
    offset = jnp.stack([cos, -sin]) * far
    t = jnp.linspace(-0.5, 0.5, _N_PLACES)
    turn = jnp.where(chance(keys[5], 0.5), 1.0, -1.0) * length / far * t
    return Motion(
        jnp.where(rotates, 0.0, (y - y.mean()) * scale),
        jnp.where(rotates, 0.0, (x - x.mean()) * scale),
        jnp.where(rotates, turn, 0.0),
        middle + offset,
    ), kind


def smear(motion, y, x, flux, shape):
    """
    Let point sources leave their light along their paths.

    Parameters
    ----------
    motion : `Motion`
        The path.

    y, x, flux : array
        Positions in pixels and light of the sources, shape (n,).

    shape : tuple of two int
        Height and width of the image.

    Returns
    -------
    image : array
        What each pixel gets, shared linearly with its neighbors; what leaves
        the image is lost.
    """
    missing = (0, -len(flux) % _GROUP)
    groups = [jnp.pad(each, missing).reshape(-1, _GROUP) for each in (y, x, flux)]

    def move(image, group):
        y, x, flux = (each[:, None] for each in group)
        y, x = _places(motion, y, x)
        share = flux / _N_PLACES
        top, left = jnp.floor(y), jnp.floor(x)
        down, right = y - top, x - left
        top, left = top.astype(int), left.astype(int)
        for i, rows in enumerate((1 - down, down)):
            for j, columns in enumerate((1 - right, right)):
                light = share * rows * columns
                # A negative index would count from the end.
                outside = (top + i < 0) | (left + j < 0)
                light = jnp.where(outside, 0.0, light)
                image = image.at[top + i, left + j].add(light, mode="drop")
        return image

    def add_group(image, group):
        there = (group[2] > 0).any()
        return jax.lax.cond(there, move, lambda image, _: image, image, group), None

    return jax.lax.scan(add_group, jnp.zeros(shape), groups)[0]
