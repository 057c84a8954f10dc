"""
Normalize simulated exposures as exposures are normalized for our models.

A jitted counterpart of `maximask_astro.background.normalize` with
``method='photutils'``: clipped statistics of meshes, drawn smoothly between
their centers. It looks at one pixel in four, which is plenty.
"""

import jax.numpy as jnp

from maximask_astro.models.local_sky import clipped_moments

__all__ = ["normalize_batch"]

_STEP, _ROUNDS = 2, 6


def _clipped(values):
    """Level (SExtractor's mode estimate) and noise of each row."""
    mean, median, rms = clipped_moments(values, _ROUNDS)
    skewed = jnp.abs(mean - median) > 0.3 * rms
    return jnp.where(skewed, median, 2.5 * median - 1.5 * mean), rms


def normalize_batch(images):
    """
    Subtract the sky and divide by its noise.

    Parameters
    ----------
    images : array
        float32, shape (batch, height, width), at least 6 pixels either way.

    Returns
    -------
    normalized : array
        float32, of the same shape: multiples of the sky noise above the sky.
    """
    batch, height, width = images.shape
    # Two meshes either way, as 200-pixel boxes give in frames of 400.
    rows, columns = height // 2, width // 2
    level, rms = [], []
    for top in (0, height - rows):
        for left in (0, width - columns):
            mesh = images[:, top : top + rows : _STEP, left : left + columns : _STEP]
            mesh_level, mesh_rms = _clipped(mesh.reshape(batch, -1))
            level.append(mesh_level)
            rms.append(mesh_rms)
    maps = []
    for values in (level, rms):
        grid = jnp.stack(values, -1).reshape(batch, 2, 2)
        maps.append(_bilinear(grid, height, width))
    typical = jnp.stack(rms, -1).max(-1)[:, None, None]
    noise = jnp.maximum(maps[1], 0.05 * typical)
    noise = jnp.where(noise > 0, noise, 1.0)
    return (images - maps[0]) / noise


def _bilinear(grid, height, width):
    """Draw a 2 by 2 grid of mesh values over the frame."""
    y = jnp.clip((jnp.arange(height) + 0.5) / height * 2 - 0.5, 0.0, 1.0)[:, None]
    x = jnp.clip((jnp.arange(width) + 0.5) / width * 2 - 0.5, 0.0, 1.0)
    top = grid[:, 0, 0, None, None] * (1 - x) + grid[:, 0, 1, None, None] * x
    bottom = grid[:, 1, 0, None, None] * (1 - x) + grid[:, 1, 1, None, None] * x
    return top * (1 - y) + bottom * y
