"""
A U-Net made for CPUs as much as for accelerators.

Its stem folds 2 by 2 pixels into channels (space to depth), so that nearly all
of the work is done on a quarter of the pixels in dense 3 by 3 convolutions; its
head unfolds them again. A few channels at full resolution bypass the fold: they
carry what single pixels show, and let a last convolution mend the blocks that
unfolding alone would leave.
"""

from maximask_astro.models.graph import KerasGraph
from maximask_astro.networks import folded_unet
from maximask_astro.utils.keras_backend import import_keras

__all__ = ["build_folded_unet"]

keras = import_keras()


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
    image = keras.Input((None, None, 1), name="image")
    logits = folded_unet(
        KerasGraph(kernel_initializer),
        image,
        n_classes=n_classes,
        channels=channels,
        fine=fine,
        detail=detail,
    )
    return keras.Model(image, logits, name="folded_unet")
