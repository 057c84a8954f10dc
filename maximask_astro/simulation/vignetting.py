"""Vignetting: light that does not reach the corners."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.scene import pixel_grid

__all__ = ["vignette"]

# The light that is lost goes as this power of the distance from the axis: between
# the fourth power of the cosine (2) and what a stop cuts off.
_POWER = 3.0

# The edge of a round field, in units of half the frame's diagonal.
_EDGE = 0.012


def vignette(image, scene):
    """
    Take light from the corners of an exposure, or from all outside of a circle.

    Parameters
    ----------
    image : array
        Electrons, shape (height, width).

    scene : `Scene`
        The exposure, whose numbers say how much.

    Returns
    -------
    image : array
        Times a map that is 1 at the optical axis.
    """
    shape = image.shape

    def darken(image):
        y, x = pixel_grid(shape)
        middle = scene.axis_y * shape[0], scene.axis_x * shape[1]
        half = 0.5 * (shape[0] ** 2 + shape[1] ** 2) ** 0.5
        distance = jnp.hypot(y - middle[0], x - middle[1]) / half
        corners = jnp.array([0.0, shape[0]]), jnp.array([0.0, shape[1]])
        farthest = (
            jnp.hypot(
                *(
                    jnp.abs(ends - place).max()
                    for ends, place in zip(corners, middle, strict=True)
                )
            )
            / half
        )
        left = 1 - scene.vignetting * (distance / farthest) ** _POWER
        inside = jax.nn.sigmoid((scene.round_field - distance) / _EDGE)
        return image * left * jnp.where(scene.round_field > 0, inside, 1.0)

    there = (scene.vignetting > 0) | (scene.round_field > 0)
    return jax.lax.cond(there, darken, lambda image: image, image)
