"""Cosmic rays: points, straight tracks and wandering worms of charge."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import (
    choice,
    log_uniform,
    normal,
    uniform,
)
from maximask_astro.simulation.masks import dilate

__all__ = ["add_cosmic_rays"]

_N_RAYS, _N_STEPS = 64, 96


def _paths(key, shape):
    """Positions along the tracks, shape (rays, steps), and which are used."""
    keys = jax.random.split(key, 7)
    n = _N_RAYS
    kind = choice(keys[0], (0.35, 0.35, 0.3), (n,))  # point, straight, worm
    length = jnp.select(
        [kind == 0, kind == 1],
        [uniform(keys[1], 0.3, 2.5, (n,)), log_uniform(keys[1], 2.0, 90.0, (n,))],
        log_uniform(keys[1], 4.0, 45.0, (n,)),
    )
    step = jnp.maximum(length / _N_STEPS, 0.25)[:, None]
    order = jnp.arange(_N_STEPS)
    used = order * step < length[:, None]
    # Multiple scattering: the direction walks at random, more for worms.
    scatter = jnp.where(kind == 2, uniform(keys[2], 0.1, 0.5, (n,)), 0.01)[:, None]
    turns = scatter * jnp.sqrt(step) * normal(keys[3], (n, _N_STEPS))
    start = uniform(keys[4], 0.0, 2 * jnp.pi, (n, 1))
    direction = start + jnp.cumsum(turns, axis=1)
    size = jnp.array(shape, jnp.float32)
    y0, x0 = (jax.random.uniform(keys[5], (n, 2)) * size).T
    y = y0[:, None] + jnp.cumsum(step * jnp.sin(direction), axis=1)
    x = x0[:, None] + jnp.cumsum(step * jnp.cos(direction), axis=1)
    return y, x, used, length


def add_cosmic_rays(key, image, scene):
    """
    Add cosmic rays (Paillassa et al. 2020, section 2.1.3).

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons, shape (height, width).

    scene : `Scene`
        The exposure.

    Returns
    -------
    image : array
        With cosmic rays.

    mask : array
        Boolean: pixels that got more than half the sky noise, dilated by 3 by
        3 pixels as in the paper.
    """
    keys = jax.random.split(key, 7)
    height, width = image.shape
    y, x, used, length = _paths(keys[0], image.shape)
    number = log_uniform(keys[1], 1.0, 1.0 + _N_RAYS)
    used = used & (jnp.arange(_N_RAYS) < number)[:, None]

    # Charge a pixel of path, with the fluctuations of energy loss on the way.
    typical = scene.sigma * log_uniform(keys[2], 4.0, 250.0, (_N_RAYS, 1))
    typical = jnp.minimum(typical, scene.full_well)
    loss = jnp.exp(0.5 * normal(keys[3], (_N_RAYS, _N_STEPS)))
    per_step = jnp.maximum(length / _N_STEPS, 0.25)[:, None]
    charge = jnp.where(used, typical * loss * per_step, 0.0)
    # Diffusion in the silicon, growing along the track.
    spread = uniform(keys[4], 0.05, 0.45, (_N_RAYS, 1))
    depth = jnp.linspace(0.0, 1.0, _N_STEPS)
    y = y + spread * jnp.sqrt(depth) * normal(keys[5], y.shape)
    x = x + spread * jnp.sqrt(depth) * normal(keys[6], x.shape)

    row, column = jnp.floor(y), jnp.floor(x)
    charges = jnp.zeros((height, width))
    for i in (0, 1):
        for j in (0, 1):
            share = jnp.abs(1 - i - (y - row)) * jnp.abs(1 - j - (x - column))
            index = ((row + i).astype(int), (column + j).astype(int))
            inside = (index[0] >= 0) & (index[1] >= 0)
            value = jnp.where(inside, charge * share, 0.0)
            charges = charges.at[index].add(value, mode="drop")
    return image + charges, dilate(charges > 0.5 * scene.sigma, 3)
