"""Losses: cross-entropies weighted so that rare classes count."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

__all__ = [
    "LossWeights",
    "balanced_loss_weights",
    "class_weights",
    "effective_priors",
    "paper_loss_weights",
    "pixel_weights",
    "positive_weights",
    "weighted_cross_entropy",
]

_LARGEST_WEIGHT = 1000.0


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
        float32, from 1 to 1000: a class of which the training set has hardly
        any pixels, or none, must not outweigh the others.
    """
    weights = np.asarray(proportions, dtype=float) ** -power
    return np.minimum(weights, _LARGEST_WEIGHT).astype(np.float32)


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


class LossWeights(NamedTuple):
    """
    How much each pixel and class counts in a loss.

    Parameters
    ----------
    positive, negative : array
        Of pixels that have the class and that have it not, shape (classes,).

    pixels : array or None
        Of each pixel, whatever it has, shape (batch, height, width, 1) or that
        of the labels; a factor on the others.
    """

    positive: jax.Array
    negative: jax.Array
    pixels: jax.Array | None = None


def paper_loss_weights(labels, weights):
    """
    Give the weights of the paper's loss (equation 12): classes share a pixel's.

    Parameters
    ----------
    labels : array
        Boolean, shape (batch, height, width, classes).

    weights : array
        From `class_weights`, shape (classes,).

    Returns
    -------
    loss_weights : `LossWeights`
        The loss is then the mean over the pixels of the sum over the classes.
    """
    pixels = pixel_weights(labels, weights)
    mean = jnp.full(labels.shape[-1], 1 / pixels.size, jnp.float32)
    return LossWeights(mean, mean, pixels[..., None])


def balanced_loss_weights(labels, weights, proportions, known=None):
    """
    Give weights that are set class by class.

    In the paper's loss a rare class weights all of a pixel's classes. Here each
    class is a problem of its own: the pixels that have it count ``weights``
    times, and the loss is the sum of the classes' means over the weights.

    Parameters
    ----------
    labels : array
        Boolean, shape (batch, height, width, classes).

    weights, proportions : array
        From and as for `positive_weights`, shape (classes,).

    known : array, optional
        Boolean, of the shape of ``labels``: only these count.

    Returns
    -------
    loss_weights : `LossWeights`
        For `weighted_cross_entropy`.
    """
    n_classes = labels.shape[-1]
    if known is None:
        number = jnp.full(n_classes, labels.size // n_classes, jnp.float32)
    else:
        number = jnp.maximum(known.sum((0, 1, 2)), 1)
    negative = 1 / (number * (weights * proportions + 1 - proportions))
    return LossWeights(weights * negative, negative, known)


def weighted_cross_entropy(logits, labels, loss_weights):
    """
    Weighted sum of cross-entropies over pixels and classes.

    Parameters
    ----------
    logits : array
        Shape (batch, height, width, classes), or without the first.

    labels : array
        Boolean, of the same shape.

    loss_weights : `LossWeights`
        From `paper_loss_weights` or `balanced_loss_weights`.

    Returns
    -------
    loss : array
        Scalar; a batch has the sum of what its exposures have.
    """
    logits = logits.astype(jnp.float32)
    positive, negative, pixels = loss_weights
    entropy = jax.nn.softplus(jnp.where(labels, -logits, logits))
    entropy = entropy * jnp.where(labels, positive, negative)
    return (entropy if pixels is None else entropy * pixels).sum()
