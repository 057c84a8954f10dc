"""What electronics add: noise in patterns, heavy tails, and colors of pixels."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, normal, uniforms

__all__ = ["add_heavy_tails", "add_pattern", "bayer_mosaic"]

# Relative frequencies of patterns: independent rows, independent columns, rows or
# columns that wander, a wave along rows or columns (banding of CMOS cameras), columns
# of interleaved amplifiers, stripes from a wave in the order of the readout.
_KINDS = (0.2, 0.2, 0.15, 0.15, 0.13, 0.06, 0.11)

# Their strength in units of the sky noise; interleaved amplifiers differ by more.
_STRENGTH, _INTERLEAVED = (0.05, 0.6), 2.5

# Lines a period of banding; pixels a period of what disturbs the readout.
_BANDING, _PERIOD = (3.0, 200.0), (2.2, 300.0)

# Amplifiers that take turns.
_AMPLIFIERS = (2, 4)

# Levels of red and blue pixels in units of the green ones', uniform (the mosaics of
# color cameras; 0.6 and 0.8 are usual under a dark sky).
_COLORS = (0.4, 1.2)

# Read noise of CMOS pixels: the standard deviation of its logarithm, uniform.
_SPREAD = (0.25, 0.6)


def add_pattern(key, image, scene):
    """
    Add noise that pixels of a row, of a column, or of the readout have in common.

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons, shape (height, width).

    scene : `Scene`
        The exposure.

    Returns
    -------
    image : array
        With the pattern.
    """
    height, width = image.shape
    keys = jax.random.split(key, 3)
    draw = uniforms(
        keys[0], "kind", "strength", "period", "phase", "amplifiers", "along"
    )
    strength = scene.sigma * log_between(draw.strength, *_STRENGTH)
    kinds = jnp.cumsum(jnp.array(_KINDS)) / sum(_KINDS)
    kind = jnp.searchsorted(kinds, draw.kind)
    lines = normal(keys[1], (max(image.shape),))
    place = jnp.arange(max(image.shape))
    # A random walk that forgets within about a tenth of the frame.
    walk = jnp.cumsum(lines) - jnp.cumsum(jnp.roll(lines, max(image.shape) // 10))
    walk = walk / (walk.std() + 1e-6)
    wave = jnp.sin(
        2 * jnp.pi * (place / log_between(draw.period, *_BANDING) + draw.phase)
    )
    wave = 1.4 * wave * (1 + 0.2 * lines)
    turns = jnp.where(draw.amplifiers < 0.6, *_AMPLIFIERS)
    amplifiers = _INTERLEAVED * normal(keys[2], (max(_AMPLIFIERS),))[place % turns]
    values = jnp.select(
        [kind < 2, kind < 4, kind == 4], [lines, walk, wave], amplifiers
    )
    # Of the four that can lie along either, banding lies along rows.
    rows = (kind == 0) | (kind == 2) | ((kind == 4) & (draw.along < 0.7))

    def of_lines(image):
        by_row, by_column = values[:height, None], values[None, :width]
        return image + strength * jnp.where(rows, by_row, by_column)

    def of_readout(image):
        # Whole periods of a row leave no trace: only the rest matters.
        period = log_between(draw.period, *_PERIOD)
        y, x = jnp.arange(height)[:, None], jnp.arange(width)
        turns = y * ((width / period) % 1.0) + x / period + draw.phase
        return image + strength * jnp.sin(2 * jnp.pi * turns)

    return jax.lax.cond(kind == len(_KINDS) - 1, of_readout, of_lines, image)


def add_heavy_tails(key, noise):
    """
    Let the noise of some pixels be much larger than that of others.

    The noise of CMOS pixels is about log-normal, with a tail from random telegraph
    signals (Alarcon et al. 2023, PASP 135, 055001).

    Parameters
    ----------
    key : array
        PRNG key.

    noise : array
        Electrons, shape (height, width).

    Returns
    -------
    noise : array
        Of the same standard deviation.
    """
    keys = jax.random.split(key)
    low, high = _SPREAD
    spread = low + (high - low) * jax.random.uniform(keys[0])
    factor = jnp.exp(spread * normal(keys[1], noise.shape) - spread**2)
    return noise * factor


def bayer_mosaic(key, image):
    """
    Give the pixels of a color camera their colors.

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons, shape (height, width), without noise.

    Returns
    -------
    image : array
        Times one factor for each pixel of cells of two by two.
    """
    keys = jax.random.split(key)
    low, high = _COLORS
    red, blue = low + (high - low) * jax.random.uniform(keys[0], (2,))
    cell = jnp.array([[1.0, red], [blue, 1.0]])
    begin = jax.random.randint(keys[1], (2,), 0, 2)
    y, x = jnp.arange(image.shape[0])[:, None], jnp.arange(image.shape[1])
    return image * cell[(y + begin[0]) % 2, (x + begin[1]) % 2]
