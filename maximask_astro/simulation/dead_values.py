"""What dead pixels read: nothing, next to nothing, or too little."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, uniforms

__all__ = ["DeadValues", "dead_values_of_paper", "draw_dead_values"]

# How often defects read nothing, next to nothing, or a fraction of the light;
# the rest lack an amount, which a calibration took away or traps hold.
_NOTHING, _NEXT_TO_NOTHING, _FRACTION = 0.25, 0.15, 0.35
# The scatter of what is read, relative to it (or to the noise of the sky where
# that is next to nothing), as in the paper.
_SCATTER = 0.02
# The largest amount that is lacking, in units of the noise of the sky.
_LARGEST = 100.0
# As in the paper: one in three reads a fraction of the sky's light in this range.
_FRACTIONS_OF_PAPER = (0.1, 0.7)


class DeadValues(NamedTuple):
    """
    What defects read: ``keep * image + offset + scatter * noise``.

    Parameters
    ----------
    keep : array
        The fraction of the light that is read, by number of the defect.

    offset, scatter : array
        Electrons.
    """

    keep: jax.Array
    offset: jax.Array
    scatter: jax.Array

    def lack(self, light):
        """
        What is lacking.

        Parameters
        ----------
        light : array
            Electrons.

        Returns
        -------
        lack : array
            Electrons, without scatter.
        """
        return (1 - self.keep) * light - self.offset


def dead_values_of_paper(key, scene):
    """
    Draw values of bad pixels as in Paillassa et al. (2020, section 2.1.4).

    Parameters
    ----------
    key : array
        PRNG key.

    scene : `Scene`
        The exposure.

    Returns
    -------
    level, scatter : array
        Scalars, in electrons: nothing, next to nothing, or a fraction of the
        sky's light, and the standard deviation about that.
    """
    draw = uniforms(key, "kind", "level")
    low, high = _FRACTIONS_OF_PAPER
    fraction = draw.kind > 2 / 3
    level = jnp.where(fraction, scene.sky * (low + (high - low) * draw.level), 0.0)
    next_to_nothing = jnp.where(draw.kind > 1 / 3, _SCATTER * scene.sigma, 0.0)
    return level, jnp.where(fraction, _SCATTER * level, next_to_nothing)


def draw_dead_values(key, scene, visible):
    """
    Draw what defects read.

    Parameters
    ----------
    key : array
        PRNG key.

    scene : `Scene`
        The exposure.

    visible : array
        Shape (number,): how many times the noise of the sky each of the defects
        must lack to be seen. They lack that or more; a third of them little more.

    Returns
    -------
    values : `DeadValues`
        Arrays of that shape.
    """
    first, second = jax.random.split(key)
    draw = uniforms(first, "kind", "amount", shape=visible.shape)
    least = visible * scene.sigma
    drop = scene.sigma * log_between(draw.amount, visible, _LARGEST)
    smallest = jnp.clip(least / scene.sky, 1e-4, 0.9)
    fraction = log_between(draw.amount, smallest, 1.0)

    next_to = _NOTHING + _NEXT_TO_NOTHING
    partly = (draw.kind >= next_to) & (draw.kind < next_to + _FRACTION)
    keep = jnp.where(partly, 1 - fraction, 0.0)
    scatter = _SCATTER * jnp.where(partly, keep * scene.sky, scene.sigma)
    scatter = jnp.where(draw.kind < _NOTHING, 0.0, scatter)
    level, scatter_of_paper = dead_values_of_paper(second, scene)
    keep = jnp.where(scene.as_paper, 0.0, keep)
    offset = jnp.where(scene.as_paper, level, 0.0)
    scatter = jnp.where(scene.as_paper, scatter_of_paper, scatter)

    # Where the sky is faint, nothing would be seen of that.
    seen = (1 - keep) * scene.sky - offset >= 0.999 * least
    amount = ~seen | (~scene.as_paper & (draw.kind >= next_to + _FRACTION))
    return DeadValues(
        jnp.where(amount, 1.0, keep),
        jnp.where(amount, -drop, offset),
        jnp.where(amount, 0.0, scatter),
    )
