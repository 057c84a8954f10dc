"""Morphology of masks, within jitted functions."""

import jax
import jax.numpy as jnp

__all__ = ["dilate", "smooth"]


def dilate(mask, size):
    """
    Dilate a mask by a square.

    Parameters
    ----------
    mask : array
        Boolean, shape (height, width).

    size : int
        Side of the square, odd.

    Returns
    -------
    dilated : array
        Boolean.
    """
    values = mask.astype(jnp.float32)
    for window in ((size, 1), (1, size)):
        values = jax.lax.reduce_window(values, 0.0, jax.lax.max, window, (1, 1), "SAME")
    return values > 0.5


def smooth(image, sigma):
    """
    Smooth with a Gaussian, by a product of Fourier transforms.

    Parameters
    ----------
    image : array
        Shape (height, width); taken as periodic.

    sigma : float
        Standard deviation in pixels.

    Returns
    -------
    smoothed : array
        Of the same shape.
    """
    ky = jnp.fft.fftfreq(image.shape[0])[:, None]
    kx = jnp.fft.rfftfreq(image.shape[1])
    transfer = jnp.exp(-2 * (jnp.pi * sigma) ** 2 * (ky**2 + kx**2))
    return jnp.fft.irfft2(jnp.fft.rfft2(image) * transfer, s=image.shape)
