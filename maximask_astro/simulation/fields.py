"""Smooth random fields: power laws and polynomials."""

import jax
import jax.numpy as jnp

__all__ = ["polynomial_field", "power_law_field"]


def power_law_field(key, shape, slope, smallest=2.0):
    """
    Gaussian random field with a power-law spectrum.

    Parameters
    ----------
    key : array
        PRNG key.

    shape : tuple of two int
        Height and width; the field is periodic over 1.5 times that, so that
        opposite sides of the frame differ.

    slope : float
        Power goes as the wave number to minus this.

    smallest : float, optional
        Structures smaller than this, in pixels, are smoothed away.

    Returns
    -------
    field : array
        Mean 0 and standard deviation 1 over the frame.
    """
    height, width = (int(1.5 * size) // 2 * 2 for size in shape)
    ky = jnp.fft.fftfreq(height)[:, None]
    kx = jnp.fft.rfftfreq(width)
    wave = jnp.hypot(ky, kx)
    amplitude = jnp.where(wave > 0, jnp.maximum(wave, 1e-6) ** (-slope / 2), 0.0)
    amplitude = amplitude * jnp.exp(-0.5 * (wave * smallest * 2.0) ** 2)
    white = jax.random.normal(key, (2, *amplitude.shape))
    field = jnp.fft.irfft2((white[0] + 1j * white[1]) * amplitude, s=(height, width))
    field = field[: shape[0], : shape[1]]
    field = field - field.mean()
    return field / (field.std() + 1e-12)


def polynomial_field(key, shape, degree=3):
    """
    Polynomial of two variables with random coefficients.

    Parameters
    ----------
    key : array
        PRNG key.

    shape : tuple of two int
        Height and width.

    degree : int, optional
        Total degree.

    Returns
    -------
    field : array
        From -1 to 1 over the frame.
    """
    y, x = jnp.meshgrid(
        jnp.linspace(-1.0, 1.0, shape[0]), jnp.linspace(-1.0, 1.0, shape[1]),
        indexing="ij",
    )  # fmt: skip
    powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i) if i + j]
    weights = jax.random.normal(key, (len(powers),))
    terms = (w * x**i * y**j for w, (i, j) in zip(weights, powers, strict=True))
    field = sum(terms)
    low, high = field.min(), field.max()
    return (2 * field - high - low) / (high - low + 1e-12)
