"""
The blur that all stars of an image share, seen in its autocorrelation.

The autocorrelation of an image of stars has that of the PSF in its middle,
wherever the stars are; what differs from star to star is spread out thinly. In
polar coordinates, with logarithmic radii, turning or widening the PSF only shifts
it.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.ndimage import map_coordinates

from maximask_astro.utils.keras_backend import import_keras

__all__ = ["LONGEST_LAG", "PolarAutocorrelation", "StandOut"]

keras = import_keras()

# The longest lag that is looked at, in pixels.
LONGEST_LAG = 62

# Samples a cell of the polar grid, in each direction: close enough to find the peak
# that sharp stars make at a long lag, when they have jumped.
_SAMPLES = 5

# Fraction of the zero lag below which all neighbors of it are noise.
_FLOOR = 0.02


@keras.saving.register_keras_serializable(package="maximask_astro")
class StandOut(keras.layers.Layer):
    """
    What stands out of the sky, in two ways.

    The first channel is the inverse hyperbolic sine, so that bright stars count for
    hardly more than faint ones; the second says where this is well above the noise.
    """

    def call(self, images):
        """
        Compute.

        Parameters
        ----------
        images : tensor
            In units of the sky noise, shape (batch, height, width, 1).

        Returns
        -------
        channels : tensor
            Shape (batch, height, width, 2).
        """
        height = jnp.clip(jnp.arcsinh(images[..., 0]), -3.0, 6.0)
        there = jnp.clip((height - 1.2) / 1.5, 0.0, 1.0)
        return jnp.stack([height, there], -1)

    def compute_output_spec(self, images):
        """Give the shape and dtype of the output for symbolic input."""
        return keras.KerasTensor((*images.shape[:3], 2), dtype="float32")


@keras.saving.register_keras_serializable(package="maximask_astro")
class PolarAutocorrelation(keras.layers.Layer):
    """
    The autocorrelation of each channel, on a polar grid.

    Angles go from 0 to pi, from the axis x towards y, since the other half is the
    same; radii from 1 to ``LONGEST_LAG`` pixels in equal ratios. Images are taken
    as periodic.

    Parameters
    ----------
    n_angles, n_radii : int
        Size of the grid.

    **kwargs
        As of `keras.layers.Layer`.
    """

    def __init__(self, n_angles=32, n_radii=24, **kwargs):
        super().__init__(**kwargs)
        self.n_angles, self.n_radii = n_angles, n_radii

    def get_config(self):
        """Give the arguments."""
        sizes = {"n_angles": self.n_angles, "n_radii": self.n_radii}
        return {**super().get_config(), **sizes}

    def _lags(self):
        """Lags y and x of the samples, shape (angles, radii, samples)."""
        within = (np.arange(_SAMPLES) + 0.5) / _SAMPLES - 0.5
        turn, out = (part.ravel() for part in np.meshgrid(within, within))
        angles = (np.arange(self.n_angles)[:, None, None] + turn) * np.pi
        angles = angles / self.n_angles
        step = np.log(LONGEST_LAG) / (self.n_radii - 1)
        radii = np.exp((np.arange(self.n_radii)[:, None] + out) * step)
        lags = radii * np.sin(angles), radii * np.cos(angles)
        return [jnp.asarray(lag, jnp.float32) for lag in lags]

    def call(self, images):
        """
        Compute.

        Parameters
        ----------
        images : tensor
            Shape (batch, height, width, channels).

        Returns
        -------
        correlation : tensor
            Shape (batch, angles, radii, 3 * channels): the mean of each cell in
            units of what neighboring pixels share, and the inverse hyperbolic
            sines of the ratios of its mean and its maximum to their scatter at
            long lags.

        strength : tensor
            Shape (batch, 3 * channels): logarithm of the variance, the part of
            it that neighboring pixels share, and the logarithm of the ratio of
            this to the scatter at long lags.
        """
        images = jnp.moveaxis(images.astype(jnp.float32), -1, 1)
        images = images - images.mean((2, 3), keepdims=True)
        size = images.shape[2:]
        power = jnp.abs(jnp.fft.rfft2(images)) ** 2
        plane = jnp.fft.irfft2(power, s=size) / (size[0] * size[1])
        variance = plane[:, :, 0, 0]
        # Noise is in the zero lag alone.
        shared = (plane[:, :, 0, 1] + plane[:, :, 1, 0]) / 2
        plane = plane.at[:, :, 0, 0].set(shared)

        lags = self._lags()

        def sample(plane):
            return map_coordinates(plane, lags, order=1, mode="wrap")

        samples = jax.vmap(jax.vmap(sample))(plane)
        polar = samples.mean(-1)
        far = slice(-self.n_radii // 4, None)
        least = 1e-3 * variance + 1e-6
        scatter = jnp.sqrt(polar[..., far].var((2, 3)) + 1e-12) + least
        sharp = jnp.sqrt(samples[..., far, :].var((2, 3, 4)) + 1e-12) + least
        unit = jnp.maximum(shared, 0.0) + _FLOOR * variance + 1e-6
        correlation = [
            polar / unit[..., None, None],
            jnp.arcsinh(polar / scatter[..., None, None]) / 3,
            jnp.arcsinh(samples.max(-1) / sharp[..., None, None]) / 3,
        ]
        strength = [
            jnp.log(variance + 1e-6),
            shared / (variance + 1e-6),
            jnp.log(unit / scatter),
        ]
        correlation = jnp.moveaxis(jnp.concatenate(correlation, 1), 1, -1)
        return correlation, jnp.concatenate(strength, 1)

    def compute_output_spec(self, images):
        """Give the shape and dtype of the outputs for symbolic input."""
        batch, _, _, channels = images.shape
        grid = (batch, self.n_angles, self.n_radii, 3 * channels)
        return (
            keras.KerasTensor(grid, dtype="float32"),
            keras.KerasTensor((batch, 3 * channels), dtype="float32"),
        )
