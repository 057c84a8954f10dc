"""Fringes: interference of sky lines within the detector."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import chance, log_uniform, uniform
from maximask_astro.simulation.fields import polynomial_field, power_law_field

__all__ = ["add_fringes"]

_N_LINES = 4

# Standard deviation of the pattern in units of the sky noise: the range for
# training, and the paper's.
_STRENGTHS, _STRENGTH_OF_PAPER = (0.4, 4.0), 0.6

# Fringes are labeled where the envelope is above a level and the
# pattern is visible above the noise. In the paper where the argument of the
# sigmoid, from -5 to 5, is above -0.2.
_LEAST, _VISIBLE = 0.2, 0.25
_LEAST_OF_PAPER = 0.4502


def add_fringes(key, image, scene):
    """
    Add fringes.

    The detector is a thin film of varying thickness: each sky line gives bands
    where twice the optical thickness is a whole number of wavelengths, and
    bands of several lines beat against one another. A polynomial envelope lets
    them fade over the frame (Paillassa et al. 2020, section 2.1.7, equations 9
    and 10; the film is instead of their real fringe maps).

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons, shape (height, width), without noise.

    scene : `Scene`
        The exposure.

    Returns
    -------
    image : array
        With fringes.

    mask : array
        Boolean: where the envelope is high enough.
    """
    keys = jax.random.split(key, 11)
    shape = image.shape
    # Thickness in wavelengths: a smooth slope with bumps on it.
    bands = log_uniform(keys[0], 0.7, 13.0, (2,)).prod() ** 0.5
    thickness = bands * (
        0.6 * polynomial_field(keys[1], shape, 3)
        + uniform(keys[2], 0.1, 0.6)
        * power_law_field(keys[3], shape, uniform(keys[9], 3.6, 5.0), 12.0)
    )
    ratios = 1 + uniform(keys[4], -0.06, 0.06, (_N_LINES,)) * jnp.arange(_N_LINES)
    weights = uniform(keys[5], 0.0, 1.0, (_N_LINES,)) ** 2
    weights = weights.at[0].set(1.0)
    phases = uniform(keys[6], 0.0, 2 * jnp.pi, (_N_LINES,))
    pattern = sum(
        weights[k] * jnp.cos(2 * jnp.pi * ratios[k] * thickness + phases[k])
        for k in range(_N_LINES)
    )
    pattern = (pattern - pattern.mean()) / (pattern.std() + 1e-12)
    whole = chance(keys[7], jnp.where(scene.as_paper, 0.0, 0.4))
    envelope = jax.nn.sigmoid(5 * polynomial_field(keys[8], shape, 3))
    envelope = jnp.where(whole, 1.0, envelope)
    strength = jnp.where(
        scene.as_paper, _STRENGTH_OF_PAPER, log_uniform(keys[10], *_STRENGTHS)
    )
    least = jnp.where(
        scene.as_paper, _LEAST_OF_PAPER, jnp.maximum(_LEAST, _VISIBLE / strength)
    )
    return image + scene.sigma * strength * envelope * pattern, envelope > least
