"""
A small network that judges how a telescope tracked.

Convolutions describe what is near each place of an image; a gate says which
places show stars, and only these count in what is said about the image, however
large it is. It costs 2,300 multiply-adds a pixel.
"""

from maximask_astro.models.folded_unet import Fold
from maximask_astro.models.layers import Convolution, pool
from maximask_astro.utils.keras_backend import import_keras

__all__ = ["TRACKING_OUTPUTS", "build_tracking_network"]

keras = import_keras()
ops = keras.ops

# Log odds of three statements, the logarithm of the blur's length in pixels, and
# twice its angle as a vector.
TRACKING_OUTPUTS = ("affected", "defocused", "usable", "length", "cos", "sin")


@keras.saving.register_keras_serializable(package="maximask_astro")
class GatedMoments(keras.layers.Layer):
    """Mean and scatter over the places that a gate lets pass, and how many."""

    def call(self, features, gate):
        """
        Sum up.

        Parameters
        ----------
        features : tensor
            Shape (batch, height, width, channels).

        gate : tensor
            In [0, 1], shape (batch, height, width, 1).

        Returns
        -------
        summary : tensor
            Shape (batch, 2 * channels + 1).
        """
        features = ops.cast(features, "float32")
        gate = ops.cast(gate, "float32")
        total = ops.sum(gate, axis=(1, 2))
        # One place more, where nothing is: few stars say little.
        mean = ops.sum(gate * features, axis=(1, 2)) / (total + 1.0)
        rest = (features - mean[:, None, None]) ** 2
        variance = ops.sum(gate * rest, axis=(1, 2)) / (total + 1.0)
        spread = ops.sqrt(variance + 1e-6)
        return ops.concatenate([mean, spread, ops.log1p(total)], axis=-1)

    def compute_output_spec(self, features, gate):
        """Give the shape and dtype of the output for symbolic input."""
        batch, _, _, channels = features.shape
        return keras.KerasTensor((batch, 2 * channels + 1), dtype="float32")


def build_tracking_network(
    *,
    channels=(16, 32, 48, 96, 128),
    n_units=64,
    kernel_initializer="he_normal",
):
    """
    Build the network.

    Parameters
    ----------
    channels : tuple of int, optional
        Channels at 1/2, 1/4, ... of the full resolution; one level each.

    n_units : int, optional
        Units of the hidden dense layer.

    kernel_initializer : str or `keras.Initializer`, optional
        First values of the kernels; ``'zeros'`` for a network that is about to
        be given its weights.

    Returns
    -------
    model : `keras.Model`
        From sky-subtracted images in units of the sky noise, shape (batch,
        height, width, 1), float32, to ``TRACKING_OUTPUTS``, shape (batch, 6).
        Height and width must be multiples of 2 to the power of the number of
        levels.
    """
    layers = keras.layers

    def conv(x, name, filters, size=3, activation="relu"):
        layer = Convolution(
            filters,
            size,
            activation=activation,
            kernel_initializer=kernel_initializer,
            name=name,
        )
        return layer(x)

    image = keras.Input((None, None, 1), name="image")
    x = Fold()(ops.arcsinh(image))
    for level, filters in enumerate(channels, start=1):
        if level > 1:
            x = pool(x)
        x = conv(x, f"level{level}a", filters)
        if level > 1:
            x = conv(x, f"level{level}b", filters)
    gate = conv(x, "gate", 1, 1, "sigmoid")
    x = GatedMoments(name="moments")(x, gate)
    x = layers.Dense(
        n_units, activation="relu", kernel_initializer=kernel_initializer, name="hidden"
    )(x)
    outputs = layers.Dense(
        len(TRACKING_OUTPUTS),
        kernel_initializer=kernel_initializer,
        dtype="float32",
        name="outputs",
    )(x)
    return keras.Model(image, outputs, name="tracking_network")
