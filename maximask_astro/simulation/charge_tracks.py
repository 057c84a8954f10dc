"""Charge that particles leave on their way through a sensor, pixel by pixel."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

__all__ = ["LONGEST", "MARGIN", "N_NORMALS", "Rays", "resample", "set_down"]

# Rays are set down in groups, the long ones first, until all are there: number of
# points along them, at two a pixel so that no track falls apart, and rays of a group.
_DENSITY = 2.0
_GROUPS = ((512, 2), (48, 16), (8, 64))

# Rays longer than this, in pixels, are not drawn.
LONGEST = _GROUPS[0][0] / _DENSITY

# Normal numbers that a call needs, twice. Groups take them from different places, so
# many from one another: to draw more is what would take longest.
N_NORMALS, _APART = 8192, 2897

# Canvases are larger than frames by so many pixels on each side, in which charge
# spreads.
MARGIN = 3

# Logarithmic fluctuations of the losses from point to point, and how much more
# electrons lose at their end, where they stop, than where they start.
_LOSSES, _END = 0.5, 2.0

# How far charge spreads at least, in pixels (standard deviation).
_SHARPEST = 0.1

# Points of a transform over half of its wave numbers.
_WAVES = 64


class Rays(NamedTuple):
    """
    Particles that pass through a sensor or stop within it.

    Parameters
    ----------
    worm : array
        1 for electrons, which wander, and lose most at their end; 0 for others.

    length : array
        On the sensor, in pixels, at most `LONGEST`; negative where there is no ray.

    charge : array
        In electrons, 0 where there is no ray.

    y, x : array
        Middle, in pixels of the frame.

    direction : array
        Radians from the axis x towards y.

    scatter : array
        Change of direction in radians from pixel to pixel (standard deviation).

    top, bottom : array
        Where in the silicon they begin and end, from 0 at the pixels to 1.
    """

    worm: jax.Array
    length: jax.Array
    charge: jax.Array
    y: jax.Array
    x: jax.Array
    direction: jax.Array
    scatter: jax.Array
    top: jax.Array
    bottom: jax.Array


def _steps(draws, rays):
    """Position, charge and depth of points along rays, two of them a pixel."""
    number = draws.shape[2]
    length = jnp.maximum(rays.length, 0.0)
    used = jnp.clip(jnp.ceil(_DENSITY * length), 1.0, number)
    order = jnp.arange(number)
    along = (order + 0.5) / used
    # Multiple scattering: the direction walks at random.
    scatter = rays.scatter / _DENSITY**0.5
    direction = rays.direction + jnp.cumsum(scatter * draws[0], axis=1)
    step = jnp.where(order < used, length / used, 0.0)
    down = jnp.cumsum(step * jnp.sin(direction), axis=1)
    right = jnp.cumsum(step * jnp.cos(direction), axis=1)
    y = rays.y + down - 0.5 * down[:, -1:]
    x = rays.x + right - 0.5 * right[:, -1:]
    # Losses of energy fluctuate on the way; electrons lose most before they stop.
    loss = jnp.exp(_LOSSES * draws[1] + _END * rays.worm * along)
    loss = jnp.where(order < used, loss, 0.0)
    charge = rays.charge * loss / loss.sum(1, keepdims=True)
    return y, x, charge, rays.top + (rays.bottom - rays.top) * along


def _spread(position, width):
    """Pixel in the middle, and shares of it and its two neighbors."""
    middle = jnp.round(position)
    edges = jnp.arange(-1.5, 2.0) - (position - middle)[..., None]
    shares = jnp.diff(jax.lax.erf(edges / (2**0.5 * width[..., None])), axis=-1)
    return middle.astype(int), shares / shares.sum(-1, keepdims=True)


def _set_down_group(draws, canvas, rays, diffusion):
    """Add the charge of some rays to a canvas with margins."""
    y, x, charge, depth = (part.ravel() for part in _steps(draws, rays))
    height, stride = canvas.shape
    # Diffusion grows along a track.
    width = jnp.sqrt(_SHARPEST**2 + diffusion**2 * depth)
    row, down = _spread(y + MARGIN, width)
    column, right = _spread(x + MARGIN, width)
    # What falls farther outside of the frame is lost.
    inside = (row > 0) & (row < height - 1) & (column > 0) & (column < stride - 1)
    row, column = jnp.where(inside, row, 1), jnp.where(inside, column, 1)
    charge = jnp.where(inside, charge, 0.0)
    around = jnp.arange(-1, 2)
    index = (row[:, None] + around)[:, :, None] * stride
    index = index + (column[:, None] + around)[:, None, :]
    values = charge[:, None, None] * down[:, :, None] * right[:, None, :]
    canvas = canvas.ravel().at[index.ravel()].add(values.ravel())
    return canvas.reshape(height, stride)


def set_down(normals, canvas, rays, diffusion):
    """
    Add the charge of rays to a canvas, however many of them there are.

    Parameters
    ----------
    normals : array
        Standard normal numbers, shape (2, N_NORMALS).

    canvas : array
        Electrons, shape (height + 2 MARGIN, width + 2 MARGIN).

    rays : `Rays`
        Arrays of shape (n,).

    diffusion : array
        How far charge spreads from the far side of the sensor, in pixels (standard
        deviation); it grows with the square root of the distance.

    Returns
    -------
    canvas : array
        With their charge; none that falls beside the frame is moved into it.
    """
    order = jnp.argsort(-rays.length)
    # The last group may reach beyond the last ray.
    most = max(size for _, size in _GROUPS)
    rays = jax.tree.map(lambda values: jnp.pad(values[order], (0, most)), rays)
    rays = jax.tree.map(lambda values: values[:, None], rays)
    n_points = jnp.where(rays.length < 0, 0.0, _DENSITY * rays.length + 1.0)
    n_points = n_points.at[len(order) :].set(0.0)
    first = 0
    shortest = [number for number, _ in _GROUPS[1:]] + [0]
    for (number, size), least in zip(_GROUPS, shortest, strict=True):
        # Of these, the group of longer ones may have taken some.
        rest = jnp.maximum((n_points > least).sum() - first, 0)

        def add_group(i, canvas, first=first, number=number, size=size):
            start = _APART * (i + first) % (N_NORMALS - number * size)
            draws = jax.lax.dynamic_slice_in_dim(normals, start, number * size, 1)
            group = jax.tree.map(
                lambda values: jax.lax.dynamic_slice_in_dim(
                    values, first + i * size, size
                ),
                rays,
            )
            draws = draws.reshape(2, size, number)
            return _set_down_group(draws, canvas, group, diffusion)

        n_groups = -(-rest // size)
        canvas = jax.lax.fori_loop(0, n_groups, add_group, canvas)
        first = first + n_groups * size
    return canvas


def resample(canvas, smoothing):
    """
    Spread charge as the noise of an exposure that was resampled.

    Parameters
    ----------
    canvas : array
        Electrons, shape (height, width).

    smoothing : array
        Standard deviation in pixels of the Gaussian of
        `maximask_astro.simulation.masks.smooth`; 0 for none.

    Returns
    -------
    canvas : array
        Spread over up to `MARGIN` pixels to each side.
    """
    reach = MARGIN
    # The kernel that has the transform of that Gaussian.
    k = (jnp.arange(_WAVES) + 0.5) / (2 * _WAVES)
    transfer = jnp.exp(-2 * (jnp.pi * smoothing * k) ** 2)
    shares = [(transfer * jnp.cos(2 * jnp.pi * k * j)).mean() for j in range(reach + 1)]
    total = shares[0] + 2 * sum(shares[1:])

    def along(values, axis):
        padding = [(reach, reach) if a == axis else (0, 0) for a in range(2)]
        padded = jnp.pad(values, padding)
        return sum(
            shares[abs(reach - j)]
            / total
            * jax.lax.slice_in_dim(padded, j, j + values.shape[axis], axis=axis)
            for j in range(2 * reach + 1)
        )

    return jax.lax.cond(
        smoothing > 0,
        lambda canvas: along(along(canvas, 0), 1),
        lambda canvas: canvas,
        canvas,
    )
