"""Cosmic rays: points, straight tracks and wandering worms of charge."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from maximask_astro.simulation.charge_tails import drag_charge
from maximask_astro.simulation.charge_tracks import (
    LONGEST,
    MARGIN,
    N_NORMALS,
    Rays,
    resample,
    set_down,
)
from maximask_astro.simulation.draws import log_between, normal, uniforms
from maximask_astro.simulation.masks import dilate

__all__ = ["add_cosmic_rays"]

# Rays in a million pixels at most, on the ground (the LSST sensors get 110 in 1500 s),
# where small frames may have at least so many.
_ON_GROUND, _FEWEST = 925.0, 8
# So often an exposure was taken in space, with up to so many times more rays (WFC3/UVIS
# gets 2,500 in a million pixels in 479 s), as long as at most so much of it is hit.
_SPACE_OFTEN, _IN_SPACE, _COVERED = 0.2, 9, 0.05

# The sensor's depth in pixels, from thin (or with large pixels) to fully depleted,
# and the size of its pixels in micrometers.
_DEPTHS, _PIXELS = (1.0, 25.0), (8.0, 30.0)

# Charge that a particle of least ionization frees, in electrons a micrometer.
_IONIZATION = 80.0

# However little noise there is, a ray of least ionization frees in a pixel at least so
# many times the noise: from such that hardly stand out to overwhelming ones.
_WEAKEST = (1.5, 30.0)

# Fractions of the rays that end in a point (X-rays) and that wander (electrons that
# gamma rays free within the sensor); the rest are muons.
_POINTS, _WORMS = (0.3, 0.7), (0.05, 0.3)
# Path of the charge of points, in pixels; lengths of worms, at most so many times a
# pixel and the depth of the sensor, out of which they wander; how much longer their
# paths are, and change of direction in radians a pixel.
_POINT_PATHS, _WORM_LENGTHS, _STAYS = (0.05, 4.0), (1.5, 70.0), 7.0
_WINDING, _WORM_SCATTER, _MUON_SCATTER = (1.0, 3.0), (0.1, 0.7), 0.004

# Muons come from all sides (in space, where the flux through a plane goes as the
# cosine) or rather from above, if that is where the telescope points: the cosine of
# their inclination is a uniform number to the power of the inverse of this.
_FROM_ABOVE = (1.3, 3.3)

# Logarithmic fluctuations of the charge of a ray.
_FLUCTUATION = 0.35

# Charge diffuses on its way through the silicon, by up to so many pixels (standard
# deviation). In images that are sharper than that, it diffuses less than the seeing
# does by this factor: nobody could tell from a star what is as wide as one.
_DIFFUSION, _SHARPER, _SHARPEST = (0.1, 0.75), 0.75, 0.1

# One ray of so many comes to lie on the brightest of a few places, so that stars and
# galaxies are hit often enough.
_ON_OBJECTS, _CANDIDATES = 12, 5

# A ray is drawn if what so long a part of it leaves has this signal-to-noise ratio (the
# square root of the sum of squares; for a pixel it is LA Cosmic's default), which a
# track of 22 pixels has with 7 for all of it. Pixels above so many times the local
# noise count as hit.
_PART, _STANDS_OUT, _HIT = 9.0, 4.5, 1.0
_FIRST = 15.0  # the least such ratio of one of the rays of an exposure

# The paper takes its rays from darks: it labels pixels above three times the
# noise of the dark, and scales noise to noise, and by this factor.
_PAPER_LIMIT, _PAPER_SCALE, _PAPER_DARK = 3.0, 1 / 8, (3.0, 12.0)


class _Sensor(NamedTuple):
    """What the rays of an exposure have in common, each a scalar."""

    depth: jax.Array  # pixels
    a_pixel: jax.Array  # electrons that a particle of least ionization frees
    points: jax.Array  # fraction of the rays
    worms: jax.Array
    steepness: jax.Array  # of the flux as a function of the cosine
    diffusion: jax.Array  # standard deviation in pixels, over the whole depth
    smoothing: jax.Array  # by resampling


def _between(number, limits):
    """Turn uniform numbers into such between two limits."""
    return limits[0] + (limits[1] - limits[0]) * number


def _draw_sensor(key, scene):
    """Draw the sensor, and what share of the most rays there may be it has."""
    draw = uniforms(
        key, "in_space", "number", "depth", "pixel", "weakest", "points", "worms",
        "from_above", "diffusion",
    )  # fmt: skip
    a_pixel = _IONIZATION * log_between(draw.pixel, *_PIXELS)
    weakest = scene.sigma * log_between(draw.weakest, *_WEAKEST)
    in_dark = _PAPER_SCALE * scene.sigma / log_between(draw.weakest, *_PAPER_DARK)
    seeing = _SHARPER * scene.fwhm / 2.355
    smoothing = jnp.minimum(scene.smoothing, seeing)
    widest = jnp.sqrt(jnp.maximum(seeing**2 - smoothing**2, _SHARPEST**2))
    in_space = (draw.in_space < _SPACE_OFTEN) & ~scene.as_paper
    return _Sensor(
        depth=log_between(draw.depth, *_DEPTHS),
        a_pixel=jnp.where(
            scene.as_paper, a_pixel * in_dark, jnp.maximum(a_pixel, weakest)
        ),
        points=_between(draw.points, _POINTS),
        worms=_between(draw.worms, _WORMS),
        steepness=_between(draw.from_above, _FROM_ABOVE),
        diffusion=jnp.minimum(_between(draw.diffusion, _DIFFUSION), widest),
        smoothing=smoothing,
    ), (in_space, draw.number)


def _signal_to_noise(charge, length, width, noise):
    """Of the part of a ray that has to stand out."""
    # Effective number of pixels across: of a Gaussian that pixels integrate.
    across = 2 * jnp.sqrt(jnp.pi * (width**2 + 1 / 12))
    part = jnp.minimum(1.0, _PART / jnp.maximum(length, 1.0))
    area = across * (across + jnp.minimum(length, _PART))
    return charge * part / (noise * jnp.sqrt(area))


def _place(numbers, span, image):
    """Middles of rays that touch the frame somewhere, and the light that is there."""
    size = jnp.array(image.shape, jnp.float32)[:, None]
    # A frame begins half a pixel before the middle of its first one.
    y, x = (size + span) * numbers - 0.5 * (1 + span)
    row, column = (
        jnp.clip(jnp.round(place), 0, length - 1).astype(int)
        for place, length in zip((y, x), image.shape, strict=True)
    )
    return jnp.stack([y, x, image[row, column]])


def _draw_places(draw, span, image, on_objects):
    """Middles of rays, some of them on objects, and the light that is there."""
    places = _place(jnp.stack([draw.y, draw.x]), span, image)
    m = span.shape[1] // _ON_OBJECTS
    some = slice(_ON_OBJECTS - 1, None, _ON_OBJECTS)
    numbers = draw.candidates[: _CANDIDATES * 2 * m].reshape(_CANDIDATES, 2, m)
    others = jnp.stack([_place(these, span[:, some], image) for these in numbers])
    best = jnp.take_along_axis(others, others[:, 2:].argmax(0)[None], 0)[0]
    return places.at[:, some].set(jnp.where(on_objects, best, places[:, some]))


def _draw_rays(key, fluctuation, image, scene, sensor, first):
    """Draw rays, the first of an exposure or later ones, and the area they hit."""
    n = len(fluctuation)
    # Few large draws: every draw of its own makes the compiler work for longer.
    draw = uniforms(
        key, "kind", "inclination", "length", "path", "direction", "scatter", "depth",
        "y", "x", "candidates", shape=(n,),
    )  # fmt: skip
    point, worm = draw.kind < sensor.points, draw.kind > 1 - sensor.worms
    cosine = jnp.maximum(draw.inclination, 1e-4) ** (1 / sensor.steepness)
    muon = jnp.sqrt(sensor.depth**2 + 0.3) * jnp.sqrt(1 / cosine**2 - 1)
    shortest, farthest = _WORM_LENGTHS
    farthest = jnp.minimum(farthest, _STAYS * (1 + sensor.depth))
    electron = log_between(draw.length, shortest, farthest)
    length = jnp.select([point, worm], [0.0, electron], muon)
    path = jnp.select(
        [point, worm],
        [
            log_between(draw.path**2, *_POINT_PATHS),
            electron * log_between(draw.path, *_WINDING),
        ],
        sensor.depth / cosine,
    )
    charge = sensor.a_pixel * path * jnp.exp(_FLUCTUATION * fluctuation)
    # Of a path longer than what is drawn, only that part is seen.
    charge = charge * jnp.minimum(1.0, LONGEST / jnp.maximum(length, 1.0))
    length = jnp.minimum(length, LONGEST)

    direction = 2 * jnp.pi * draw.direction
    # Electrons end somewhere about where they come from.
    reach = jnp.where(worm, 0.5, 1.0) * length
    span = reach * jnp.abs(jnp.stack([jnp.sin(direction), jnp.cos(direction)]))
    y, x, light = _draw_places(draw, span, image, ~scene.as_paper)

    # What is too faint to be seen is no contaminant; the first ray is not.
    noise = jnp.sqrt(scene.sigma**2 + jnp.maximum(light, 0.0))
    # From half of the depth.
    width = jnp.hypot(0.7 * sensor.diffusion, sensor.smoothing)
    ratio = _signal_to_noise(charge, length, width, noise)
    is_first = (jnp.arange(n) == 0) & first
    charge = charge * jnp.where(is_first, jnp.maximum(1.0, _FIRST / ratio), 1.0)
    seen = jnp.where(
        scene.as_paper,
        charge > _PAPER_LIMIT * _PAPER_SCALE * scene.sigma,
        ratio > _STANDS_OUT,
    )
    seen = seen | is_first
    # Bright rays hit pixels that are far from their middle.
    peak = jnp.maximum(charge / (noise * (length + 1)), 1.0)
    across = 1 + 2 * width * jnp.sqrt(2 * jnp.log(peak))
    area = jnp.where(seen, across * (length + across), 0.0)

    single = point | worm
    return Rays(
        worm=worm.astype(jnp.float32),
        length=jnp.where(seen, length, -1.0),
        charge=jnp.where(seen, charge, 0.0),
        y=y,
        x=x,
        direction=direction,
        scatter=jnp.where(worm, _between(draw.scatter, _WORM_SCATTER), _MUON_SCATTER),
        top=jnp.where(single, draw.depth, 0.0),
        bottom=jnp.where(single, draw.depth, 1.0),
    ), area


def _draw_charges(key, image, scene, sensor, in_space, number):
    """Charge that all rays leave, in a frame with margins."""
    shape = image.shape
    canvas = jnp.zeros([size + 2 * MARGIN for size in shape])
    # As many at a time as there may be on the ground.
    n = max(_FEWEST, round(_ON_GROUND * image.size / 1e6))
    few, many = jnp.where(in_space, n, 1.0), jnp.where(in_space, _IN_SPACE * n, n + 1.0)
    total = log_between(number, few, many)
    keys = jax.random.split(key, (_IN_SPACE, 2))

    def add_some(i, carry):
        canvas, covered = carry
        normals = normal(keys[i, 0], (n + 2 * N_NORMALS,))
        rays, area = _draw_rays(keys[i, 1], normals[:n], image, scene, sensor, i == 0)
        area = covered + jnp.cumsum(area)
        there = (i * n + jnp.arange(n) < total) & (area < _COVERED * image.size)
        there |= (jnp.arange(n) == 0) & (i == 0)
        rays = rays._replace(
            length=jnp.where(there, rays.length, -1.0),
            charge=jnp.where(there, rays.charge, 0.0),
        )
        normals = normals[n:].reshape(2, N_NORMALS)
        return set_down(normals, canvas, rays, sensor.diffusion), area[-1]

    n_times = jnp.ceil(total / n).astype(int)
    return jax.lax.fori_loop(0, n_times, add_some, (canvas, 0.0))[0]


def add_cosmic_rays(key, image, scene):
    """
    Add cosmic rays (Paillassa et al. 2020, section 2.1.3).

    Their pixels come from darks; here muons cross a sensor of some thickness,
    electrons wander through it, and X-rays end in a point. The charge frays
    out on its way to the pixels, and some detectors drag a part of it along
    rows or columns (`maximask_astro.simulation.charge_tails.drag_charge`).

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
        out of it, and tails of charge; dilated by 3 by 3 pixels as in the
        paper. If contaminants are to be as in the paper: pixels above its
        threshold, dilated so.
    """
    keys, image = jax.random.split(key, 3), jnp.asarray(image)
    sensor, (in_space, number) = _draw_sensor(keys[0], scene)
    canvas = _draw_charges(keys[1], image, scene, sensor, in_space, number)
    canvas = resample(canvas, sensor.smoothing)
    charges = canvas[MARGIN:-MARGIN, MARGIN:-MARGIN]
    noise = jnp.sqrt(scene.sigma**2 + jnp.maximum(image, 0.0))
    charges, tails = drag_charge(keys[2], charges, noise, scene)
    limit = _PAPER_LIMIT * _PAPER_SCALE * scene.sigma
    limit = jnp.where(scene.as_paper, limit, _HIT * noise)
    mask = dilate((charges > limit) | tails, 3)
    # The paper cuts out what it labels, and adds nothing else.
    return image + jnp.where(scene.as_paper & ~mask, 0.0, charges), mask
