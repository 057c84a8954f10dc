"""Fringes: interference of sky lines within the detector."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, uniforms
from maximask_astro.simulation.fields import (
    make_grid,
    polynomial_field,
    power_law_field,
)
from maximask_astro.simulation.masks import smooth
from maximask_astro.simulation.scene import noise_after_smoothing
from maximask_astro.simulation.significance import FAINTEST

__all__ = ["add_fringes"]

# Thickness is smooth: it is drawn in cells of so many pixels.
_CELL = 4

# Amplitude of a sine as strong as the pattern, in units of the sky noise: the range
# for training. The paper's is a standard deviation.
_AMPLITUDES, _SPREAD_OF_PAPER = (0.2, 6.0), 0.6

# Fringes are over the whole frame, or fade within it.
_WHOLE, _STEEPNESS = 0.55, 5.0

# They are labeled where what is within so many pixels squared is significant, up to
# where so little of their contrast is left that they have ended. Where they are
# clearest their ratio is at least so many times above the limit.
_WINDOW, _ENDS, _SEEN = 64.0, 0.02, 1.2

# In the paper, where the argument of the sigmoid, from -5 to 5, is above -0.2.
_LEAST_OF_PAPER = 0.4502

# Kinds of patterns. The rest are contour lines of a thickness without a shape.
# Chips thinned by etching are thickest in the middle and have closed loops along
# their borders (EFOSC2, Sinistro); flat ones with a wedge have fine parallel bands.
_DOMES, _FINE = 0.5, 0.2

# Width of the chip in widths of the frame: often the whole chip, else a part of it.
_FULL, _CHIPS = 0.4, (1.02, 5.0)
# How often the chip ends within the frame, and how far inside.
_BORDER, _BORDER_PLACES = 0.12, (0.02, 0.4)
# Bands fade towards the border in so large a part of the half width.
_FADING = 0.2

# Thickness in wavelengths: of the loops along the border and how square they are
# (5 to 6 loops, power 6 to 10 in EFOSC2 and Sinistro), of slopes and bumps
# (3 to 5 bands over the inner part of EFOSC2's), and of scratches of the polish.
_LOOPS, _SQUARENESS = (2.0, 16.0), (4.0, 12.0)
_SLOPES, _BUMPS, _SCRATCHES = (0.4, 4.5), (0.2, 1.8), (0.01, 0.15)
_SCRATCH_SLOPE = 2.2
_BUMP_SLOPES, _BUMP_STRETCH, _SCRATCH_STRETCH = (3.2, 4.8), (1.0, 4.0), (5.0, 12.0)
# Many small bands: the bumps are higher in some patterns.
_ROUGH, _ROUGHER = 0.06, 3.0
# Smallest bumps, in pixels.
_SMALLEST = (6.0, 30.0)

# Distance in pixels of fine bands, and how much their direction changes.
_PERIODS, _CURVATURE = (5.0, 60.0), (0.02, 0.6)

# Lines of the sky: how much their wavelengths differ, and how far the sharpness of
# the first one's bands is from that of a sine.
_N_LINES, _SEPARATION, _SHARPNESS = 4, 0.12, 0.25

# A second system of bands that crosses the first.
_CROSSING, _CROSSING_STRENGTH, _CROSSING_BANDS = 0.2, (0.2, 1.0), (1.5, 25.0)
_CROSSING_BEND = 0.2

# A pattern that is nearly flat is not made steep: its spread counts as at least this
# part of that of many bands.
_LEAST_SPREAD = 0.3

# Cycles a pixel that a pixel hardly resolves.
_UNRESOLVED = 0.3


class _Film(NamedTuple):
    """The detector as a thin film, in the cells of a grid."""

    thickness: jax.Array
    contrast: jax.Array


def _draw_film(key, grid, slope_field, bend_field):
    """Draw the thickness in wavelengths, and the contrast of the bands."""
    key, *keys = jax.random.split(key, 3)
    draw = uniforms(
        key, "kind", "full", "chip", "off_y", "off_x", "border", "border_place",
        "side", "along_rows", "fading", "loops", "squareness", "slopes", "bumps",
        "rough", "smallest", "bump_slope", "bump_stretch", "angle", "scratches",
        "scratch_stretch", "scratch_angle", "period", "direction", "curvature",
    )  # fmt: skip
    dome = draw.kind < _DOMES
    fine = draw.kind >= 1 - _FINE

    # Coordinates of the chip, from -1 to 1 within it.
    chip = jnp.where(draw.full < _FULL, _CHIPS[0], log_between(draw.chip, *_CHIPS))
    y, x = grid.coordinates()
    y, x = (2 * (c + 0.5) / s - 1 for c, s in zip((y, x), grid.frame, strict=True))
    low, high = _BORDER_PLACES
    beyond = chip - 1 + 2 * (low + (high - low) * draw.border_place)
    beyond = jnp.where(draw.side < 0.5, beyond, -beyond)
    ends = draw.border < _BORDER
    off_y = (2 * draw.off_y - 1) * (chip - 1)
    off_x = (2 * draw.off_x - 1) * (chip - 1)
    off_y = jnp.where(ends & (draw.along_rows >= 0.5), beyond, off_y)
    off_x = jnp.where(ends & (draw.along_rows < 0.5), beyond, off_x)
    v, u = jnp.abs((y + off_y) / chip), jnp.abs((x + off_x) / chip)

    power = log_between(draw.squareness, *_SQUARENESS)
    loops = log_between(draw.loops, *_LOOPS) * (u**power + v**power)
    slopes = log_between(draw.slopes, *_SLOPES) * slope_field
    smallest = log_between(draw.smallest, *_SMALLEST) / _CELL
    bump_slope = _BUMP_SLOPES[0] + (_BUMP_SLOPES[1] - _BUMP_SLOPES[0]) * draw.bump_slope
    height = log_between(draw.bumps, *_BUMPS)
    height = height * jnp.where(draw.rough < _ROUGH, _ROUGHER, 1.0)
    # Scratches lie along the bumps, more or less, and not where the chip is thin.
    angle = jnp.pi * draw.angle
    angles = jnp.stack([angle, angle + 0.4 * (draw.scratch_angle - 0.5)])
    # Both at once: that is compiled faster.
    field, scratches = jax.vmap(power_law_field, (0, None, 0, 0, 0, 0))(
        jnp.stack(keys), grid.shape,
        jnp.stack([bump_slope, _SCRATCH_SLOPE]), jnp.stack([smallest, 1.0]),
        jnp.stack([
            log_between(draw.bump_stretch, *_BUMP_STRETCH),
            log_between(draw.scratch_stretch, *_SCRATCH_STRETCH),
        ]), angles,
    )  # fmt: skip
    scratches = log_between(draw.scratches, *_SCRATCHES) * scratches
    middle = jnp.clip(1.2 - jnp.maximum(u, v), 0.0, 1.0)
    smooth_part = slopes + height * field + scratches * middle

    size = float(max(grid.frame))
    bands = size / log_between(draw.period, *_PERIODS)
    direction = 2 * jnp.pi * draw.direction
    wedge = 0.5 * bands * (jnp.cos(direction) * x + jnp.sin(direction) * y)
    bent = bands * log_between(draw.curvature, *_CURVATURE) * 0.25
    wedge = wedge + bent * bend_field
    thickness = jnp.where(fine, wedge + 0.3 * height * field, smooth_part)
    thickness = thickness + jnp.where(dome, loops, 0.0)

    # What is beyond the border is another chip, or nothing.
    inside = jnp.clip(
        (1 - jnp.maximum(u, v)) / (_FADING * draw.fading + 1e-3), 0.0, 1.0
    )
    contrast = inside * _resolved(thickness)
    return _Film(thickness, contrast)


def _resolved(thickness):
    """Contrast that is left of bands as wide as a few pixels."""
    dy, dx = jnp.gradient(thickness)
    return jnp.exp(-(((dy**2 + dx**2) / (_CELL * _UNRESOLVED) ** 2) ** 2))


def _wave(turns):
    """
    Cosine of an angle in turns, to 1e-5.

    As 1 less twice the squared sine of half the angle: without the branches for huge
    angles of the compiler's own, several times as fast.
    """
    half = jnp.pi * (turns - jnp.round(turns))
    u = half**2
    sine = half * (1 - u / 6 * (1 - u / 20 * (1 - u / 42 * (1 - u / 72))))
    return 1 - 2 * sine**2


def _crossing_bands(key, grid, bend_field):
    """Thickness of a second system: straight bands, slightly bent."""
    draw = uniforms(key, "bands", "direction", "bend")
    y, x = grid.coordinates()
    y, x = (c / max(grid.frame) for c in (y, x))
    direction = 2 * jnp.pi * draw.direction
    straight = jnp.cos(direction) * x + jnp.sin(direction) * y
    bands = log_between(draw.bands, *_CROSSING_BANDS)
    return bands * (straight + _CROSSING_BEND * draw.bend * bend_field)


def _significance(power, image, scene, grid):
    """Integrated signal-to-noise ratio around each cell of bands so strong."""
    clear = scene.sigma**2 / (scene.sigma**2 + jnp.maximum(image, 0.0))
    power = power * grid.average(clear)
    # A Gaussian of the window's area, which does not wrap around.
    width = _WINDOW / (2 * jnp.pi**0.5) / _CELL
    margin = int(3 * width)
    padded = jnp.pad(power, margin, mode="symmetric")
    power = smooth(padded, width)[margin:-margin, margin:-margin]
    ratio = _WINDOW * noise_after_smoothing(scene.smoothing)
    return ratio * jnp.sqrt(jnp.maximum(power, 1e-12))


def add_fringes(key, image, scene):
    """
    Add fringes.

    The detector is a thin film of varying thickness: each sky line gives bands
    where twice the optical thickness is a whole number of wavelengths, and
    bands of several lines beat against one another. A polynomial envelope lets
    them fade over the frame (Paillassa et al. 2020, section 2.1.7, equations 9
    and 10; the film is instead of their real fringe maps).

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons, shape (height, width), without noise.

    scene : `Scene`
        The exposure.

    Returns
    -------
    image : array
        With fringes.

    mask : array
        Boolean: where the integrated signal-to-noise ratio of the bands in the
        surrounding 64 by 64 pixels is above 7. As in the paper, where the
        envelope is high enough.
    """
    keys = jax.random.split(key, 8)
    grid = make_grid(image.shape, _CELL)
    draw = uniforms(
        keys[0], "whole", "amplitude", "sharpness", "separation", "crossing",
        "crossing_strength",
    )  # fmt: skip
    lines = uniforms(keys[1], "phase", "weight", shape=(_N_LINES,))
    # All at once: that is compiled faster.
    fields = jax.vmap(lambda key: polynomial_field(key, grid.shape, 3))(keys[4:])
    film = _draw_film(keys[2], grid, *fields[:2])

    separation = _SEPARATION * (2 * draw.separation - 1)
    ratios = 1 + separation * jnp.arange(_N_LINES)
    weights = (lines.weight**2).at[0].set(1.0)
    thickness = grid.enlarge(film.thickness)
    sharpness = _SHARPNESS * (2 * draw.sharpness - 1)

    def bands(k):
        return _wave(ratios[k] * thickness + lines.phase[k])

    first = bands(0)
    pattern = first + sharpness * (2 * first**2 - 1)
    pattern = pattern + sum(weights[k] * bands(k) for k in range(1, _N_LINES))
    crossing = draw.crossing < _CROSSING
    strength = log_between(draw.crossing_strength, *_CROSSING_STRENGTH)

    def cross(pattern):
        second = grid.enlarge(_crossing_bands(keys[3], grid, fields[2]))
        return pattern + strength * _wave(second)

    pattern = jax.lax.cond(crossing, cross, lambda pattern: pattern, pattern)
    usual = jnp.sqrt(0.5 * (weights**2).sum())
    sample = pattern[::2, ::2]
    least = jnp.where(scene.as_paper, 1e-6, _LEAST_SPREAD)
    spread = jnp.maximum(sample.std(), least * usual)
    pattern = (pattern - sample.mean()) / spread

    inside = grid.inside(fields[3])
    low, high = inside.min(), inside.max()
    envelope = (2 * fields[3] - low - high) / (high - low)
    envelope = jax.nn.sigmoid(_STEEPNESS * envelope)
    whole = ~scene.as_paper & (draw.whole < _WHOLE)
    envelope = jnp.where(whole, 1.0, envelope)
    contrast = envelope * jnp.where(scene.as_paper, 1.0, film.contrast)

    def as_seen(_):
        # The amplitude where the bands of all lines add up, whatever their phase.
        turns = ratios[:, None, None] * film.thickness + lines.phase[:, None, None]
        real, imaginary = (
            jnp.tensordot(weights, _wave(turns - delay), 1) for delay in (0.0, 0.25)
        )
        power = 0.5 * (real**2 + imaginary**2)
        power = power + jnp.where(crossing, 0.5 * strength**2, 0.0)
        power = power * (contrast / spread) ** 2
        ratio = _significance(power, image, scene, grid)
        # Somewhere they are seen.
        amplitude = log_between(draw.amplitude, *_AMPLITUDES) / 2**0.5
        least = _SEEN * FAINTEST / ratio.max()
        amplitude = jnp.minimum(jnp.maximum(amplitude, least), _AMPLITUDES[1])
        # Strong ones are not labeled beyond the end of the chip.
        own = jnp.where(film.contrast > _ENDS, ratio, 0.0)
        return amplitude, amplitude * own / FAINTEST

    def as_paper(_):
        return _SPREAD_OF_PAPER, envelope / _LEAST_OF_PAPER

    amplitude, excess = jax.lax.cond(scene.as_paper, as_paper, as_seen, None)
    contrast, excess = jax.vmap(grid.enlarge)(jnp.stack([contrast, excess]))
    light = scene.sigma * amplitude * jnp.clip(contrast, 0.0, 1.0) * pattern
    return image + light, excess > 1
