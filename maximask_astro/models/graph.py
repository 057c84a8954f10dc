"""
What networks are made of, in Keras.

A network is a function of such a graph and of an image. With `KerasGraph` it makes
a Keras model; `maximask_astro.models.streaming` runs the same function on a few rows
of an image after the other.
"""

from maximask_astro.models.folding import Fold, Unfold
from maximask_astro.models.layers import Convolution, pool
from maximask_astro.models.pooling import PoolWithPositions, Unpool
from maximask_astro.utils.keras_backend import import_keras

__all__ = ["KerasGraph"]

keras = import_keras()


class KerasGraph:
    """
    Symbolic operations on maps of shape (batch, height, width, channels).

    Parameters
    ----------
    kernel_initializer : str or `keras.Initializer`
        First values of the kernels of convolutions.
    """

    def __init__(self, kernel_initializer):
        self._kernel_initializer = kernel_initializer

    def arcsinh(self, x):
        """Inverse hyperbolic sine."""
        return keras.ops.arcsinh(x)

    def conv(self, x, name, filters, size=3, activation="relu"):
        """Convolution of 3 by 3 or 1 by 1, zeros beyond the border, with a bias."""
        layer = Convolution(
            filters,
            size,
            activation=activation,
            kernel_initializer=self._kernel_initializer,
            name=name,
        )
        return layer(x)

    def pool(self, x):
        """Largest of each 2 by 2 pixels."""
        return pool(x)

    def pool_with_positions(self, x):
        """Largest of each 2 by 2 pixels, and where it is."""
        pooled, *positions = PoolWithPositions()(x)
        return pooled, positions

    def unpool(self, x, positions, before):
        """Put values where the maxima of a map were."""
        return Unpool()(x, *positions, before)

    def upsample(self, x, name):
        """Repeat each pixel 2 by 2 times."""
        layer = keras.layers.UpSampling2D(2, interpolation="nearest", name=name)
        return layer(x)

    def fold(self, x):
        """2 by 2 pixels become channels."""
        return Fold()(x)

    def conv_folded(self, x, name, filters):
        """The same of a convolution, and what `unfold_conv` takes of it."""
        x = self.conv(x, name, filters)
        return Fold()(x), x

    def unfold_conv(self, x, full, name, filters):
        """Convolution of channels that become 2 by 2 pixels, beside full ones."""
        x = self.concatenate([Unfold()(x), full])
        return self.conv(x, name, filters, activation=None)

    def add(self, first, second):
        """Sum of two maps."""
        return keras.layers.Add()([first, second])

    def concatenate(self, maps):
        """The channels of all maps."""
        return keras.layers.Concatenate()(maps)
