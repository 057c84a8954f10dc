"""Noise that repeats over the frame, where only a few pixels of it are seen."""

import jax
import jax.numpy as jnp

__all__ = ["tiled_normal"]

# Larger than clusters of defects and saturated cores, and cheap: whole frames of
# random numbers are what takes longest in many simulated contaminants.
_SIDE = 128


def tiled_normal(key, shape):
    """
    Standard normal numbers in a square tile, repeated over a frame.

    Parameters
    ----------
    key : array
        PRNG key.

    shape : tuple of two int
        Height and width.

    Returns
    -------
    numbers : array
        float32, of that shape; the period is 128 pixels.
    """
    tile = jax.random.normal(key, (_SIDE, _SIDE))
    height, width = shape
    repeated = jnp.tile(tile, (-(-height // _SIDE), -(-width // _SIDE)))
    return repeated[:height, :width]
