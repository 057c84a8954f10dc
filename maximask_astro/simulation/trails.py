"""Trails of satellites, airplanes and meteors."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, normal
from maximask_astro.simulation.masks import dilate
from maximask_astro.simulation.scene import pixel_grid

__all__ = ["add_trails"]

_N_TRAILS = 3

# How a trail looks is tabulated: across, at these steps up to this distance from
# its middle, and along, at these steps, in pixels.
_FINE, _FARTHEST, _COARSE = 0.25, 72, 0.5

# In the paper the noise of trails is scaled to that of the exposure, and by this
# factor; its masks are what is above a small limit, here in units of that noise,
# dilated by a square of so many pixels.
_PAPER_SCALE, _PAPER_LIMIT, _PAPER_DILATION = 6.0, 0.5, 7


def _between(number, low, high):
    """Turn uniform numbers into such between two limits."""
    return low + (high - low) * number


def _profile(radius, hole, scene, jitter):
    """
    Tabulate the brightness across a trail, 1 at its brightest.

    Disks (or rings) out of focus, seen edge-on along their motion, are chords.
    The seeing blurs them: of a Moffat profile that moved along a line, another
    one is left.
    """
    n = round(_FARTHEST / _FINE)
    across = _FINE * jnp.arange(-n, n + 1, dtype=jnp.float32)

    def chord(size):
        return jnp.sqrt(jnp.maximum(size**2 - across**2, 0.0))

    disk = chord(radius) - jnp.where(hole > 0.3, chord(hole), 0.0)
    scale = 0.5 * scene.fwhm / jnp.sqrt(2 ** (1 / scene.moffat) - 1)
    soft = scale**2 + (2 * scene.moffat - 3) * jitter**2
    line = (1 + across**2 / soft) ** (0.5 - scene.moffat)
    blurred = jnp.convolve(disk, line, mode="same")[n:]
    return blurred / blurred.max()


def _light(numbers, reach, blur):
    """
    Tabulate the brightness along trails, 1 or less, a row a trail.

    Steady, flaring, tumbling, or dashed as of a lamp that blinks or a body that
    turns; ending on the way or not.
    """
    n = 2 * round(reach / _COARSE) + 1
    along = _COARSE * jnp.arange(n) - reach
    kind, where, size, period, ends, begin, extent, floor = numbers[..., None]
    from_flare = along / reach - 1.4 * (where - 0.5)
    flare = jnp.exp(-0.5 * (from_flare / (0.04 + 0.3 * size)) ** 2)
    flare = 0.1 + 0.3 * floor + (0.9 - 0.3 * floor) * flare
    waves = jnp.cos(2 * jnp.pi * (along / log_between(period, 12.0, 250.0) + where))
    tumble = _between(0.5 + 0.5 * waves, floor, 1.0)
    dashes = jax.nn.sigmoid(8 * (waves + 0.8 * (size - 0.5)))
    light = jnp.select(
        [kind < 0.55, kind < 0.75, kind < 0.9], [1.0, flare, tumble], dashes
    )
    # The middle of the trail lies within the frame, and between its ends.
    long = reach * log_between(extent, 0.15, 2.0)
    start, soft = -long * begin, jnp.maximum(blur, 0.5)
    within = jax.nn.sigmoid((along - start) / soft) * jax.nn.sigmoid(
        (start + long - along) / soft
    )
    return light * jnp.where(ends < 0.2, within, 1.0)


def add_trails(key, image, scene):
    """
    Add trails (Paillassa et al. 2020, section 2.1.6).

    Point-like or out of focus (a disk, or a ring behind a central
    obstruction, which is how meteors, airplanes and, with large telescopes,
    satellites look: their equation 7), steady, flaring, tumbling or dashed,
    jittering a little, ending within the frame or not, alone or several in
    parallel.

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
        Boolean: where a trail is brighter than the local noise (or, of broad
        faint ones, half as bright as at its brightest) and than a hundredth of
        its middle, and a pixel beyond. If contaminants are to be as in the
        paper: where it is above half of the sky noise, and 3 pixels beyond.
    """
    keys = jax.random.split(key, 3)
    height, width = image.shape
    reach = float((height**2 + width**2) ** 0.5)
    y, x = pixel_grid(image.shape)

    # Few large draws: every draw of its own makes the compiler work for longer.
    numbers = jax.random.uniform(keys[0], (8,))
    each = jax.random.uniform(keys[1], (12, _N_TRAILS))
    count = 1 + (numbers[0] > 0.8).astype(int) + (numbers[0] > 0.93)
    count = jnp.minimum(count, _N_TRAILS)
    wide = numbers[1] < 0.4
    radius = jnp.where(wide, log_between(numbers[2], 1.5, 20.0), 0.5)
    radius = jnp.maximum(radius, scene.defocus)
    hole = jnp.where(wide & (numbers[3] < 0.4), 0.2 + numbers[3], 0.0) * radius
    jitter = jnp.where(scene.as_paper, 1.0, numbers[4] ** 2)

    profile = _profile(radius, hole, scene, jitter)
    n_along = 2 * round(reach / _COARSE) + 1
    light = _light(each[:8], reach, 0.47 * scene.fwhm)
    # What is left of the jitter within the time that light moves by its width.
    wobble = normal(keys[2], (n_along + 16,))
    wobble = 0.3 * jitter * jnp.convolve(wobble, jnp.full(17, 17**-0.5), "valid")

    # A broad trail is seen where a narrow one as bright would not be.
    faintest = 1.5 / jnp.sqrt(1 + jnp.where(wide, radius, 0.0) / 3)
    peak = jnp.where(
        scene.as_paper,
        _PAPER_SCALE * log_between(each[8], 1.0, 30.0),
        faintest * (500 / faintest) ** each[8],
    )
    peak = scene.sigma * peak
    turn = jnp.pi * (numbers[5] + jnp.where(numbers[6] < 0.6, 0.0, each[9]))
    down, right = (each[10] - 0.5) * height, (each[11] - 0.5) * width
    noise = jnp.sqrt(scene.sigma**2 + jnp.maximum(image, 0.0))

    def add_trail(index, drawn):
        total, mask = drawn
        dy = y - height / 2 - down[index]
        dx = x - width / 2 - right[index]
        cos, sin = jnp.cos(turn[index]), jnp.sin(turn[index])
        step = jnp.round((cos * dx + sin * dy + reach) / _COARSE).astype(int)
        here = peak[index] * light[index][step]
        across = jnp.abs(cos * dy - sin * dx + wobble[step]) / _FINE
        low = jnp.minimum(across.astype(int), len(profile) - 2)
        share = jnp.minimum(across - low, 1.0)
        values = profile[low] * (1 - share) + profile[low + 1] * share
        values = here * jnp.where(low < len(profile) - 2, values, 0.0)
        limit = noise * jnp.minimum(1.0, 0.5 * peak[index] / scene.sigma)
        bright = (values > limit) & (values > 0.01 * peak[index])
        return total + values, mask | bright

    nothing = jnp.zeros(image.shape), jnp.zeros(image.shape, bool)
    total, mask = jax.lax.fori_loop(0, count, add_trail, nothing)
    mask = jax.lax.cond(
        scene.as_paper,
        lambda: dilate(total > _PAPER_LIMIT * scene.sigma, _PAPER_DILATION),
        lambda: dilate(mask, 3),
    )
    # The paper cuts out what it labels, and adds nothing else.
    return image + jnp.where(scene.as_paper & ~mask, 0.0, total), mask
