"""Layers of a network that has a view of the whole frame."""

import jax
import jax.numpy as jnp

from maximask_astro.background import BLOCK, SEGMENT
from maximask_astro.utils.keras_backend import import_keras

__all__ = ["FeaturesOfPart", "LinesOfPart", "MixedPool"]

keras = import_keras()


@keras.saving.register_keras_serializable(package="maximask_astro")
class MixedPool(keras.layers.Layer):
    """Largest of 2 by 2 pixels in half of the channels, mean in the others."""

    def call(self, x):
        """
        Pool.

        Parameters
        ----------
        x : tensor
            Shape (batch, height, width, channels), both sizes even.

        Returns
        -------
        pooled : tensor
            Shape (batch, height / 2, width / 2, channels).
        """
        half = x.shape[-1] // 2
        a, b, c, d = (x[:, i::2, j::2] for i in (0, 1) for j in (0, 1))
        largest = jnp.maximum(
            jnp.maximum(a[..., :half], b[..., :half]),
            jnp.maximum(c[..., :half], d[..., :half]),
        )
        mean = (a[..., half:] + b[..., half:] + c[..., half:] + d[..., half:]) / 4
        return jnp.concatenate([largest, mean], axis=-1)

    def compute_output_spec(self, x):
        """Give the shape and dtype of the output for symbolic input."""
        batch, height, width, channels = x.shape
        half = (None if size is None else size // 2 for size in (height, width))
        return keras.KerasTensor((batch, *half, channels), dtype=x.dtype)


@keras.saving.register_keras_serializable(package="maximask_astro")
class FeaturesOfPart(keras.layers.Layer):
    """The features of the part of a frame that an image is."""

    def call(self, features, origin, x):
        """
        Cut out.

        Parameters
        ----------
        features : tensor
            Of the blocks of a frame, shape (batch, rows, columns, features).

        origin : tensor
            Of integers, shape (batch, 2): row and column of the image's first pixel,
            multiples of 8.

        x : tensor
            A map of the image with pixels as large as blocks.

        Returns
        -------
        part : tensor
            Of the size of ``x``.
        """

        def of_one(features, origin):
            start = origin.astype("int32") // BLOCK
            size = (*x.shape[1:3], features.shape[-1])
            return jax.lax.dynamic_slice(features, (*start, 0), size)

        return jax.vmap(of_one)(features, origin)

    def compute_output_spec(self, features, origin, x):
        """Give the shape and dtype of the output for symbolic input."""
        return keras.KerasTensor((*x.shape[:3], features.shape[3]), features.dtype)


@keras.saving.register_keras_serializable(package="maximask_astro")
class LinesOfPart(keras.layers.Layer):
    """What segments of columns and rows of a frame say about each pixel of an image."""

    def call(self, columns, rows, origin, image):
        """
        Put together.

        Parameters
        ----------
        columns : tensor
            Logits of segments of the frame's columns, shape (batch, segments, width,
            classes).

        rows : tensor
            Of its rows, that is of the columns of the transposed frame, shape (batch,
            segments, height, classes).

        origin : tensor
            Of integers, shape (batch, 2): row and column of the image's first pixel.

        image : tensor
            Shape (batch, height, width, ...); only its size is used.

        Returns
        -------
        logits : tensor
            Shape (batch, height, width, classes).
        """
        height, width = image.shape[1:3]

        def part(values, along, across, size, breadth, order):
            """Of segments along, and so many pixels from one on across."""
            number = size // SEGMENT + 2
            # The last segment once more, for those that reach beyond.
            values = jnp.pad(values, ((0, number), (0, 0), (0, 0)), mode="edge")
            size_of = (number, breadth, values.shape[-1])
            values = jax.lax.dynamic_slice(
                values, (along // SEGMENT, across, 0), size_of
            )
            # As a product of matrices, which is quick to differentiate, too.
            segments = (along % SEGMENT + jnp.arange(size)) // SEGMENT
            which = (segments[:, None] == jnp.arange(number)).astype(values.dtype)
            return jnp.einsum(order, which, values, precision="highest")

        def of_one(columns, rows, origin):
            top, left = origin.astype("int32")
            down = part(columns, top, left, height, width, "ps,sqc->pqc")
            return down + part(rows, left, top, width, height, "ps,sqc->qpc")

        return jax.vmap(of_one)(columns, rows, origin)

    def compute_output_spec(self, columns, rows, origin, image):
        """Give the shape and dtype of the output for symbolic input."""
        return keras.KerasTensor((*image.shape[:3], columns.shape[3]), columns.dtype)
