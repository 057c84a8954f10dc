"""Where extended contaminants stand out against what else is in an exposure."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.scene import noise_after_smoothing
from maximask_astro.simulation.significance import FAINTEST

__all__ = ["where_seen"]

# Squares of pixels whose scatter is measured, from every few pixels of them. A
# contaminant is looked for in three by three of them, and seen in those beside, too.
_SQUARE, _EVERY = 32, 4

# Scatter is that between pixels and the means of two which are so far apart from them,
# on either side, so that something as wide as stars has not all in it, and gradients
# cancel: in FWHM, and at least in pixels.
_APART, _LEAST_APART = 3.0, 12

# Of the absolute difference of a normal number and the mean of two: the deviation of
# each over its median.
_FROM_MEDIAN = 1.0 / (0.6745 * 1.5**0.5)

# Variance beyond this many times the noise is structure. It is correlated as stars
# are, over so many squares of the FWHM: the noise-equivalent area of a Gaussian. But
# most stars are known for what they are, and hide less than noise: this much.
_LARGER, _AREA = 1.2, 2.27
_UNKNOWN = 0.3


def _beside(values, how, first):
    return jax.lax.reduce_window(values, first, how, (3, 3), (1, 1), "SAME")


def _places(size, number):
    """Some pixels along an axis, alike in each square."""
    places = jnp.arange(number * _SQUARE // _EVERY) * _EVERY + _EVERY // 2
    return jnp.minimum(places, size - 1)


def _partners(places, size, apart):
    """Pixels so far from others on both sides, closer at the edges."""
    apart = jnp.minimum(apart, jnp.minimum(places, size - 1 - places))
    return places - apart, places + apart


def _variances(image, scene):
    """For each square, the variance of structure, and that of the noise."""
    height, width = image.shape
    n, m = -(-height // _SQUARE), -(-width // _SQUARE)
    apart = _APART * (scene.fwhm + 2 * scene.defocus)
    apart = jnp.maximum(apart, _LEAST_APART).astype(int)
    rows, columns = _places(height, n), _places(width, m)
    some = image[rows][:, columns]
    (below, above), (left, right) = (
        [image[y][:, x] for y, x in pairs]
        for pairs in (
            [(y, columns) for y in _partners(rows, height, apart)],
            [(rows, x) for x in _partners(columns, width, apart)],
        )
    )

    def of_squares(values):
        side = _SQUARE // _EVERY
        values = values.reshape(n, side, m, side).transpose(0, 2, 1, 3)
        return values.reshape(n, m, -1)

    differences = [
        of_squares(jnp.abs(some - (one + other) / 2))
        for one, other in ((below, above), (left, right))
    ]
    scatter = jnp.median(jnp.concatenate(differences, axis=-1), axis=-1)
    light = jnp.median(of_squares(some), axis=-1) - scene.sky
    noise = scene.sigma**2 + jnp.maximum(light, 0.0)
    structure = (_FROM_MEDIAN * scatter) ** 2 - _LARGER * noise
    return jnp.maximum(structure, 0.0), noise


def where_seen(light, image, scene):
    """
    Say where an extended contaminant stands out.

    There its integrated signal-to-noise ratio is large enough in a square of 96
    pixels (as of a matched filter, see
    `~maximask_astro.simulation.significance.signal_to_noise`). But noise is not all
    that hides it: crowded stars, clouds, or rows of different levels do, too, so the
    scatter of what else there is counts as noise that is correlated as stars are.

    Parameters
    ----------
    light : array
        Electrons of the contaminant, shape (height, width).

    image : array
        Electrons of the exposure with it, with noise, of the same shape.

    scene : `~maximask_astro.simulation.scene.Scene`
        The exposure.

    Returns
    -------
    seen : array
        Boolean, of the same shape.
    """
    structure, noise = _variances(image - light, scene)
    area = _AREA * (scene.fwhm + 2 * scene.defocus) ** 2
    area = _UNKNOWN * jnp.maximum(area, 1.0)
    noise = noise / noise_after_smoothing(scene.smoothing) ** 2
    n, m = noise.shape
    height, width = light.shape
    padding = ((0, n * _SQUARE - height), (0, m * _SQUARE - width))
    squares = jnp.pad(light**2, padding).reshape(n, _SQUARE, m, _SQUARE)
    total = _beside(squares.sum((1, 3)), jax.lax.add, 0.0)
    number = _beside(jnp.ones((n, m)), jax.lax.add, 0.0)
    variance = _beside(noise + area * structure, jax.lax.add, 0.0) / number
    ratio = _beside(jnp.sqrt(total / variance), jax.lax.max, 0.0)
    ratio = jax.image.resize(ratio, (n * _SQUARE, m * _SQUARE), "linear")
    return ratio[:height, :width] >= FAINTEST
