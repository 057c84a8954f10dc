"""
A small network that judges how a telescope tracked.

It looks in two ways. Convolutions describe what is near each place of an image; a
gate says which places show stars, and only these count in what is said about the
image, however large it is. And the autocorrelation shows the blur that all stars
share; convolutions over angle and radius describe it, turned or not.
"""

import numpy as np

from maximask_astro.models.autocorrelation import PolarAutocorrelation, StandOut
from maximask_astro.models.folded_unet import Fold, Unfold
from maximask_astro.models.layers import Convolution, pool
from maximask_astro.utils.keras_backend import import_keras

__all__ = ["TRACKING_OUTPUTS", "build_tracking_network"]

keras = import_keras()
ops = keras.ops

# Log odds of three statements, the logarithm of the blur's length in pixels, and
# twice its angle as a vector.
TRACKING_OUTPUTS = ("affected", "defocused", "usable", "length", "cos", "sin")

# Channels that the network may hide parts of before it correlates them.
_N_GATED = 2


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


@keras.saving.register_keras_serializable(package="maximask_astro")
class DoubleAngle(keras.layers.Layer):
    """Sum of unit vectors at twice the angles, which run from 0 to pi."""

    def call(self, lengths):
        """
        Sum up.

        Parameters
        ----------
        lengths : tensor
            Of the vectors, shape (batch, angles).

        Returns
        -------
        vector : tensor
            x and y, shape (batch, 2), divided by the root of the number of angles.
        """
        number = lengths.shape[1]
        turned = 2 * np.pi / number * np.arange(number)
        vectors = np.stack([np.cos(turned), np.sin(turned)], -1) / number**0.5
        return ops.matmul(lengths, vectors.astype("float32"))

    def compute_output_spec(self, lengths):
        """Give the shape and dtype of the output for symbolic input."""
        return keras.KerasTensor((lengths.shape[0], 2), dtype="float32")


def _around(x):
    """Put what follows the last angle, the first, beside it, and so on."""
    x = ops.concatenate([x[:, -1:], x, x[:, :1]], axis=1)
    return ops.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0)))


def build_tracking_network(
    *,
    channels=(16, 24, 40, 64, 96),
    polar=(32, 48, 64, 64),
    n_units=64,
    kernel_initializer="he_normal",
):
    """
    Build the network.

    Parameters
    ----------
    channels : tuple of int, optional
        Channels at 1/2, 1/4, ... of the full resolution; one level each.

    polar : tuple of int, optional
        Channels of the convolutions over angles and radii, each on half of the
        radii of the one before, but for the last.

    n_units : int, optional
        Units of the hidden dense layers.

    kernel_initializer : str or `keras.Initializer`, optional
        First values of the kernels; ``'zeros'`` for a network that is about to
        be given its weights.

    Returns
    -------
    model : `keras.Model`
        From sky-subtracted images in units of the sky noise, shape (batch,
        height, width, 1), float32, to ``TRACKING_OUTPUTS``, shape (batch, 6).
        Height and width must be multiples of 2 to the power of the number of
        levels, and at least 128, so that blurs of 60 pixels can be seen.
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

    def dense(x, name, units, activation=None, dtype=None):
        layer = layers.Dense(
            units,
            activation=activation,
            kernel_initializer=kernel_initializer,
            dtype=dtype,
            name=name,
        )
        return layer(x)

    image = keras.Input((None, None, 1), name="image")
    x = Fold(name="fold")(ops.arcsinh(image))
    x = conv(x, "level1a", channels[0])
    x = conv(x, "level1b", channels[0])
    hidden = Unfold(name="unfold")(conv(x, "hide", 4 * _N_GATED, 1, "sigmoid"))
    for level, filters in enumerate(channels[1:], start=2):
        x = conv(pool(x), f"level{level}a", filters)
        if level > 2:
            x = conv(x, f"level{level}b", filters)
    gate = conv(x, "gate", 1, 1, "sigmoid")
    seen = GatedMoments(name="moments", dtype="float32")(x, gate)

    bright = StandOut(name="stand_out", dtype="float32")(image)
    chosen = ops.cast(hidden, "float32") * bright[..., :1]
    bright = ops.concatenate([bright, chosen], axis=-1)
    grid = PolarAutocorrelation(name="autocorrelation", dtype="float32")
    x, strength = grid(bright)
    for number, filters in enumerate(polar, start=1):
        x = layers.Conv2D(
            filters,
            3,
            activation="relu",
            kernel_initializer=kernel_initializer,
            name=f"polar{number}",
        )(_around(x))
        if number < len(polar):
            x = ops.maximum(x[:, :, ::2], x[:, :, 1::2])
    x = layers.Reshape((grid.n_angles, -1), name="by_angle")(x)
    x = dense(x, "directions", n_units, "relu", "float32")
    direction = DoubleAngle(name="double_angle", dtype="float32")(
        dense(x, "toward", 1, dtype="float32")[..., 0]
    )
    # Whatever its direction.
    summary = [ops.mean(x, axis=1), ops.max(x, axis=1), ops.min(x, axis=1)]
    x = ops.concatenate([*summary, 0.3 * strength, seen], axis=-1)
    x = dense(x, "hidden", n_units, "relu", "float32")
    # Without the two of the direction.
    outputs = dense(x, "outputs", len(TRACKING_OUTPUTS) - 2, dtype="float32")
    outputs = ops.concatenate([outputs, direction], axis=-1)
    return keras.Model(image, outputs, name="tracking_network")
