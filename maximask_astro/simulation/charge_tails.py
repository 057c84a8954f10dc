"""Tails of charge that detectors drag behind what is bright and sharp."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, uniforms
from maximask_astro.simulation.significance import FAINTEST

__all__ = ["drag_charge"]

# How often an exposure with cosmic rays has them: CCDs that radiation has damaged,
# and registers that multiply electrons, drag all their rays.
_OFTEN = 0.2

# Fraction of the charge that is late, and over how many pixels this falls to 1/e:
# from the trails that corrections of the charge transfer in space leave (a few
# percent) to those of EMCCDs, which are 20 to 300 pixels long.
_LATE, _SCALES = (0.05, 0.8), (5.0, 80.0)

# In half of the exposures with tails the fraction grows with the number of
# transfers, from nothing next to the register; else all of it is the register's.
_GROWING = 0.5


def drag_charge(key, charges, noise, scene):
    """
    Let some of the charge come late, as in a few exposures.

    Traps in a column that is read, or a register that multiplies electrons,
    release charge after its pixel has gone: exponential tails along columns or
    rows, all in the same direction.

    Parameters
    ----------
    key : array
        PRNG key.

    charges : array
        Electrons that cosmic rays left, shape (height, width).

    noise : array
        Local noise in electrons, of the same shape.

    scene : `Scene`
        The exposure; as in the paper, there are no tails.

    Returns
    -------
    charges : array
        With tails.

    mask : array
        Boolean: pixels of tails that stand out, those whose light has a
        signal-to-noise ratio of at least 7 altogether. They end where the light
        falls below the local noise, or below half of what the tail begins with
        if that is less.
    """
    draw = uniforms(
        key, "often", "late", "scale", "grows", "along_rows", "towards_first"
    )
    late = log_between(draw.late, *_LATE)
    scale = log_between(draw.scale, *_SCALES)
    keeps = jnp.exp(-1 / scale)

    def transfer(carry, arriving):
        tail, head = carry
        new, charge = arriving
        tail = keeps * tail + (1 - keeps) * new
        # A tail begins where most of it is new; what it began with is remembered.
        head = jnp.where((1 - keeps) * new > 0.5 * tail, tail, head)
        return (tail, head), (charge + tail, tail, head)

    def down(charges):
        """Along columns, away from the first row."""
        transfers = (jnp.arange(len(charges)) + 0.5) / len(charges)
        share = late * jnp.where(draw.grows < _GROWING, transfers, 1.0)[:, None]
        nothing = jnp.zeros(charges.shape[1])
        arriving = share * charges, (1 - share) * charges
        return jax.lax.scan(transfer, (nothing, nothing), arriving)[1]

    def right(charges):
        return tuple(part.T for part in down(charges.T))

    def turn(values):
        return jnp.where(draw.towards_first < 0.5, values[::-1, ::-1], values)

    def drag(charges):
        parts = jax.lax.cond(draw.along_rows < 0.5, right, down, turn(charges))
        total, tail, head = map(turn, parts)
        significant = head * jnp.sqrt(scale / 2) > FAINTEST * noise
        return total, significant & (tail > jnp.minimum(noise, 0.5 * head))

    def leave(charges):
        return charges, jnp.zeros(charges.shape, bool)

    often = jnp.where(scene.as_paper, 0.0, _OFTEN)
    return jax.lax.cond(draw.often < often, drag, leave, charges)
