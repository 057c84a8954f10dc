"""Trails of satellites, airplanes and meteors."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import chance, choice, log_uniform, uniform
from maximask_astro.simulation.scene import pixel_grid

__all__ = ["add_trails"]

_N_TRAILS = 3


def add_trails(key, image, scene):
    """
    Add trails (Paillassa et al. 2020, section 2.1.6).

    Point-like or out of focus (a disk, or a ring behind a central
    obstruction, which is how meteors and airplanes look: their equation 7),
    steady, flaring or tumbling, ending within the frame or not, alone or
    several in parallel.

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
        With trails.

    mask : array
        Boolean: where a trail's profile is above half of the sky noise, and
        1.5 pixels beyond on either side.
    """
    keys = jax.random.split(key, 15)
    height, width = image.shape
    y, x = pixel_grid(image.shape)
    number = jnp.minimum(choice(keys[0], (0.8, 0.13, 0.07)) + 1, _N_TRAILS)
    angle = uniform(keys[1], 0.0, jnp.pi)
    parallel = chance(keys[2], 0.6)
    reach = 0.5 * float((height**2 + width**2) ** 0.5)

    wide = chance(keys[3], 0.3)
    radius = jnp.where(wide, log_uniform(keys[4], 2.0, 20.0), 0.0)
    hole = radius * jnp.where(chance(keys[5], 0.5), uniform(keys[14], 0.2, 0.6), 0.0)
    blur = 0.47 * scene.fwhm  # across a trail the core is nearly Gaussian
    peak = scene.sigma * log_uniform(keys[6], 0.6, 300.0, (_N_TRAILS,))

    offset = uniform(keys[7], -0.45, 0.45, (_N_TRAILS, 2)) * jnp.array(image.shape)
    tilt = jnp.where(parallel, 0.0, uniform(keys[8], 0.0, jnp.pi, (_N_TRAILS,)))
    ends = chance(keys[9], 0.2, (_N_TRAILS,))
    begin = uniform(keys[10], -0.8, 0.3, (_N_TRAILS,)) * reach
    extent = uniform(keys[11], 0.3, 1.2, (_N_TRAILS,)) * reach
    kind = choice(keys[12], (0.6, 0.2, 0.2), (_N_TRAILS,))
    shape = uniform(keys[13], 0.0, 1.0, (_N_TRAILS, 3))

    def add_trail(index, drawn):
        total, mask = drawn
        turn = angle + tilt[index]
        dy = y - height / 2 - offset[index, 0]
        dx = x - width / 2 - offset[index, 1]
        along = jnp.cos(turn) * dx + jnp.sin(turn) * dy
        across = jnp.abs(jnp.cos(turn) * dy - jnp.sin(turn) * dx)

        point = jnp.exp(-0.5 * (across / blur) ** 2)
        # A disk seen edge-on along its motion: a chord, less that of the hole.
        soft = blur**2 + 0.25

        def chord(size):
            return jnp.sqrt(jnp.maximum(size**2 - across**2, 0.0) + 0.05 * soft)

        disk = chord(radius) - jnp.where(hole > 0, chord(hole), 0.0)
        edge = jax.nn.sigmoid((radius + 0.5 - across) / jnp.maximum(0.4 * blur, 0.3))
        disk = disk * edge / jnp.maximum(radius - 0.5 * hole, 1.0)
        profile = jnp.where(wide, disk, point)

        flare_at, flare_size, period = shape[index]
        from_flare = along / reach - 1.4 * (flare_at - 0.5)
        flare = 0.15 + jnp.exp(-0.5 * (from_flare / (0.04 + 0.3 * flare_size)) ** 2)
        waves = 2 * jnp.pi * (along / reach) * (2 + 20 * period)
        tumble = 0.55 + 0.45 * jnp.cos(waves + 6 * flare_at)
        light = jnp.select([kind[index] == 1, kind[index] == 2], [flare, tumble], 1.0)
        within = jax.nn.sigmoid((along - begin[index]) / blur) * jax.nn.sigmoid(
            (begin[index] + extent[index] - along) / blur
        )
        light = peak[index] * light * jnp.where(ends[index], within, 1.0)

        half = jnp.where(wide, radius, 0.0)
        visible = light > 0.4 * scene.sigma
        # How far the wings of the profile stay above the noise.
        limit = jnp.sqrt(2 * jnp.log(jnp.maximum(2 * light / scene.sigma, 1.5)))
        labeled = visible & (across < half + limit * blur + 1.5)
        return total + light * profile, mask | labeled

    nothing = jnp.zeros(image.shape), jnp.zeros(image.shape, bool)
    total, mask = jax.lax.fori_loop(0, number, add_trail, nothing)
    return image + total, mask
