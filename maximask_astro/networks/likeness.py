"""What tells exposures from other pictures: a network for patches, then the whole."""

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["N_FEATURES", "image_logit", "likeness_shapes", "patch_logits"]

# Of an image, see `maximask_astro.inference.image_features`, and how far from their
# mean they count, in deviations.
N_FEATURES, _FARTHEST = 7, 4.0

# Of the convolutions, each of which halves the size, and of the layer behind them.
_CHANNELS, _HIDDEN = (16, 32, 48, 64), 48


def likeness_shapes():
    """
    Give the shapes of the weights.

    Returns
    -------
    shapes : dict of str to tuple of int
        By path.
    """
    shapes, before = {}, 1
    for number, channels in enumerate(_CHANNELS):
        shapes[f"conv_{number}/kernel"] = (3, 3, before, channels)
        shapes[f"conv_{number}/bias"] = (channels,)
        before = channels
    # Of each channel the mean and the largest value.
    layers = {
        "hidden": (2 * before, _HIDDEN),
        "out": (_HIDDEN, 1),
        "image": (N_FEATURES, 1),
    }
    for name, sizes in layers.items():
        shapes[f"{name}/kernel"] = sizes
        shapes[f"{name}/bias"] = sizes[1:]
    # Mean and deviation of the features.
    return {**shapes, "image_mean": (N_FEATURES,), "image_scale": (N_FEATURES,)}


def image_logit(weights, features):
    """
    Judge images by what their patches are like.

    Parameters
    ----------
    weights : mapping of str to array
        Of `likeness_shapes`.

    features : `~numpy.ndarray`
        Shape (..., `N_FEATURES`), see `maximask_astro.inference.image_features`.

    Returns
    -------
    logits : `~numpy.ndarray`
        Shape (...): log odds that it is no exposure, if as many are as are not.
    """
    values = (features - weights["image_mean"]) / weights["image_scale"]
    values = np.clip(values, -_FARTHEST, _FARTHEST)
    return (values @ weights["image/kernel"] + weights["image/bias"])[..., 0]


def patch_logits(weights, patches):
    """
    Judge patches of images.

    Parameters
    ----------
    weights : mapping of str to array
        Of `likeness_shapes`.

    patches : array
        Shape (number, height, width): arcsinh of pixels above the patch's
        median, in units of its spread.

    Returns
    -------
    logits : array
        Shape (number,): log odds that a patch is none of an exposure, if as many are
        as are not.
    """
    maps = patches[..., None]
    for number in range(len(_CHANNELS)):
        maps = jax.lax.conv_general_dilated(
            maps,
            weights[f"conv_{number}/kernel"],
            (2, 2),
            "SAME",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        maps = jnp.maximum(maps + weights[f"conv_{number}/bias"], 0)
    values = jnp.concatenate([maps.mean((1, 2)), maps.max((1, 2))], axis=-1)
    values = values @ weights["hidden/kernel"] + weights["hidden/bias"]
    values = jnp.maximum(values, 0) @ weights["out/kernel"] + weights["out/bias"]
    return values[:, 0]
