"""Where clusters of bad pixels are."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, uniforms
from maximask_astro.simulation.scene import pixel_grid

__all__ = ["N_CLUSTERS", "draw_clusters"]

# As in the paper: polygons, from a few pixels to 20 across.
N_CLUSTERS = 4
_HALF_SIDES = (0.8, 10.0)
_UPRIGHT = 0.5
# Corners cut off make rectangles polygons of five to eight edges.
_CUTS = (1.0, 2.2)

# A cluster is seen from this integrated signal-to-noise ratio on: twice that of
# lines, as the cores of galaxies look alike; within these bounds for a pixel.
_VISIBLE, _VISIBLE_PIXEL = 14.0, (1.5, 5.0)


def draw_clusters(key, shape):
    """
    Draw clusters of bad pixels.

    Parameters
    ----------
    key : array
        PRNG key.

    shape : tuple of two int
        Height and width.

    Returns
    -------
    owner : array
        int32, shape (height, width): number of the cluster a pixel is in, from 1;
        0 if in none.

    visible : array
        Shape (4,): how many times the noise of the sky the pixels of each must
        lack for it to be seen.
    """
    first, second = jax.random.split(key)
    draw = uniforms(
        first, "y", "x", "major", "minor", "turned", "angle", "cut", shape=(N_CLUSTERS,)
    )
    number = jax.random.randint(second, (), 1, N_CLUSTERS + 1)
    y, x = pixel_grid(shape)
    y0, x0 = shape[0] * draw.y, shape[1] * draw.x
    half_u = log_between(draw.major, *_HALF_SIDES)
    half_v = log_between(draw.minor, *_HALF_SIDES)
    angle = jnp.where(draw.turned < _UPRIGHT, 0.0, jnp.pi * draw.angle)
    low, high = _CUTS
    cut = low + (high - low) * draw.cut

    def add_cluster(index, owner):
        dy, dx = y - y0[index], x - x0[index]
        cos, sin = jnp.cos(angle[index]), jnp.sin(angle[index])
        u = jnp.abs(cos * dx + sin * dy) / half_u[index]
        v = jnp.abs(cos * dy - sin * dx) / half_v[index]
        inside = (u <= 1) & (v <= 1) & (u + v <= cut[index])
        return jnp.where(inside, index + 1, owner)

    owner = jnp.zeros(shape, jnp.int32)
    area = jnp.ceil(2 * half_u) * jnp.ceil(2 * half_v)
    visible = jnp.clip(_VISIBLE / area**0.5, *_VISIBLE_PIXEL)
    return jax.lax.fori_loop(0, number, add_cluster, owner), visible
