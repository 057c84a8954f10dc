"""Subtract the sky and divide by its noise, within a network."""

import jax
import jax.numpy as jnp

from maximask_astro.utils.keras_backend import import_keras

__all__ = ["LocalSky", "clipped_moments"]

keras = import_keras()

# Boxes are so many pixels wide, of which every second counts either way.
_BOX, _STEP = 32, 2

_ROUNDS, _SIGMA = 4, 3.0

# One cell of two by two pixels in so many counts, either way, for their pattern.
_EVERY = 4

# In units of the noise, so that no later square overflows.
_LARGEST = 1e7

# The fraction of normal numbers below the mean less one standard deviation.
_BELOW = 0.16


def clipped_moments(values, rounds, *, robust=False):
    """
    Compute the moments of each row without its outliers.

    Parameters
    ----------
    values : array
        Shape (..., number).

    rounds : int
        How often values farther than three standard deviations from the median are
        left out.

    robust : bool, optional
        Whether to begin with the distance from the median to the percentile 16
        rather than with the standard deviation of all: what is brighter than the
        sky then does not count, be it nearly half of the values.

    Returns
    -------
    mean, median, rms : array
        Of what is left, shape (...).
    """
    values = jnp.sort(values, axis=-1)
    number = values.shape[-1]
    center = values[..., number // 2, None]
    values = values - center
    nothing = jnp.zeros((*values.shape[:-1], 1))
    sums, squares = (
        jnp.concatenate([nothing, jnp.cumsum(power, -1)], -1)
        for power in (values, values**2)
    )

    def moments(low, high):
        count = jnp.maximum(high - low, 1)
        mean, square = (
            (jnp.take_along_axis(table, high, -1) - jnp.take_along_axis(table, low, -1))
            / count
            for table in (sums, squares)
        )
        middle = jnp.clip((low + high) // 2, 0, number - 1)
        median = jnp.take_along_axis(values, middle, -1)
        return mean, median, jnp.sqrt(jnp.maximum(square - mean**2, 0.0))

    low = jnp.zeros((*values.shape[:-1], 1), jnp.int32)
    mean, median, rms = moments(low, jnp.full_like(low, number))
    if robust:
        rms = -values[..., int(_BELOW * number), None]
    for _ in range(rounds):
        low = (values < median - _SIGMA * rms).sum(-1, keepdims=True)
        high = (values <= median + _SIGMA * rms).sum(-1, keepdims=True)
        mean, median, rms = moments(low, high)
    return (mean + center)[..., 0], (median + center)[..., 0], rms[..., 0]


def _median_of_neighbors(values):
    """Median of each value and its eight neighbors."""
    padded = jnp.pad(values, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows, columns = values.shape[1:]
    around = [
        padded[:, i : i + rows, j : j + columns] for i in range(3) for j in range(3)
    ]
    return jnp.sort(jnp.stack(around), 0)[4]


def _pattern(images):
    """What the pixels of a two by two cell have more than its first, on average."""
    batch, height, width = images.shape
    cells = images.reshape(batch, height // 2, 2, width // 2, 2)
    some = cells[:, ::_EVERY, :, ::_EVERY].transpose(0, 2, 4, 1, 3)
    pattern = jnp.median(some.reshape(batch, 2, 2, -1), -1)
    pattern = pattern - pattern[:, :1, :1]  # where the level comes from
    return jnp.tile(pattern, (1, height // 2, width // 2))


@keras.saving.register_keras_serializable(package="maximask_astro")
class LocalSky(keras.layers.Layer):
    """
    Subtract the local sky and divide by the noise of the whole image.

    The sky is the clipped median in boxes of 32 pixels, filtered by a median over 3
    by 3 boxes and drawn linearly between their centers. Where a camera has a mosaic
    of color filters (Bayer), the mean differences between the pixels of its cells of
    two by two go, too. The noise is the median over
    the boxes of the clipped standard deviation, without those that have none. What
    is added to an image, or multiplies it, makes no difference.
    """

    def call(self, images):
        """
        Normalize.

        Parameters
        ----------
        images : tensor
            In any unit, shape (batch, height, width, 1).

        Returns
        -------
        normalized : tensor
            float32, of the same shape: multiples of the noise above the sky.
        """
        images = jax.lax.stop_gradient(images[..., 0].astype(jnp.float32))
        batch, height, width = images.shape
        missing = [(0, 0)] + [(0, -size % _BOX) for size in (height, width)]
        # Even rows stay even.
        padded = jnp.pad(images, missing, mode="reflect")
        rows, columns = (size // _BOX for size in padded.shape[1:])
        boxes = padded.reshape(batch, rows, _BOX, columns, _BOX)
        # The first pixels of cells of two by two.
        boxes = boxes[:, :, ::_STEP, :, ::_STEP].transpose(0, 1, 3, 2, 4)
        boxes = boxes.reshape(batch, rows, columns, -1)
        _, level, rms = clipped_moments(boxes, _ROUNDS, robust=True)
        level = jax.image.resize(_median_of_neighbors(level), padded.shape, "linear")
        level = level + _pattern(padded - level)
        noise = jnp.nanmedian(jnp.where(rms > 0, rms, jnp.nan), (1, 2))
        noise = jnp.where(noise > 0, noise, 1.0)[:, None, None]
        normalized = (images - level[:, :height, :width]) / noise
        return jnp.clip(normalized, -_LARGEST, _LARGEST)[..., None]

    def compute_output_spec(self, images):
        """Give the shape and dtype of the output for symbolic input."""
        return keras.KerasTensor(images.shape, dtype="float32")
