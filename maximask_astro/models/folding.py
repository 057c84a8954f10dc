"""Space to depth, and back."""

from maximask_astro.utils.keras_backend import import_keras

__all__ = ["Fold", "Unfold"]

keras = import_keras()
ops = keras.ops


@keras.saving.register_keras_serializable(package="maximask_astro")
class Fold(keras.layers.Layer):
    """Space to depth: 2 by 2 pixels become channels."""

    def call(self, x):
        """
        Fold.

        Parameters
        ----------
        x : tensor
            Shape (batch, height, width, channels), both sizes even.

        Returns
        -------
        folded : tensor
            Shape (batch, height / 2, width / 2, 4 * channels).
        """
        _, height, width, channels = x.shape
        x = ops.reshape(x, (-1, height // 2, 2, width // 2, 2, channels))
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
        return ops.reshape(x, (-1, height // 2, width // 2, 4 * channels))

    def compute_output_spec(self, x):
        """Give the shape and dtype of the output for symbolic input."""
        batch, height, width, channels = x.shape
        half = (None if size is None else size // 2 for size in (height, width))
        return keras.KerasTensor((batch, *half, 4 * channels), dtype=x.dtype)


@keras.saving.register_keras_serializable(package="maximask_astro")
class Unfold(keras.layers.Layer):
    """Depth to space: the inverse of `Fold`."""

    def call(self, x):
        """
        Unfold.

        Parameters
        ----------
        x : tensor
            Shape (batch, height, width, 4 * channels).

        Returns
        -------
        unfolded : tensor
            Shape (batch, 2 * height, 2 * width, channels).
        """
        _, height, width, channels = x.shape
        channels //= 4
        x = ops.reshape(x, (-1, height, width, 2, 2, channels))
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
        return ops.reshape(x, (-1, 2 * height, 2 * width, channels))

    def compute_output_spec(self, x):
        """Give the shape and dtype of the output for symbolic input."""
        batch, height, width, channels = x.shape
        double = (None if size is None else 2 * size for size in (height, width))
        return keras.KerasTensor((batch, *double, channels // 4), dtype=x.dtype)
