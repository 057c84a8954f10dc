"""What saturated pixels read."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, uniforms
from maximask_astro.simulation.masks import dilate
from maximask_astro.simulation.tiles import tiled_normal

__all__ = ["read_full_pixels"]

# Weights of what the saturated pixels of an exposure read. Most cameras clip at
# one number; the rest is seen now and then, and missed by masks that look for
# that number.
_KINDS = {
    # All the same.
    "even": 0.42,
    # Differences from column to column (or row to row), as charge is lost on
    # its way or columns hold different amounts.
    "structured": 0.14,
    # Differences from pixel to pixel: wells that are not alike.
    "rough": 0.1,
    # One number, divided by a flat field and scaled.
    "calibrated": 0.09,
    # Response that rolls off before the clipping, so that cores are domes.
    "soft": 0.1,
    # The brighter, the less: the reset is saturated too.
    "inverted": 0.08,
    # A number that says "none", in calibrated exposures.
    "constant": 0.04,
    # Integers that wrapped round.
    "wrapped": 0.03,
}
_NAMES = tuple(_KINDS)

# Depth of the differences in structured and rough exposures.
_DEPTHS = (0.003, 0.08)
_LEAST_LEFT = 0.5
# Scatter of flat fields from pixel to pixel.
_FLATS = (0.003, 0.05)
# A soft response is linear up to this fraction of the level, and ends at so many
# times of it.
_KNEES = (0.5, 0.95)
_SOFT_ENDS = (1.0, 8.0)
# The signal, in units of the level, from which on pixels read less, how much
# less they read each e-fold, and what they read in the end.
_TURNS = (1.02, 6.0)
_SLOPES = (0.1, 3.0)
_FLOORS = (0.0, 0.8)
# Constants: none at all, a negative number, or a large one; in units of the level.
_ZERO, _NEGATIVE = 0.5, 0.3
_NEGATIVES = (1e-3, 1.0)
_LARGE = (1.1, 3.0)
# What integers hold of a signal before they wrap, in units of the level: the
# converter's output ends there. Some integers have a sign.
_WRAPPED_ENDS = (1.02, 4.0)
_SIGNED = 0.3


def _between(number, low, high):
    """Uniform numbers in a range."""
    return low + (high - low) * number


def _unlike(draw, noise, structured, calibrated, along_rows):
    """Levels that differ from column to column (or row to row), or pixel to pixel."""
    depth = log_between(draw.first, *_DEPTHS)

    def differences():
        rows, columns = noise[:, 0], noise[0]

        def across(line):
            walk = jnp.cumsum(line) / len(line) ** 0.5
            return jnp.abs(walk - walk[0]) + 0.2 * jnp.abs(line)

        def along(line):
            ramp = draw.second * jnp.linspace(0.0, 1.0, len(line))
            return ramp + 0.1 * jnp.abs(line)

        rows = jnp.where(along_rows, across(rows), along(rows))
        columns = jnp.where(along_rows, along(columns), across(columns))
        return 1 - depth * (rows[:, None] + columns)

    flat = 1 + log_between(draw.first, *_FLATS) * noise
    scatter = jnp.where(calibrated, flat, 1 - 0.7 * depth * jnp.abs(noise))
    return jnp.maximum(jnp.where(structured, differences(), scatter), _LEAST_LEFT)


def _roll_off(draw, signal):
    """Response to a signal, both in units of the level."""
    knee = _between(draw.first, *_KNEES)
    end = log_between(draw.second, *_SOFT_ENDS)
    beyond = (jnp.minimum(signal, end) - knee) / (1 - knee)
    rolled = knee + (1 - knee) * (1 - jnp.exp(-jnp.maximum(beyond, 0.0)))
    return jnp.where(signal > knee, rolled, signal)


def _invert(draw, signal, inside):
    """Levels that fall with the signal, or inside of a trail."""
    turn = log_between(draw.first, *_TURNS)
    floor = _between(draw.third, *_FLOORS)
    slope = log_between(draw.second, *_SLOPES)
    fallen = 1 - slope * jnp.log(jnp.maximum(signal / turn, 1.0))
    return jnp.where(inside, floor, jnp.clip(fallen, floor, 1.0))


def _constant(draw):
    """A number that stands for saturated, in units of the level."""
    negative = -log_between(draw.second, *_NEGATIVES)
    large = log_between(draw.second, *_LARGE)
    there = jnp.where(draw.first < _ZERO + _NEGATIVE, negative, large)
    return jnp.where(draw.first < _ZERO, 0.0, there)


def _wrap(draw, signal):
    """A signal in integers that hold one level, in units of it."""
    end = log_between(draw.first, *_WRAPPED_ENDS)
    over = jnp.minimum(signal, end)
    whole = jnp.floor(over)
    signed = draw.second < _SIGNED
    return jnp.where(signed & (whole > 0), over - 2 * whole, over - whole)


def read_full_pixels(key, image, full, signal, scene, level, bled, along_rows, plain):
    """
    Give what saturated pixels read.

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons, shape (height, width): at most ``level``.

    full : array
        Boolean: the saturated ones.

    signal : array
        Electrons that there would be without saturation.

    scene : `Scene`
        The exposure.

    level : float
        Electrons at which pixels saturate.

    bled : bool
        Whether charge bled: then the response rolls off or wraps round in no
        exposure.

    along_rows : bool
        Whether it did so along rows.

    plain : bool
        Whether there are only the ways of saturated pixels to read that the
        paper's exposures have: no roll-off, no constants, no wrapped integers.

    Returns
    -------
    image : array
        Electrons. Only saturated pixels have changed, and those that are nearly
        so, where the response rolls off.
    """
    first, second = jax.random.split(key)
    draw = uniforms(first, "kind", "first", "second", "third")
    ends = jnp.cumsum(jnp.array(list(_KINDS.values())))
    kind = jnp.searchsorted(ends, draw.kind * ends[-1], side="right")
    of = {name: kind == index for index, name in enumerate(_NAMES)}
    never = (bled & (of["soft"] | of["wrapped"])) | (
        plain & (of["soft"] | of["wrapped"] | of["constant"])
    )
    kind = jnp.where(never, _NAMES.index("even"), kind)
    # Differences are those of the light above the sky, so that no level sinks
    # below it.
    share = signal / level

    def differ(factor):
        return jnp.where(full, scene.sky + (image - scene.sky) * factor, image)

    def even(_):
        return image

    def unlike(_):
        noise = tiled_normal(second, image.shape)
        structured, calibrated = (
            kind == _NAMES.index(name) for name in ("structured", "calibrated")
        )
        return differ(_unlike(draw, noise, structured, calibrated, along_rows))

    def soft(_):
        above = (signal - scene.sky) / (level - scene.sky)
        rolled = scene.sky + (level - scene.sky) * _roll_off(draw, above)
        return jnp.where(above > 0, rolled, image)

    def inverted(_):
        inside = bled & ~dilate(~full, 3)
        return differ(_invert(draw, share, inside))

    def constant(_):
        return jnp.where(full, _constant(draw) * level, image)

    def wrapped(_):
        return jnp.where(full, _wrap(draw, share) * level, image)

    branches = (even, unlike, soft, inverted, constant, wrapped)
    branch_of = jnp.array([0, 1, 1, 1, 2, 3, 4, 5])
    return jax.lax.switch(branch_of[kind], branches, None)
