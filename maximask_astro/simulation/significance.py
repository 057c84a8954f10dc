"""What of a faint contaminant can be found at all."""

import jax.numpy as jnp

from maximask_astro.simulation.scene import noise_after_smoothing

__all__ = ["FAINTEST", "signal_to_noise"]

# What is spread over many pixels is simulated and labeled down to this integrated
# signal-to-noise ratio: among the many places, widths and directions in which
# something may lie in an exposure, noise alone reaches 5 to 6 somewhere.
FAINTEST = 7.0


def signal_to_noise(light, noise, scene, where=None):
    """
    Integrated signal-to-noise ratio, as of a matched filter.

    The root of the sum of squared ratios over the pixels. Noise that resampling
    has smoothed is larger over many pixels than it is in each: it counts as
    before smoothing.

    Parameters
    ----------
    light : array
        Electrons, shape (height, width).

    noise : array
        Standard deviation of each pixel in electrons, of the same shape or a
        scalar.

    scene : `~maximask_astro.simulation.scene.Scene`
        The exposure, for the smoothing of its noise.

    where : array, optional
        Boolean, the pixels that count.

    Returns
    -------
    ratio : array
        Scalar, at least 0.
    """
    squares = jnp.square(light / noise)
    total = squares.sum(where=where) if where is not None else squares.sum()
    return jnp.sqrt(total) * noise_after_smoothing(scene.smoothing)
