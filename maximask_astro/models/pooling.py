"""
Max pooling that remembers where each maximum was, and its inverse.

The published MaxiMask network (Paillassa et al. 2020, A&A 634, A48, section
3.1.1) carries the positions of the maxima from its encoder to its decoder.
"""

from maximask_astro.utils.keras_backend import import_keras

__all__ = ["PoolWithPositions", "Unpool"]

keras = import_keras()
ops = keras.ops


@keras.saving.register_keras_serializable(package="maximask_astro")
class PoolWithPositions(keras.layers.Layer):
    """
    2 by 2 max pooling with stride 2 that also returns the maxima's positions.

    Odd sizes are padded at the end with minus infinity. Where several pixels
    of a window share the maximum, the first in row-major order holds it, as
    in the published network: bright flat areas make this matter.
    """

    def call(self, x):
        """
        Pool.

        Parameters
        ----------
        x : tensor
            Shape (batch, height, width, channels).

        Returns
        -------
        pooled : tensor
            Shape (batch, ceil(height / 2), ceil(width / 2), channels).

        first, second, third : tensor
            Boolean, of the shape of ``pooled``: whether the maximum is that
            pixel of its window (if none of them, it is the fourth).
        """
        odd = tuple(size % 2 for size in x.shape[1:3])
        if any(odd):
            padding = ((0, 0), (0, odd[0]), (0, odd[1]), (0, 0))
            x = ops.pad(x, padding, constant_values=float("-inf"))
        corners = [x[:, i::2, j::2, :] for i in (0, 1) for j in (0, 1)]
        pooled = ops.maximum(
            ops.maximum(corners[0], corners[1]), ops.maximum(corners[2], corners[3])
        )
        first = ops.equal(corners[0], pooled)
        second = ops.logical_and(ops.equal(corners[1], pooled), ops.logical_not(first))
        third = ops.logical_and(
            ops.equal(corners[2], pooled),
            ops.logical_not(ops.logical_or(first, second)),
        )
        return pooled, first, second, third

    def compute_output_spec(self, x):
        """Give the shapes and dtypes of the output for symbolic input."""
        batch, height, width, channels = x.shape
        half = [None if size is None else (size + 1) // 2 for size in (height, width)]
        shape = (batch, *half, channels)
        return (
            keras.KerasTensor(shape, dtype=x.dtype),
            *(keras.KerasTensor(shape, dtype="bool") for _ in range(3)),
        )


@keras.saving.register_keras_serializable(package="maximask_astro")
class Unpool(keras.layers.Layer):
    """Put each value back where its maximum was, zeros elsewhere."""

    def call(self, x, first, second, third, before):
        """
        Unpool.

        Parameters
        ----------
        x : tensor
            Shape (batch, ceil(height / 2), ceil(width / 2), channels).

        first, second, third : tensor
            Positions from `PoolWithPositions`.

        before : tensor
            The map that was pooled, shape (batch, height, width, channels);
            only its size is used.

        Returns
        -------
        y : tensor
            Shape (batch, height, width, channels).
        """
        fourth = ops.logical_not(ops.logical_or(ops.logical_or(first, second), third))
        rows = [
            ops.stack([ops.where(left, x, 0.0), ops.where(right, x, 0.0)], axis=3)
            for left, right in ((first, second), (third, fourth))
        ]
        y = ops.stack(rows, axis=2)
        height, width, channels = x.shape[1:]
        y = ops.reshape(y, (-1, 2 * height, 2 * width, channels))
        return y[:, : before.shape[1], : before.shape[2], :]

    def compute_output_spec(self, x, first, second, third, before):
        """Give the shape and dtype of the output for symbolic input."""
        shape = (*before.shape[:3], x.shape[3])
        return keras.KerasTensor(shape, dtype=x.dtype)
