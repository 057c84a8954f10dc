"""Where bad columns and rows are, and how their strength varies along them."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, uniforms
from maximask_astro.simulation.scene import noise_after_smoothing
from maximask_astro.simulation.significance import FAINTEST

__all__ = ["N_LINES", "Lines", "draw_lines", "spread"]

# Most lines of a frame: so many per 768 pixels of its longer side, at least 4.
N_LINES, _PER_SIDE, _FEWEST = 12, 768.0, 4.0
# As in the paper: up to 4, single ones, and segments of at least 30 pixels.
_MOST_OF_PAPER, _COLUMNS_OF_PAPER, _SHORTEST = 4.0, 0.6, 30.0
_STARTS = (-0.2, 0.9)

# Most of a CCD's bad lines are columns, along which charge moves; frames are
# turned, and infrared arrays have as many bad rows.
_COLUMNS = (0.9, 0.5, 0.1)
_ORIENTATIONS = (0.5, 0.85)  # ends of the chances of the three
# Lines of two and three pixels in so many cases.
_DOUBLE, _TRIPLE = 0.3, 0.1

# Infrared arrays: how often a frame is one, how often each of its first lines is
# a group of lines, the stripe of a guide window or of a bad output, how many
# pixels that is across, and how often only every other line or a checkerboard
# of it is bad.
_INFRARED, _GROUPS, _GROUP, _ACROSS = 0.25, 3, 0.4, (3.0, 21.0)
_ALTERNATE, _CHECKERED = 0.2, 0.4

# How often a line crosses the whole frame, or goes from a defect to the edge at
# which the frame is read; the rest are segments. How often a frame is read at
# both edges.
_WHOLE, _TO_EDGE, _TWO_EDGES = 0.4, 0.35, 0.3
# How often a line fades, over this part of its length (traps release charge,
# glowing pixels leak it).
_FADES, _FADING = 0.15, (0.1, 1.0)
# How often a line has a partner of the other sign, by what a calibration moved,
# and how strong that is.
_PAIRS, _PARTNER = 0.07, (0.5, 1.0)
# How often the pixel where a line starts is so many times as strong.
_STARTS_STRONG, _START_STRENGTHS = 0.35, (3.0, 50.0)

# However long, no line is fainter than this many times the noise a pixel.
_FAINTEST_LINE = 0.3


class Lines(NamedTuple):
    """
    Bad columns and rows of a frame.

    Parameters
    ----------
    columns, rows : array
        int32, shapes (width,) and (height,): number of the line that a column or
        row is on, from 1; 0 if on none.

    on_column : array
        Boolean, shape (height, width): pixels of bad columns.

    strength : array
        Shape (height, width): strength in units of that of the line, 0 where there
        is no line, negative in a partner of the other sign.

    visible : array
        Shape (`N_LINES` + 1,): how many times the noise of the sky a line must
        differ by to be seen, by number; 1.2 for number 0.
    """

    columns: jax.Array
    rows: jax.Array
    on_column: jax.Array
    strength: jax.Array
    visible: jax.Array


def _extent(draw, frame, along, as_paper):
    """First and last pixel of lines, and whether they start at the last."""
    low, high = _STARTS
    segment = jnp.floor(along * (low + (high - low) * draw.start))
    length = _SHORTEST + (jnp.max(along) - _SHORTEST) * draw.length
    whole = (draw.reach < _WHOLE) & ~as_paper
    to_edge = (draw.reach < _WHOLE + _TO_EDGE) & ~whole & ~as_paper
    middle = jnp.floor(along * draw.start)
    # Read at one edge of the frame, or each half at its own.
    two = frame.two_edges < _TWO_EDGES
    from_end = jnp.where(two, draw.start < 0.5, frame.edge < 0.5)
    begin = jnp.where(to_edge, jnp.where(from_end, 0.0, middle), segment)
    end = jnp.where(to_edge, jnp.where(from_end, middle + 1, along), segment + length)
    return (
        jnp.where(whole, 0.0, jnp.maximum(begin, 0.0)),
        jnp.where(whole, along, jnp.minimum(end, along)),
        to_edge & from_end,
    )


def draw_lines(key, shape, scene):
    """
    Draw the bad columns and rows of a frame.

    Parameters
    ----------
    key : array
        PRNG key.

    shape : tuple of two int
        Height and width.

    scene : `Scene`
        The exposure.

    Returns
    -------
    lines : `Lines`
        From 1 to 12 on large frames: whole ones, those from a defect to an edge,
        and segments; groups and stripes of infrared arrays.
    """
    first, second = jax.random.split(key)
    as_paper = scene.as_paper
    frame = uniforms(first, "number", "columns", "infrared", "two_edges", "edge")
    draw = uniforms(
        second,
        *("place", "direction", "thickness", "group", "across", "pattern"),
        *("reach", "start", "length", "fades", "fading"),
        *("pair", "partner", "starts", "start_strength"),
        shape=(N_LINES,),
    )
    height, width = shape
    numbers = jnp.arange(N_LINES)
    most = min(max(N_LINES * max(shape) / _PER_SIDE, _FEWEST), N_LINES)
    few = jnp.floor(1 + _MOST_OF_PAPER * frame.number)
    many = jnp.floor(log_between(frame.number, 1.0, most + 1))
    present = numbers < jnp.where(as_paper, few, many)
    ends = jnp.array(_ORIENTATIONS)
    often = jnp.array(_COLUMNS)[jnp.searchsorted(ends, frame.columns)]
    vertical = draw.direction < jnp.where(as_paper, _COLUMNS_OF_PAPER, often)

    wide = (frame.infrared < _INFRARED) & (numbers < _GROUPS) & ~as_paper
    wide = wide & (draw.group < _GROUP)
    pair = (draw.pair < _PAIRS) & ~wide & ~as_paper
    thick = 1.0 + (draw.thickness < _DOUBLE) + (draw.thickness < _TRIPLE)
    thick = jnp.where(as_paper, 1.0, thick)
    thick = jnp.where(wide, jnp.floor(log_between(draw.across, *_ACROSS)), thick)
    thick = jnp.where(pair, 2.0, thick)
    alternate = wide & (draw.pattern < _ALTERNATE)
    checkered = wide & ~alternate & (draw.pattern < _CHECKERED)

    along = jnp.where(vertical, height, width).astype(jnp.float32)
    begin, end, from_end = _extent(draw, frame, along, as_paper)
    place = jnp.floor(draw.place * jnp.where(vertical, width, height))
    low, high = _FADING
    fading = (end - begin) * (low + (high - low) * draw.fading)
    fades = (draw.fades < _FADES) & ~as_paper
    fading = jnp.where(fades, fading, jnp.inf)
    low, high = _PARTNER
    partner = jnp.where(pair, -(low + (high - low) * draw.partner), 1.0)
    start = log_between(draw.start_strength, *_START_STRENGTHS)
    start = jnp.where((draw.starts < _STARTS_STRONG) & ~as_paper & ~wide, start, 1.0)

    def lay(there, position, position_along, axis):
        """Number of the line of each position, and strength in the frame."""
        offset = position - place[:, None]
        inside = (offset >= 0) & (offset < thick[:, None]) & there[:, None]
        index = ((numbers + 1)[:, None] * inside).max(0)

        def of(values):
            return jnp.expand_dims(jnp.append(0, values)[index], axis)

        across = jnp.expand_dims(position, axis) - of(place)
        since = position_along - of(begin)
        since = jnp.where(of(from_end) > 0, of(end) - 1 - position_along, since)
        on = (position_along >= of(begin)) & (position_along < of(end))
        # Charge of many traps of different kinds fades like a power.
        strength = 1 / (1 + jnp.maximum(since, 0.0) / of(fading)) ** 2
        strength = strength * jnp.where(across == 1, of(partner), 1.0)
        strength = strength * jnp.where(since == 0, of(start), 1.0)
        odd_line, odd = across % 2 == 1, (across + position_along) % 2 == 1
        on = on & ~(odd_line & (of(alternate) > 0)) & ~(odd & (of(checkered) > 0))
        return index, jnp.where(on & jnp.expand_dims(index > 0, axis), strength, 0.0)

    y, x = jnp.arange(height, dtype=jnp.float32), jnp.arange(width, dtype=jnp.float32)
    columns, on_columns = lay(present & vertical, x, y[:, None], 0)
    rows, on_rows = lay(present & ~vertical, y, x[None], 1)
    on_column = on_columns != 0

    seen = jnp.minimum(fading / 2, end - begin) * thick
    visible = FAINTEST / jnp.sqrt(jnp.maximum(seen, 1.0))
    # Where the noise is correlated, sums have more of it.
    visible = visible / jnp.sqrt(noise_after_smoothing(scene.smoothing))
    visible = jnp.append(1.2, jnp.maximum(visible, _FAINTEST_LINE))
    strength = jnp.where(on_column, on_columns, on_rows)
    return Lines(columns, rows, on_column, strength, visible)


def spread(lines, values):
    """
    Spread a value of each line over the frame.

    Parameters
    ----------
    lines : `Lines`
        The lines.

    values : array
        Shape (`N_LINES` + 1,), by number.

    Returns
    -------
    spread : array
        Shape (height, width); without meaning where there is no line.
    """
    return jnp.where(lines.on_column, values[lines.columns], values[lines.rows, None])
