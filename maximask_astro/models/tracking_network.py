"""
A small network that judges how a telescope tracked.

It looks in two ways. Convolutions describe the brightest places of an image one by
one, at several scales. And the autocorrelation shows the blur that all stars share,
far apart as its parts may be; convolutions over angle and radius describe it, turned
or not. In the light of this, the bright places are compared with one another by
attention (Vaswani et al. 2017, Advances in Neural Information Processing Systems 30):
stars are what is alike. Those taken for stars are stacked, since what noise and
neighbors hide in each shows in their mean, and convolutions describe the stacks.
"""

import numpy as np

from maximask_astro.models.autocorrelation import PolarAutocorrelation, StandOut
from maximask_astro.models.first_weights import HE_NORMAL
from maximask_astro.models.folding import Fold
from maximask_astro.models.layers import Convolution, pool
from maximask_astro.models.local_sky import LocalSky
from maximask_astro.models.stamps import StarStamps
from maximask_astro.utils.keras_backend import import_keras

__all__ = ["TRACKING_OUTPUTS", "build_tracking_network"]

keras = import_keras()
ops = keras.ops

# Log odds of three statements, the logarithm of the blur's length in pixels, and
# twice its angle as a vector.
TRACKING_OUTPUTS = ("affected", "defocused", "usable", "length", "cos", "sin")

# So much of a star more, of which nothing is known: few stars say little.
_UNKNOWN = 0.3

# How often the bright places are compared, and in how many ways each time.
_N_COMPARISONS, _N_WAYS = 2, 4

# Stars are stacked by so many choices of them. Single ones are described at so many
# of the scales, the finest; stacks at all.
_N_STACKS, _N_SCALES = 4, 2


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


def _largest(x):
    """
    Maximum along axis 1.

    By halves: the gradient of a maximum over an axis divides by the number of places
    that equal it, which may be 0 where a compiler computes them twice, with other
    rounding.
    """
    while x.shape[1] > 1:
        half = (x.shape[1] + 1) // 2
        x = ops.maximum(x[:, :half], x[:, -half:])
    return x[:, 0]


def _moments(features, gate):
    """Mean, scatter and largest of the features that a gate lets pass, and how many."""
    total = ops.sum(gate, axis=1)
    mean = ops.sum(gate * features, axis=1) / (total + _UNKNOWN)
    rest = (features - mean[:, None]) ** 2
    spread = ops.sqrt(ops.sum(gate * rest, axis=1) / (total + _UNKNOWN) + 1e-6)
    each = [mean, spread, _largest(gate * features), ops.log1p(total)]
    return ops.concatenate(each, axis=-1)


def _stack(stamps, gates):
    """
    Mean and scatter of the stamps that gates let pass.

    Stamps have the shape (batch, stars, scales, size, size, 2), gates (batch, stars,
    stacks); the stacks (batch * scales, size, size, 3 * stacks).
    """
    gates = gates / (ops.sum(gates, axis=1, keepdims=True) + _UNKNOWN)
    mean = ops.einsum("bksyxc,bkn->bsyxnc", stamps, gates)
    square = ops.einsum("bksyx,bkn->bsyxn", stamps[..., 1] ** 2, gates)
    scatter = ops.sqrt(ops.maximum(square - mean[..., 1] ** 2, 0.0) + 1e-4)
    stacks = ops.concatenate([mean, scatter[..., None]], axis=-1)
    size = stamps.shape[3]
    return ops.reshape(stacks, (-1, size, size, 3 * gates.shape[-1]))


