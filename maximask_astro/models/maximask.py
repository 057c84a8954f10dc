"""
The MaxiMask network (Paillassa, Bertin & Bouy 2020, A&A 634, A48).

An encoder and decoder of 3 by 3 convolutions whose pooling positions are
shared, with four extra decoding paths that start from coarser levels
(their section 3.1.1 and figure 10; layer sizes as in the network published
with MaxiMask 1.4.1).
"""

from maximask_astro.models.first_weights import HE_NORMAL
from maximask_astro.models.graph import KerasGraph
from maximask_astro.networks import maximask
from maximask_astro.utils.keras_backend import import_keras

__all__ = ["build_maximask"]

keras = import_keras()


def build_maximask(
    *,
    n_classes=14,
    channels=(32, 64, 128, 256, 256, 256),
    kernel_initializer=HE_NORMAL,
):
    """
    Build the MaxiMask network.

    Parameters
    ----------
    n_classes : int, optional
        Number of output classes.

    channels : tuple of 6 int, optional
        Channels at full resolution, 1/2, 1/4, 1/8, 1/16 and 1/32. The last
        two must be equal.

    kernel_initializer : str or `keras.Initializer`, optional
        First values of the kernels. ``'zeros'`` makes a network that is about
        to be given its weights at once.

    Returns
    -------
    model : `keras.Model`
        From sky-subtracted images in units of the sky noise, shape (batch,
        height, width, 1), float32, to logits, shape (batch, height, width,
        ``n_classes``), for images of any size. The inverse hyperbolic sine of
        the input is the network's first operation; a sigmoid of the logits
        gives the probabilities.

    Raises
    ------
    ValueError
        ``channels`` does not fit the network.
    """
    channels = tuple(channels)
    if len(channels) != 6 or channels[4] != channels[5]:
        raise ValueError(
            "channels must be six numbers, the last two of them equal, "
            f"not {channels!r}."
        )
    image = keras.Input((None, None, 1), name="image")
    graph = KerasGraph(kernel_initializer)
    logits = maximask(graph, image, n_classes=n_classes, channels=channels)
    return keras.Model(image, logits, name="maximask")
