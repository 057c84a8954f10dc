"""Losses: cross-entropies weighted so that rare classes count."""

import jax
import jax.numpy as jnp
import numpy as np

__all__ = [
    "balanced_cross_entropy",
    "class_weights",
    "effective_priors",
    "pixel_weights",
    "positive_weights",
    "weighted_cross_entropy",
]


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


def positive_weights(proportions, power):
    """
    Give the weights of the pixels of each class against all others.

    Parameters
    ----------
    proportions : array_like
        Fraction of pixels labeled with each class in the training set, shape
        (classes,), positive.

    power : float
        0 leaves the pixels as they are; with 1 those of the class count as
        much as all others together, nearly.

    Returns
    -------
    weights : `~numpy.ndarray`
        float32, at least 1.
    """
    return (np.asarray(proportions, dtype=float) ** -power).astype(np.float32)


def effective_priors(proportions, weights):
    """
    Give the fraction of each class as a weighted loss presents it.

    It takes the place of the fraction in the training set where probabilities
    are updated to other priors (Paillassa et al. 2020, equations 26 and 27).

    Parameters
    ----------
    proportions, weights : array_like
        As for and from `positive_weights`.

    Returns
    -------
    priors : `~numpy.ndarray`
        In (0, 1).
    """
    proportions = np.asarray(proportions, dtype=float)
    weighted = proportions * weights
    return weighted / (weighted + 1 - proportions)


def balanced_cross_entropy(logits, labels, weights, proportions, known=None):
    """
    Cross-entropy with pixels weighted class by class.

    In the paper's loss a rare class weights all of a pixel's classes. Here each
    class is a problem of its own: the pixels that have it count ``weights``
    times, and the mean is over the weights.

    Parameters
    ----------
    logits : array
        Shape (batch, height, width, classes).

    labels : array
        Boolean, of the same shape.

    weights, proportions : array
        From and as for `positive_weights`, shape (classes,).

    known : array, optional
        Boolean, of the shape of ``labels``: only these count.

    Returns
    -------
    loss : array
        Scalar, the sum over classes.
    """
    logits = logits.astype(jnp.float32)
    entropy = jax.nn.softplus(jnp.where(labels, -logits, logits))
    entropy = entropy * jnp.where(labels, weights, 1.0)
    if known is None:
        entropy = entropy.mean((0, 1, 2))
    else:
        entropy = jnp.where(known, entropy, 0.0).sum((0, 1, 2))
        entropy = entropy / jnp.maximum(known.sum((0, 1, 2)), 1)
    return (entropy / (weights * proportions + 1 - proportions)).sum()
