"""Run a network on whole images, without Keras."""

import jax.numpy as jnp

from maximask_astro.networks.frame import spread_segments
from maximask_astro.networks.kernels import apply_kernel

__all__ = ["ArrayGraph"]


class ArrayGraph:
    """
    Operations of a ``KerasGraph`` on arrays of shape (batch, height, width, channels).

    Parameters
    ----------
    weights : dict of str to array
        By path.
    """

    def __init__(self, weights):
        self._weights = weights

    def _layer(self, name):
        return (self._weights[f"{name}/{part}"] for part in ("kernel", "bias"))

    def arcsinh(self, x):
        return jnp.arcsinh(x)

    def conv(self, x, name, filters, size=3, activation="relu"):
        kernel, bias = self._layer(name)
        x = apply_kernel(x, kernel) + bias
        return jnp.maximum(x, 0) if activation == "relu" else x

    def pool(self, x):
        a, b, c, d = _corners(x)
        return jnp.maximum(jnp.maximum(a, b), jnp.maximum(c, d))

    def mixed_pool(self, x):
        a, b, c, d = _corners(x)
        half = x.shape[-1] // 2
        largest = jnp.maximum(jnp.maximum(a, b), jnp.maximum(c, d))[..., :half]
        return jnp.concatenate([largest, ((a + b + c + d) / 4)[..., half:]], axis=-1)

    def pool_with_positions(self, x):
        # Where sizes are odd, what is beyond the image is never the largest.
        odd = [(0, 0), *((0, size % 2) for size in x.shape[1:3]), (0, 0)]
        x = jnp.pad(x, odd, constant_values=-jnp.inf)
        corners = _corners(x)
        largest = jnp.maximum(
            jnp.maximum(corners[0], corners[1]), jnp.maximum(corners[2], corners[3])
        )
        # The first of several that are as large, as in `PoolWithPositions`.
        taken, positions = jnp.zeros(largest.shape, bool), []
        for corner in corners[:3]:
            here = (corner == largest) & ~taken
            taken = taken | here
            positions.append(here)
        return largest, [*positions, ~taken]

    def unpool(self, x, positions, before):
        places = [jnp.where(where, x, 0) for where in positions]
        pairs = [jnp.stack(places[i : i + 2], axis=3) for i in (0, 2)]
        number, height, width, channels = x.shape
        x = jnp.stack(pairs, axis=2).reshape(number, 2 * height, 2 * width, channels)
        return x[:, : before.shape[1], : before.shape[2]]

    def upsample(self, x, name):
        number, height, width, channels = x.shape
        x = jnp.broadcast_to(
            x[:, :, None, :, None], (number, height, 2, width, 2, channels)
        )
        return x.reshape(number, 2 * height, 2 * width, channels)

    def fold(self, x):
        number, height, width, channels = x.shape
        x = x.reshape(number, height // 2, 2, width // 2, 2, channels)
        x = x.transpose(0, 1, 3, 2, 4, 5)
        return x.reshape(number, height // 2, width // 2, 4 * channels)

    def unfold(self, x):
        number, height, width, channels = x.shape
        x = x.reshape(number, height, width, 2, 2, channels // 4)
        x = x.transpose(0, 1, 3, 2, 4, 5)
        return x.reshape(number, 2 * height, 2 * width, channels // 4)

    def add(self, first, second):
        return first + second

    def concatenate(self, maps):
        return jnp.concatenate(maps, axis=-1)

    def features_of(self, context, x):
        return context.features

    def add_lines(self, logits, context, name):
        if context.columns is None:  # added by somebody else
            return logits
        return logits + self.line_logits(context, name, logits.shape[1:3])

    def line_logits(self, context, name, shape):
        """
        What columns and rows alone say about pixels.

        Parameters
        ----------
        context : `FrameContext`
            Its ``offset`` has shape (batch, 2).

        name : str
            Of the layer.

        shape : tuple of two int
            Of the image.

        Returns
        -------
        logits : array
            Shape (batch, height, width, classes).
        """
        kernel, bias = self._layer(name)
        parts = [
            [
                spread_segments(values, axis, offset[axis], shape[axis])
                for values, offset in zip(
                    apply_kernel(values, kernel) + bias, context.offset, strict=True
                )
            ]
            for axis, values in enumerate((context.columns, context.rows))
        ]
        return jnp.stack(parts[0]) + jnp.stack(parts[1])


def _corners(x):
    """The pixels of cells of 2 by 2, row by row."""
    return tuple(x[:, i::2, j::2] for i in (0, 1) for j in (0, 1))
