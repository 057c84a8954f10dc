"""
The MaxiTrack network (Paillassa, Bertin & Bouy 2020, A&A 634, A48).

Five 9 by 9 convolutions with pooling, then three dense layers (their section
3.2 and figure 11; layer sizes as in the network published with MaxiMask
1.4.1).
"""

from functools import partial

from maximask_astro.models.first_weights import HE_NORMAL
from maximask_astro.utils.keras_backend import import_keras

__all__ = ["build_maxitrack"]

keras = import_keras()


def build_maxitrack(
    size=400,
    *,
    channels=(16, 32, 64, 128, 128),
    n_units=64,
    kernel_initializer=HE_NORMAL,
):
    """
    Build the MaxiTrack network.

    Its activations (PReLU) have one slope per pixel and channel, so the
    weights belong to one input size.

    Parameters
    ----------
    size : int, optional
        Height and width of the input images in pixels.

    channels : tuple of int, optional
        Channels of the convolutions.

    n_units : int, optional
        Units of the two hidden dense layers.

    kernel_initializer : str or `keras.Initializer`, optional
        First values of the kernels. ``'zeros'`` makes a network that is about
        to be given its weights at once.

    Returns
    -------
    model : `keras.Model`
        From sky-subtracted images in units of the sky noise, shape (batch,
        ``size``, ``size``, 1), float32, to logits, shape (batch, 2): tracked
        well, affected by tracking errors. A softmax gives the probabilities.
    """
    layers = keras.layers
    conv = partial(
        layers.Conv2D,
        kernel_size=9,
        padding="same",
        kernel_initializer=kernel_initializer,
    )
    dense = partial(layers.Dense, kernel_initializer=kernel_initializer)

    image = keras.Input((size, size, 1), name="image")
    x = keras.ops.arcsinh(image)
    for number, filters in enumerate(channels, start=1):
        x = conv(filters, name=f"conv{number}")(x)
        x = layers.PReLU(name=f"slopes{number}")(x)
        x = layers.MaxPooling2D(2, padding="valid", name=f"pool{number}")(x)
    x = layers.Flatten()(x)
    for number in (1, 2):
        x = dense(n_units, name=f"dense{number}")(x)
        x = layers.PReLU(name=f"slopes{len(channels) + number}")(x)
    logits = dense(2, name="dense3")(x)
    return keras.Model(image, logits, name="maxitrack")