def build_tracking_network(
    *,
    n_stars=32,
    channels=(24, 32, 48),
    polar=(24, 32, 48),
    n_units=96,
    kernel_initializer=HE_NORMAL,
):
    """
    Build the network.

    Parameters
    ----------
    n_stars : int, optional
        How many peaks are looked at one by one.

    channels : tuple of int, optional
        Channels at 1/2, 1/4, ... of the resolution of their stamps; at most 5.

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
        From images in any unit, sky included, shape (batch, height, width, 1),
        float32, to ``TRACKING_OUTPUTS``, shape (batch, 6). Height and width must
        be multiples of 8, and at least 128, so that blurs of 60 pixels can be
        seen.
    """
    layers = keras.layers

    def conv(x, name, filters):
        layer = Convolution(
            filters,
            3,
            activation="relu",
            kernel_initializer=kernel_initializer,
            name=name,
        )
        return layer(x)

    def dense(x, name, units, activation=None):
        layer = layers.Dense(
            units,
            activation=activation,
            kernel_initializer=kernel_initializer,
            dtype="float32",
            name=name,
        )
        return layer(x)

    image = keras.Input((None, None, 1), name="image")
    sky_free = LocalSky(name="sky", dtype="float32")(image)

    def describe(x, name, number):
        """Of stamps, so many of which belong together."""
        x = Fold(name=f"fold_{name}")(x)
        for level, filters in enumerate(channels, start=1):
            x = conv(x if level == 1 else pool(x), f"{name}{level}", filters)
        each = number * int(np.prod(x.shape[1:]))
        x = ops.reshape(ops.cast(x, "float32"), (-1, each))
        x = dense(x, f"{name}_scales", 2 * n_units)
        return ops.relu(
            layers.LayerNormalization(name=f"even_{name}", dtype="float32")(x)
        )

    cut = StarStamps(n_stars, name="stamps", dtype="float32")
    stamps, height = cut(sky_free)
    size = cut.size
    stamps = ops.reshape(stamps, (-1, n_stars, len(cut.scales), size, size, 2))
    x = ops.reshape(stamps[:, :, :_N_SCALES], (-1, size, size, 2))
    x = ops.reshape(describe(x, "star", _N_SCALES), (-1, n_stars, 2 * n_units))
    stars = dense(ops.concatenate([x, height / 4], axis=-1), "star", n_units)

    grid = PolarAutocorrelation(24, 24, name="autocorrelation", dtype="float32")
    x, strength = grid(StandOut(name="stand_out", dtype="float32")(sky_free))
    for number, filters in enumerate(polar, start=1):
        x = conv(_around(x), f"polar{number}", filters)[:, 1:-1, 1:-1]
        if number < len(polar):
            x = ops.maximum(x[:, :, ::2], x[:, :, 1::2])
    x = layers.Reshape((grid.n_angles, -1), name="by_angle")(x)
    x = dense(ops.cast(x, "float32"), "directions", n_units, "relu")
    direction = DoubleAngle(name="double_angle", dtype="float32")(
        dense(x, "toward", 1)[..., 0]
    )
    # Whatever its direction.
    x = ops.concatenate([ops.mean(x, axis=1), _largest(x)], axis=-1)
    shared = dense(
        ops.concatenate([x, 0.3 * strength], axis=-1), "blur", n_units, "relu"
    )

    stars = stars + dense(shared, "blur_of_stars", n_units)[:, None]
    there = ops.cast(height > 0, "float32")
    for number in range(1, _N_COMPARISONS + 1):
        x = layers.LayerNormalization(name=f"even{number}", dtype="float32")(stars)
        x = layers.MultiHeadAttention(
            _N_WAYS,
            max(n_units // _N_WAYS, 1),
            kernel_initializer=kernel_initializer,
            dtype="float32",
            name=f"compare{number}",
        )(x, x, attention_mask=there[..., 0][:, None])
        stars = stars + x
        x = layers.LayerNormalization(name=f"even{number}_again", dtype="float32")(
            stars
        )
        x = dense(x, f"hidden{number}", 2 * n_units, "relu")
        stars = stars + dense(x, f"change{number}", n_units)
    stars = ops.relu(
        layers.LayerNormalization(name="even_stars", dtype="float32")(stars)
    )
    gate = there * dense(stars, "gate", 1, "sigmoid")
    found = ops.sum(gate * dense(stars, "star_toward", 2), axis=1)
    direction = direction + found / (ops.sum(gate, axis=1) + _UNKNOWN)

    choices = there * dense(stars, "choices", _N_STACKS, "sigmoid")
    x = describe(_stack(stamps, choices), "stack", len(cut.scales))
    numbers = ops.log1p(ops.sum(choices, axis=1))
    stacks = dense(ops.concatenate([x, numbers], axis=-1), "stacks", n_units, "relu")
    direction = direction + dense(stacks, "stack_toward", 2)
    x = ops.concatenate([_moments(stars, gate), shared, stacks], axis=-1)
    x = dense(x, "hidden", n_units, "relu")
    # Without the two of the direction.
    outputs = dense(x, "outputs", len(TRACKING_OUTPUTS) - 2)
    outputs = ops.concatenate([outputs, direction], axis=-1)
    return keras.Model(image, outputs, name="tracking_network")
