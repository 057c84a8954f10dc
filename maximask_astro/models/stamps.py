"""Cut the stars of an image out, without knowing what is one."""

import jax
import jax.numpy as jnp
from jax import lax

from maximask_astro.utils.keras_backend import import_keras

__all__ = ["BLOCK", "StarStamps"]

keras = import_keras()

# Each of so many pixels, squared, has one candidate at most; images are multiples
# of this.
BLOCK = 8

# The best brightness of a star, in sky noise: bright, but hardly saturated. What is
# brighter loses less than what is fainter.
_BEST, _BRIGHTER = 40.0, 0.3

# Below this, in sky noise, a candidate is noise.
_LEAST = 3.0


def _mean3(images):
    """Mean of 3 by 3 pixels; beyond the border is nothing."""
    for axis in (1, 2):
        padding = [(0, 0)] * 3
        padding[axis] = (1, 1)
        padded = jnp.pad(images, padding)
        size = images.shape[axis]
        images = sum(lax.slice_in_dim(padded, i, i + size, axis=axis) for i in range(3))
        images = images / 3
    return images


def _peaks(smooth, number):
    """Positions of the best candidates and whether there are so many."""
    batch, height, width = smooth.shape
    rows, columns = height // BLOCK, width // BLOCK
    blocks = smooth.reshape(batch, rows, BLOCK, columns, BLOCK)
    blocks = blocks.transpose(0, 1, 3, 2, 4).reshape(batch, rows, columns, -1)
    best, where = blocks.max(-1), blocks.argmax(-1)
    around = lax.reduce_window(
        best, -jnp.inf, lax.max, (1, 3, 3), (1, 1, 1), [(0, 0), (1, 1), (1, 1)]
    )
    score = jnp.log(jnp.maximum(best, _LEAST) / _BEST)
    score = -jnp.where(score > 0, _BRIGHTER * score, -score)
    score = jnp.where((best >= around) & (best > _LEAST), score, -jnp.inf)
    # With too few blocks for so many, empty ones are added.
    flat = score.reshape(batch, -1)
    flat = jnp.pad(
        flat, ((0, 0), (0, max(number - flat.shape[1], 0))), constant_values=-jnp.inf
    )
    score, index = lax.top_k(flat, number)
    index = jnp.minimum(index, rows * columns - 1)
    inside = jnp.take_along_axis(where.reshape(batch, -1), index, 1)
    y = index // columns * BLOCK + inside // BLOCK
    x = index % columns * BLOCK + inside % BLOCK
    return y, x, jnp.isfinite(score)


def _cut(images, y, x, size):
    """Square stamps about pixels; zeros are beyond the border."""
    half = size // 2
    padded = jnp.pad(images, ((0, 0), (half, half), (half, half)))

    def one(image, y, x):
        return lax.dynamic_slice(image, (y, x), (size, size))

    return jax.vmap(jax.vmap(one, (None, 0, 0)))(padded, y, x)


@keras.saving.register_keras_serializable(package="maximask_astro")
class StarStamps(keras.layers.Layer):
    """
    Stamps about the peaks of an image, at several scales.

    A peak is the brightest place of its neighborhood. Those well above the noise
    but hardly saturated come first; where there are too few, stamps are empty.

    Parameters
    ----------
    number : int
        How many peaks of each image have stamps.

    size : int
        Height and width of the stamps.

    scales : tuple of int
        Pixels of the image along a pixel of a stamp, for each of its stamps:
        divisors of ``BLOCK``.

    **kwargs
        As of `keras.layers.Layer`.
    """

    def __init__(self, number=24, size=32, scales=(1, 2, 4), **kwargs):
        super().__init__(**kwargs)
        self.number, self.size, self.scales = number, size, tuple(scales)

    def get_config(self):
        """Give the arguments."""
        own = {"number": self.number, "size": self.size, "scales": list(self.scales)}
        return {**super().get_config(), **own}

    def call(self, images):
        """
        Cut.

        Parameters
        ----------
        images : tensor
            In units of the sky noise, shape (batch, height, width, 1), both sizes
            multiples of ``BLOCK``.

        Returns
        -------
        stamps : tensor
            Shape (batch * number * scales, size, size, 2): the inverse hyperbolic
            sine, and the stamp in units of its peak.

        height : tensor
            Natural logarithm of the brightest pixel of the peak, 0 for stamps that
            are empty, shape (batch, number, 1).
        """
        images = images[..., 0]
        batch, height, width = images.shape
        y, x, there = _peaks(_mean3(images), self.number)
        # The brightest pixel, so that shapes of undersampled stars show as well.
        peak = jnp.where(there, _cut(images, y, x, 3).max((2, 3)), 0.0)
        peak = jnp.maximum(peak, 1.0)[..., None]
        stamps = []
        for scale in self.scales:
            plane = images.reshape(
                batch, height // scale, scale, width // scale, scale
            ).mean((2, 4))
            stamp = _cut(plane, y // scale, x // scale, self.size)
            unit = jnp.clip(stamp / peak[..., None], -0.5, 1.5)
            # The noise of a mean is so much less.
            both = jnp.stack([jnp.arcsinh(scale * stamp) / 3, unit], -1)
            stamps.append(jnp.where(there[..., None, None, None], both, 0.0))
        stamps = jnp.stack(stamps, 2).reshape(-1, self.size, self.size, 2)
        return stamps, jnp.log(peak)

    def compute_output_spec(self, images):
        """Give the shape and dtype of the outputs for symbolic input."""
        batch = images.shape[0]
        total = None if batch is None else batch * self.number * len(self.scales)
        return (
            keras.KerasTensor((total, self.size, self.size, 2), dtype="float32"),
            keras.KerasTensor((batch, self.number, 1), dtype="float32"),
        )
