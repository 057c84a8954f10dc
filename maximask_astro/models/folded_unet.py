"""
A U-Net made for CPUs as much as for accelerators.

Its stem folds 2 by 2 pixels into channels (space to depth), so that nearly all
of the work is done on a quarter of the pixels in dense 3 by 3 convolutions; its
head unfolds them again. A few channels at full resolution bypass the fold: they
carry what single pixels show, and let a last convolution mend the blocks that
unfolding alone would leave.
"""

from maximask_astro.models.layers import Convolution, pool
from maximask_astro.utils.keras_backend import import_keras

__all__ = ["Fold", "Unfold", "build_folded_unet"]

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


def build_folded_unet(
    *,
    n_classes=14,
    channels=(24, 48, 96, 144, 192),
    fine=8,
    detail=12,
    kernel_initializer="he_normal",
):
    """
    Build the folded U-Net.

    Parameters
    ----------
    n_classes : int, optional
        Number of output classes.

    channels : tuple of int, optional
        Channels at 1/2, 1/4, ... of the full resolution; one level each.

    fine : int, optional
        Channels at full resolution.

    detail : int, optional
        Channels that the folded part hands to the full resolution.

    kernel_initializer : str or `keras.Initializer`, optional
        First values of the kernels; ``'zeros'`` for a network that is about to
        be given its weights.

    Returns
    -------
    model : `keras.Model`
        From sky-subtracted images in units of the sky noise, shape (batch,
        height, width, 1), float32, to logits, shape (batch, height, width,
        ``n_classes``). Height and width must be multiples of 2 to the power of
        the number of levels.
    """
    layers = keras.layers

    def conv(x, name, filters, size=3):
        layer = Convolution(
            filters,
            size,
            activation="relu",
            kernel_initializer=kernel_initializer,
            name=name,
        )
        return layer(x)

    image = keras.Input((None, None, 1), name="image")
    x = ops.arcsinh(image)
    full = conv(x, "fine", fine)
    x = layers.Concatenate()([Fold()(x), Fold()(full)])

    skips = []
    for level, filters in enumerate(channels, start=1):
        if level > 1:
            x = pool(x)
        x = conv(x, f"down{level}a", filters)
        if level > 1:
            x = conv(x, f"down{level}b", filters)
        if level == len(channels):  # for the widest view
            x = layers.Add()([x, conv(x, "bottom", filters)])
        skips.append(x)
    for level in range(len(channels) - 1, 0, -1):
        # A 1 by 1 convolution before upsampling, where there are fewer pixels.
        x = conv(x, f"narrow{level}", channels[level - 1], 1)
        x = layers.UpSampling2D(2, interpolation="nearest", name=f"up{level}")(x)
        x = layers.Add()([x, skips[level - 1]])
        x = conv(x, f"up{level}a", channels[level - 1])
    x = conv(x, "detail", 4 * detail, 1)
    x = layers.Concatenate()([Unfold()(x), full])
    final = Convolution(
        n_classes,
        3,
        kernel_initializer=kernel_initializer,
        name="logits",
    )
    return keras.Model(image, final(x), name="folded_unet")
