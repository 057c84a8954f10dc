"""
Normalize exposures for training as exposures are normalized for our models.

A jitted counterpart of `maximask_astro.background.look_over`: clipped statistics of
boxes, drawn smoothly between their centers, and the view of the whole frame. It
looks at one pixel in twelve for the sky, which is plenty.
"""

import jax
import jax.numpy as jnp

from maximask_astro.background import (
    BLOCK,
    FULL,
    N_BRIGHTEST,
    SEGMENT,
    block_statistics,
    full_level,
    line_contrast,
    scale_blocks,
)
from maximask_astro.models.local_sky import clipped_moments

__all__ = ["look_over_batch", "normalize_batch"]

_BOX, _STEPS, _ROUNDS = 200, (3, 4), 6

# The noise is nowhere less than this fraction of what it is where it is largest.
_LEAST_NOISE = 0.05


def _clipped(values):
    """Level (SExtractor's mode estimate) and noise of each row."""
    mean, median, rms = clipped_moments(values, _ROUNDS)
    skewed = jnp.abs(mean - median) > 0.3 * rms
    return jnp.where(skewed, median, 2.5 * median - 1.5 * mean), rms


def _median_filtered(grid):
    """Medians of 3 by 3 boxes; of fewer at the edges."""
    around = jnp.pad(grid, ((0, 0), (1, 1), (1, 1)), constant_values=jnp.nan)
    rows, columns = grid.shape[1:]
    near = [
        around[:, i : i + rows, j : j + columns] for i in range(3) for j in range(3)
    ]
    return jnp.nanmedian(jnp.stack(near), axis=0)


def sky_maps(images):
    """
    Estimate the level of the sky and its noise.

    Parameters
    ----------
    images : array
        float32, shape (batch, height, width), at least 12 pixels either way.

    Returns
    -------
    level, noise : array
        float32, of the same shape; the noise is positive.
    """
    batch, height, width = images.shape
    n, m = -(-height // _BOX), -(-width // _BOX)
    tall, wide = height // n, width // m
    boxes = images[:, : n * tall, : m * wide].reshape(batch, n, tall, m, wide)
    boxes = boxes[:, :, :: _STEPS[0], :, :: _STEPS[1]].transpose(0, 1, 3, 2, 4)
    level, rms = _clipped(boxes.reshape(batch, n, m, -1))
    maps = [
        jnp.clip(
            jax.image.resize(grid, images.shape, "cubic"),
            grid.min((1, 2), keepdims=True),
            grid.max((1, 2), keepdims=True),
        )
        for grid in (_median_filtered(level), _median_filtered(rms))
    ]
    typical = rms.max((1, 2), keepdims=True)
    noise = jnp.maximum(maps[1], _LEAST_NOISE * typical)
    return maps[0], jnp.where(noise > 0, noise, 1.0)


def normalize_batch(images):
    """
    Subtract the sky and divide by its noise.

    Parameters
    ----------
    images : array
        float32, shape (batch, height, width), at least 12 pixels either way.

    Returns
    -------
    normalized : array
        float32, of the same shape: multiples of the sky noise above the sky.
    """
    level, noise = sky_maps(images)
    return (images - level) / noise


def look_over_batch(images, stride):
    """
    Normalize exposures, and sum them up for the whole-frame view.

    Parameters
    ----------
    images : array
        float32, shape (batch, height, width), multiples of 8.

    stride : int
        Rows and columns of blocks are made a multiple of this.

    Returns
    -------
    normalized : array
        float32, of the same shape; full pixels have the value that is theirs.

    view : dict of str to array
        ``blocks``, ``columns`` and ``rows``, see
        `~maximask_astro.background.FrameView`.
    """
    batch = len(images)
    level, noise = sky_maps(images)
    normalized = (images - level) / noise
    blocks, columns, rows, maxima = block_statistics(jnp, images)
    at_blocks = [
        values[:, BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK] for values in (level, noise)
    ]
    frame_level, frame_noise = (
        jnp.median(values, axis=(1, 2), keepdims=True)
        for values in (blocks[..., 1], at_blocks[1])
    )
    brightest, _ = jax.lax.top_k(maxima.reshape(batch, -1), N_BRIGHTEST)
    full = full_level(jnp, brightest, frame_level[:, 0, 0], frame_noise[:, 0, 0])
    normalized = jnp.where(images >= full[:, None, None], FULL, normalized)
    there = jnp.ones(blocks.shape[:-1], jnp.float32)
    blocks = scale_blocks(jnp, blocks, frame_level, frame_noise, *at_blocks, there)
    missing = [(0, -size % stride) for size in blocks.shape[1:3]]
    view = {"blocks": jnp.pad(blocks, [(0, 0), *missing, (0, 0)])}
    each = SEGMENT // BLOCK
    for name, values in (("columns", columns), ("rows", rows.swapaxes(1, 2))):
        # The last segment may have fewer blocks.
        n, size = values.shape[1:]
        padded = jnp.pad(values, ((0, 0), (0, -n % each), (0, 0)))
        counts = jnp.pad(jnp.ones(n), (0, -n % each)).reshape(-1, each).sum(1)
        means = padded.reshape(batch, -1, each, size).sum(2) / counts[:, None]
        there = jnp.broadcast_to(counts[:, None] / each, means.shape)
        view[name] = line_contrast(jnp, means, frame_noise, there)
    return normalized, view
