"""Saturation, and the charge that bleeds from saturated pixels."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import chance, choice, uniform
from maximask_astro.simulation.masks import dilate

__all__ = ["saturate"]


def _bleed(image, full_well, share):
    """Half of the excess flows up, half down, until it fills pixels."""
    excess = jnp.maximum(image - full_well, 0.0)
    filled = jnp.minimum(image, full_well)

    def flow(start, excess):
        def step(carry, row):
            here, extra = row
            total = here + carry + extra
            kept = jnp.minimum(total, full_well)
            return total - kept, kept

        return jax.lax.scan(step, jnp.zeros(start.shape[1]), (start, excess))[1]

    down = flow(filled, excess * share)
    return flow(down[::-1], (excess * (1 - share))[::-1])[::-1]


def saturate(key, image, scene):
    """
    Saturate an exposure (Paillassa et al. 2020, section 2.1.9).

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons, shape (height, width), without noise, sky included.

    scene : `Scene`
        The exposure.

    Returns
    -------
    image : array
        No pixel above the full well. In most exposures the excess bleeds along
        columns or rows; in some, pixels that saturated read less than their
        neighbors, or nothing.

    mask : array
        Boolean: where the full well was reached.
    """
    keys = jax.random.split(key, 6)
    well = scene.full_well
    kind = choice(keys[0], (0.55, 0.2, 0.25))  # along columns, along rows, none
    share = jnp.where(chance(keys[1], 0.7), 0.5, uniform(keys[5], 0.2, 0.8))
    # Made square, so that one bleeding serves both directions.
    height, width = image.shape
    side = max(height, width)
    square = jnp.pad(image, ((0, side - height), (0, side - width)))
    turned = jnp.where(kind == 1, square.T, square)
    bled = _bleed(turned, well, share)
    bled = jnp.where(kind == 1, bled.T, bled)[:height, :width]
    image = jnp.where(kind == 2, jnp.minimum(image, well), bled)
    mask = image >= 0.98 * well
    # Read-out of overfull pixels: clipped flat, noisy, or collapsed cores.
    odd = choice(keys[2], (0.75, 0.15, 0.1))
    core = ~dilate(~mask, 3)
    rough = well * (1 - 0.05 * jnp.abs(jax.random.normal(keys[3], image.shape)))
    image = jnp.where((odd == 1) & mask, rough, image)
    image = jnp.where((odd == 2) & core, well * uniform(keys[4], 0.0, 0.7), image)
    return image, mask
