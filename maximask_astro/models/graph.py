"""
What networks are made of, in Keras.

A network is a function of such a graph and of an image. With `KerasGraph` it makes
a Keras model; `maximask_astro.models.streaming` runs the same function on a few rows
of an image after the other.
"""

from maximask_astro.models.folding import Fold, Unfold
from maximask_astro.models.frame_layers import FeaturesOfPart, LinesOfPart, MixedPool
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
        """
        Take the inverse hyperbolic sine.

        Parameters
        ----------
        x : tensor
            A map.

        Returns
        -------
        y : tensor
            Another map.
        """
        return keras.ops.arcsinh(x)

    def conv(self, x, name, filters, size=3, activation="relu"):
        """
        Convolve, with zeros beyond the border, and add a bias.

        Parameters
        ----------
        x : tensor
            A map.

        name : str
            Of the layer and its weights.

        filters : int
            Channels of the result.

        size : {3, 1}, optional
            Of the kernel.

        activation : {'relu', None}, optional
            What is applied to the result.

        Returns
        -------
        y : tensor
            Another map.
        """
        layer = Convolution(
            filters,
            size,
            activation=activation,
            kernel_initializer=self._kernel_initializer,
            name=name,
        )
        return layer(x)

    def pool(self, x):
        """
        Take the largest of each 2 by 2 pixels.

        Parameters
        ----------
        x : tensor
            A map.

        Returns
        -------
        y : tensor
            Another map, half as high and wide.
        """
        return pool(x)

    def mixed_pool(self, x):
        """
        Take the largest of 2 by 2 pixels, of half of the channels, and the mean.

        Parameters
        ----------
        x : tensor
            A map.

        Returns
        -------
        y : tensor
            Another map, half as high and wide.
        """
        return MixedPool()(x)

    def features_of(self, context, x):
        """
        Give the features of the frame where a map is.

        Parameters
        ----------
        context : `~maximask_astro.networks.FrameContext`
            Of the frame, with the place of the image in it as ``offset``.

        x : tensor
            A map with pixels as large as the frame's blocks.

        Returns
        -------
        features : tensor
            Another map of that size.
        """
        return FeaturesOfPart()(context.features, context.offset, x)

    def add_lines(self, logits, context, name):
        """
        Add what the frame's columns and rows say.

        Parameters
        ----------
        logits : tensor
            A map with the pixels of the image.

        context : `~maximask_astro.networks.FrameContext`
            As of `features_of`.

        name : str
            Of the layer and its weights.

        Returns
        -------
        logits : tensor
            Another map.
        """
        layer = Convolution(
            logits.shape[-1],
            1,
            kernel_initializer=self._kernel_initializer,
            name=name,
        )
        columns, rows = layer(context.columns), layer(context.rows)
        of_lines = LinesOfPart()(columns, rows, context.offset, logits)
        return keras.layers.Add()([logits, of_lines])

    def pool_with_positions(self, x):
        """
        Take the largest of each 2 by 2 pixels, and note where it is.

        Parameters
        ----------
        x : tensor
            A map.

        Returns
        -------
        y : tensor
            Another map, half as high and wide.

        positions : list of tensor
            For `unpool`.
        """
        pooled, *positions = PoolWithPositions()(x)
        return pooled, positions

    def unpool(self, x, positions, before):
        """
        Put values where the maxima of a map were, zeros elsewhere.

        Parameters
        ----------
        x : tensor
            A map.

        positions : list of tensor
            From `pool_with_positions`.

        before : tensor
            What was pooled.

        Returns
        -------
        y : tensor
            Another map, of the size of ``before``.
        """
        return Unpool()(x, *positions, before)

    def upsample(self, x, name):
        """
        Repeat each pixel 2 by 2 times.

        Parameters
        ----------
        x : tensor
            A map.

        name : str
            Of the layer and its weights.

        Returns
        -------
        y : tensor
            Another map, twice as high and wide.
        """
        layer = keras.layers.UpSampling2D(2, interpolation="nearest", name=name)
        return layer(x)

    def fold(self, x):
        """
        Make 2 by 2 pixels channels (space to depth).

        Parameters
        ----------
        x : tensor
            A map.

        Returns
        -------
        y : tensor
            Another map, half as high and wide.
        """
        return Fold()(x)

    def unfold(self, x):
        """
        Make channels 2 by 2 pixels (depth to space).

        Parameters
        ----------
        x : tensor
            A map.

        Returns
        -------
        y : tensor
            Another map, twice as high and wide.
        """
        return Unfold()(x)

    def add(self, first, second):
        """
        Add two maps.

        Parameters
        ----------
        first, second : tensor
            Maps of the same shape.

        Returns
        -------
        y : tensor
            Their sum.
        """
        return keras.layers.Add()([first, second])

    def concatenate(self, maps):
        """
        Put the channels of maps together.

        Parameters
        ----------
        maps : list of tensor
            Maps of the same height and width.

        Returns
        -------
        y : tensor
            One map.
        """
        return keras.layers.Concatenate()(maps)
