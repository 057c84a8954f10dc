"""The loss of MaxiMask: weighted cross-entropy (Paillassa et al. 2020, 3.1.2)."""

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["class_weights", "pixel_weights", "weighted_cross_entropy"]


def class_weights(proportions, power=1.0):
    r"""
    Give the weights that let rare classes count.

    Equation 15 of the paper for ``power=1``:

    .. math:: w_c = \left(P_c \sum_i 1 / P_i\right)^{-1}

    with the proportions :math:`P_c` raised to ``power``.

    Parameters
    ----------
    proportions : array_like
        Fraction of pixels labeled with each class in the training set, shape
        (classes,), positive.

    power : float, optional
        1 weights all classes alike, 0 all pixels.

    Returns
    -------
    weights : `~numpy.ndarray`
        float32; their sum is 1.
    """
    inverse = np.asarray(proportions, dtype=float) ** -power
    return (inverse / inverse.sum()).astype(np.float32)


def pixel_weights(labels, weights):
    """
    Weight of each pixel: the sum of its classes' weights, smoothed.

    Equation 14 of the paper, then its Gaussian kernel of 3 by 3 pixels with
    unit standard deviation, which lets the neighborhood of rare pixels count.

    Parameters
    ----------
    labels : array
        Boolean, shape (batch, height, width, classes).

    weights : array
        From `class_weights`, shape (classes,).

    Returns
    -------
    pixels : array
        float32, shape (batch, height, width); the mean over the batch is 1.
    """
    pixels = jnp.where(labels, weights, 0.0).sum(-1)
    kernel = np.exp(-0.5 * np.array([1.0, 0.0, 1.0]))
    kernel /= kernel.sum()
    for axis in (1, 2):
        width = [(1, 1) if a == axis else (0, 0) for a in range(3)]
        padded = jnp.pad(pixels, width, mode="edge")
        size = pixels.shape[axis]
        pixels = sum(
            k * jax.lax.slice_in_dim(padded, i, i + size, axis=axis)
            for i, k in enumerate(kernel)
        )
    return pixels / pixels.mean()


def weighted_cross_entropy(logits, labels, pixels):
    """
    Cross-entropy summed over classes, weighted by pixel (equation 12).

    Parameters
    ----------
    logits : array
        Shape (batch, height, width, classes).

    labels : array
        Boolean, of the same shape.

    pixels : array
        Weights from `pixel_weights`, shape (batch, height, width).

    Returns
    -------
    loss : array
        Scalar, the weighted mean over pixels.
    """
    logits = logits.astype(jnp.float32)
    entropy = jax.nn.softplus(logits) - jnp.where(labels, logits, 0.0)
    return (entropy.sum(-1) * pixels).mean()
