"""Cosmic rays: points, straight tracks and wandering worms of charge."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, normal, uniform
from maximask_astro.simulation.masks import dilate

__all__ = ["add_cosmic_rays"]

# At most this many rays in a frame of that side, as in ten minutes in space, and
# in smaller frames at most the fewest.
_FEWEST, _MOST, _SIDE = 8, 160, 416

# The charge is set down every pixel of a path; a fifth of the rays may be long.
_LONG, _SHORT = 96, 16

# Charge that a particle of least ionization frees, in electrons a micrometer.
_IONIZATION = 80.0

# Pixels count as hit from so many times the local noise on, where a pixel within
# _NEAR of them stands out by more, so that none is labeled that nobody could see.
_HIT, _STANDS_OUT, _NEAR = 1.0, 3.0, 3

# The paper takes its rays from darks: it labels pixels above three times the
# noise of the dark, and scales noise to noise, and by this factor.
_PAPER_LIMIT, _PAPER_SCALE = 3.0, 1 / 8

_MARGIN = 3


class _Rays(NamedTuple):
    """What the rays of an exposure are like, each of shape (rays, 1)."""

    worm: jax.Array  # 1 for electrons, 0 otherwise
    length: jax.Array  # on the sensor, in pixels
    charge: jax.Array  # electrons
    y: jax.Array  # of the middle
    x: jax.Array
    direction: jax.Array  # radians
    scatter: jax.Array  # change of direction from pixel to pixel
    top: jax.Array  # where in the silicon, from 0 at the pixels to 1
    bottom: jax.Array


def _draw_rays(key, shape, scene):
    """Draw the rays, the longest first; the charge is 0 beyond their number."""
    # Few large draws: every draw of its own makes the compiler work for longer.
    keys = jax.random.split(key, 3)
    camera = jax.random.uniform(keys[0], (7,))
    n = max(_FEWEST, round(_MOST * shape[0] * shape[1] / _SIDE**2))
    numbers = jax.random.uniform(keys[1], (9, n), minval=1e-4)
    fluctuation = jnp.exp(0.35 * normal(keys[2], (n,)))
    present = jnp.arange(n) < log_between(camera[0], 1.0, 1.0 + n)

    # The sensor: from thin or with large pixels to fully depleted.
    thickness = log_between(camera[1], 1.0, 25.0)  # pixels
    a_pixel = _IONIZATION * log_between(camera[2], 8.0, 30.0)  # electrons
    weakest = scene.sigma * log_between(camera[3], 2.5, 30.0)
    as_in_dark = _PAPER_SCALE * scene.sigma / log_between(camera[3], 3.0, 12.0)
    a_pixel = jnp.where(
        scene.as_paper, a_pixel * as_in_dark, jnp.maximum(a_pixel, weakest)
    )

    points, worms = 0.3 + 0.4 * camera[4], 0.05 + 0.25 * camera[5]
    point, worm = numbers[0] < points, numbers[0] > 1 - worms
    # Muons from all sides (in space) or rather from above, if that is where the
    # telescope points: the flux goes as a power of the cosine.
    cosine = numbers[1] ** (1 / (1.3 + 2.0 * camera[6]))
    muon = jnp.sqrt(thickness**2 + 0.3) * jnp.sqrt(1 / cosine**2 - 1)
    # Electrons that gamma rays set free within the sensor stop there.
    electron = log_between(numbers[2], 2.0, 60.0)
    length = jnp.select([point, worm], [0.0, electron], muon)
    path = jnp.select(
        [point, worm],
        [
            log_between(numbers[3] ** 2, 0.05, 4.0),
            electron * log_between(numbers[3], 1.0, 3.0),
        ],
        thickness / cosine,
    )
    charge = a_pixel * path * fluctuation
    # What is too faint to be seen is no contaminant; the first ray is not.
    charge = charge.at[0].max(20 * scene.sigma)
    faintest = jnp.where(scene.as_paper, _PAPER_LIMIT * _PAPER_SCALE, 6.0)
    present = present & (charge > faintest * scene.sigma)
    charge = jnp.where(present, charge, 0.0)
    # Of a path longer than what is drawn, only that part is seen.
    charge = charge * jnp.minimum(1.0, _LONG / jnp.maximum(length, 1.0))

    single = point | worm
    rays = _Rays(
        worm=worm.astype(jnp.float32),
        length=jnp.minimum(length, _LONG),
        charge=charge,
        y=numbers[4] * shape[0],
        x=numbers[5] * shape[1],
        direction=2 * jnp.pi * numbers[6],
        scatter=jnp.where(worm, 0.1 + 0.6 * numbers[7], 0.004),
        top=jnp.where(single, numbers[8], 0.0),
        bottom=jnp.where(single, numbers[8], 1.0),
    )
    order = jnp.argsort(jnp.where(present, -length, 1.0))
    return jax.tree.map(lambda values: values[order, None], rays)


def _steps(key, rays, number):
    """Position, charge and depth of points along rays, at most a pixel apart."""
    draws = normal(key, (2, len(rays.length), number))
    length = jnp.minimum(rays.length, number)
    used = jnp.clip(jnp.ceil(length), 1.0, number)
    order = jnp.arange(number)
    along = (order + 0.5) / used
    # Multiple scattering: the direction walks at random.
    direction = rays.direction + jnp.cumsum(rays.scatter * draws[0], axis=1)
    step = jnp.where(order < used, length / used, 0.0)
    down = jnp.cumsum(step * jnp.sin(direction), axis=1)
    right = jnp.cumsum(step * jnp.cos(direction), axis=1)
    y = rays.y + down - 0.5 * down[:, -1:]
    x = rays.x + right - 0.5 * right[:, -1:]
    # Losses of energy fluctuate on the way; electrons lose most before they stop.
    loss = jnp.exp(0.4 * draws[1] + 2 * rays.worm * along)
    loss = jnp.where(order < used, loss, 0.0)
    charge = rays.charge * loss / loss.sum(1, keepdims=True)
    return y, x, charge, rays.top + (rays.bottom - rays.top) * along


def _spread(position, width):
    """Pixel in the middle, and shares of it and its two neighbors."""
    middle = jnp.round(position)
    edges = jnp.arange(-1.5, 2.0) - (position - middle)[..., None]
    shares = jnp.diff(jax.lax.erf(edges / (2**0.5 * width[..., None])), axis=-1)
    return middle.astype(int), shares / shares.sum(-1, keepdims=True)


def add_cosmic_rays(key, image, scene):
    """
    Add cosmic rays (Paillassa et al. 2020, section 2.1.3).

    Their pixels come from darks; here muons cross a sensor of some thickness,
    electrons wander through it, and X-rays end in a point. The charge frays
    out on its way to the pixels.

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
        Boolean: pixels that got more than the local noise, in rays that stand
        out of it, dilated by 3 by 3 pixels as in the paper. If contaminants
        are to be as in the paper: pixels above its threshold, dilated so.
    """
    keys = jax.random.split(key, 4)
    shape = image.shape
    rays = _draw_rays(keys[0], shape, scene)
    n_long = len(rays.length) // 5
    parts = (
        (jax.tree.map(lambda values: values[:n_long], rays), _LONG),
        (jax.tree.map(lambda values: values[n_long:], rays), _SHORT),
    )
    drawn = [
        _steps(k, some, number)
        for k, (some, number) in zip(keys[1:3], parts, strict=True)
    ]
    y, x, charge, depth = (
        jnp.concatenate([values.ravel() for values in columns])
        for columns in zip(*drawn, strict=True)
    )
    # Charge diffuses on its way through the silicon, which grows along a track;
    # resampling spreads it further.
    farthest = uniform(keys[3], 0.1, 0.65)
    width = jnp.sqrt(0.01 + farthest**2 * depth + scene.smoothing**2)
    row, down = _spread(jnp.clip(y, -2.0, shape[0] + 1.0), width)
    column, right = _spread(jnp.clip(x, -2.0, shape[1] + 1.0), width)
    stride = shape[1] + 2 * _MARGIN
    canvas = jnp.zeros((shape[0] + 2 * _MARGIN) * stride)
    around = jnp.arange(-1, 2)
    rows = row[:, None] + around + _MARGIN
    columns = column[:, None] + around + _MARGIN
    index = rows[:, :, None] * stride + columns[:, None, :]
    values = charge[:, None, None] * down[:, :, None] * right[:, None, :]
    canvas = canvas.at[index.ravel()].add(values.ravel())
    charges = canvas.reshape(-1, stride)[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    noise = jnp.sqrt(scene.sigma**2 + jnp.maximum(image, 0.0))
    seen = charges > _STANDS_OUT * noise
    hit = dilate(charges > _HIT * noise, 3) & dilate(seen, 2 * _NEAR + 1)
    in_dark = dilate(charges > _PAPER_LIMIT * _PAPER_SCALE * scene.sigma, 3)
    # The paper cuts out what it labels, and adds nothing else.
    added = jnp.where(scene.as_paper & ~in_dark, 0.0, charges)
    return image + added, jnp.where(scene.as_paper, in_dark, hit)
