"""Diffraction spikes of bright stars."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, uniforms
from maximask_astro.simulation.psf import psf_value
from maximask_astro.simulation.scene import noise_after_smoothing, pixel_grid
from maximask_astro.simulation.significance import FAINTEST, signal_to_noise

__all__ = ["add_spikes"]

# Assumed without a survey to measure them in, so that a network sees enough of
# each kind; lengths in pixels.

# The brightest stars have them where they can be seen, saturated or not.
_N_SPIKED = 8

# Spikes come in pairs on either side of a star, in lines: one of a single strut,
# two of a cross, three of three struts or the edges of hexagons (seldom with a
# weaker one between, of a strut over it), four of eight-fold patterns.
_ONE, _TWO, _THREE, _THREE_AND_ONE = 0.06, 0.42, 0.2, 0.05  # else four
_WEAKER = 0.35
# Each line may be double, of struts that are not quite parallel.
_DOUBLE, _ANGLES_OF_DOUBLE = 0.12, (0.015, 0.12)  # the latter in radians
_N_VANES, _N_LINES = 4, 8

# Mostly along the pixels or the diagonals, as on equatorial mounts.
_ALIGNED, _DIAGONAL = 0.4, 0.5
# Lines that are not where symmetry has them, by at most so many radians.
_CROOKED, _CROOKEDNESS = 0.3, 0.12
# Lines that differ in brightness and length, by factors; elsewhere they do little.
_UNEVEN, _STRENGTHS, _LENGTHS = 0.35, (0.25, 2.0), (0.4, 2.5)
_EVEN = (0.8, 1.2)
# Off the axis one side is fainter than the other, at most by this factor.
_ONE_SIDED, _SIDES = 0.25, 3.3

# Light in all lines, as a fraction of the star's, in general; in the others it is
# such that the brightest star's have about this integrated signal-to-noise ratio,
# but is at most so large.
_SHARES, _LARGEST_SHARE = (3e-3, 8e-2), 0.1
_FAINT, _RATIOS = 0.35, (1.5 * FAINTEST, 100.0)

# Half of the light of a spike is within this distance: the pattern of a slit is
# the narrower the wider the strut.
_SLITS = (4.0, 100.0)
# Across: standard deviation in FWHM of the seeing and its excess, and how it
# grows with the distance, as of rotating fields and of struts that taper.
_WIDTH, _EXCESS, _WIDENING = 0.38, 0.3, 0.03
# Out of focus, it is wider by so much of the radius of the ring.
_DEFOCUSED = 0.7

# In narrow bands, minima of the pattern leave beads, at least so many of which
# are seen until they wash out.
_BEADED, _PERIODS, _BEADS = 0.3, (0.5, 2.0), (2.0, 30.0)

# A spike is labeled as far out as a stretch that is as long as its distance from
# the star would be found, together with that on the other side, and where it is
# brighter than this fraction of the light under it.
_STRETCH_RATIO = FAINTEST / 2**0.5
_CONTRAST = 0.05

# Spikes that reach less far than half of this are drawn in squares of this side;
# what is below this part of the sky noise is out of reach.
_STAMP, _NEGLIGIBLE = 256, 0.1


_GAUSSIAN = (2 * jnp.pi) ** 0.5  # its area when its height and deviation are 1


class _Spikes(NamedTuple):
    """What the spikes of an exposure are like, lengths in pixels."""

    count: jax.Array  # of the lines
    angles: jax.Array  # of each line
    strengths: jax.Array  # of each line, 1 in the mean
    slits: jax.Array  # of each line
    tilts: jax.Array  # half the logarithm of the ratio of its sides
    stretches: jax.Array  # half of the drift along each line
    smears: jax.Array  # and across
    share: jax.Array  # of the star's light in a line of strength 1
    width: jax.Array  # standard deviation across
    widening: jax.Array  # how it grows
    contrast: jax.Array  # of beads
    wave: jax.Array  # their wave number
    washed: jax.Array  # where they are gone


def _draw_lines(draw, vane):
    """Directions of the lines, their number, and which vane each is of."""
    kinds = jnp.array([_ONE, _TWO, _THREE, _THREE_AND_ONE])
    kind = (draw.kind > jnp.cumsum(kinds)).sum()
    number = jnp.array([1, 2, 3, 4, 4])[kind]
    step = jnp.pi / jnp.where(kind == 3, 3, number)
    index = jnp.arange(_N_VANES)
    between = (kind == 3) & (index == 3)
    diagonal = jnp.pi / 4 * (draw.diagonal < _DIAGONAL)
    start = jnp.where(draw.aligned < _ALIGNED, diagonal, jnp.pi * draw.start)
    angles = start + jnp.where(between, 0.5 * jnp.pi, step * index)
    crooked = draw.crooked < _CROOKED
    angles = angles + jnp.where(crooked, _CROOKEDNESS * (2 * vane.angle - 1), 0.0)
    times = 1 + (draw.double < _DOUBLE).astype(int)
    line = jnp.arange(_N_LINES)
    of = jnp.minimum(line // times, _N_VANES - 1)
    apart = log_between(draw.apart, *_ANGLES_OF_DOUBLE) * (times - 1)
    angles = angles[of] + apart * (line % 2 - 0.5)
    return angles, number * times, of, jnp.where(between, _WEAKER, 1.0)


def _draw_spikes(key, scene, stars):
    """Draw what the spikes of an exposure are like."""
    keys = jax.random.split(key)
    # Few large draws: every draw of its own makes the compiler work for longer.
    draw = uniforms(
        keys[0], "kind", "double", "apart", "aligned", "diagonal", "start", "crooked",
        "uneven", "one_sided", "share", "faint", "slit", "excess", "widening",
        "beaded", "contrast", "period", "beads",
    )  # fmt: skip
    vane = uniforms(keys[1], "angle", "strength", "length", "side", shape=(_N_VANES,))
    angles, count, of, weaker = _draw_lines(draw, vane)
    uneven = draw.uneven < _UNEVEN
    strengths, lengths = (
        jnp.where(uneven, log_between(number, *wide), log_between(number, *_EVEN))
        for number, wide in ((vane.strength, _STRENGTHS), (vane.length, _LENGTHS))
    )
    slit = log_between(draw.slit, *_SLITS)
    one_sided = draw.one_sided < _ONE_SIDED
    tilts = jnp.where(one_sided, jnp.log(_SIDES) * (vane.side - 0.5), 0.0)
    present = jnp.arange(_N_LINES) < count
    strengths = jnp.where(present, (strengths * weaker)[of], 0.0)
    stretches = 0.5 * scene.trailing * jnp.abs(jnp.cos(angles - scene.angle))
    smears = 0.5 * scene.trailing * jnp.abs(jnp.sin(angles - scene.angle))
    width = (_WIDTH + _EXCESS * draw.excess**2) * scene.fwhm + 0.2
    spikes = _Spikes(
        count=count,
        angles=angles,
        strengths=strengths / strengths.sum() * count,
        slits=slit * lengths[of],
        tilts=tilts[of],
        stretches=stretches,
        smears=smears,
        share=log_between(draw.share, *_SHARES) / count,
        width=jnp.hypot(width, _DEFOCUSED * scene.defocus),
        widening=_WIDENING * draw.widening**2,
        contrast=jnp.where(draw.beaded < _BEADED, draw.contrast, 0.0),
        wave=jnp.pi / (slit * log_between(draw.period, *_PERIODS)),
        washed=slit * log_between(draw.beads, *_BEADS),
    )
    # Beside spikes, the star's own light is noise.
    flux = stars.flux[0]
    own = flux * psf_value(spikes.slits, 0.0, scene, 0.0, 0.0).min()
    noise = jnp.sqrt(scene.sigma**2 + own)
    ratio = _expected_ratio(spikes._replace(share=1.0), flux, noise, scene)
    faint = log_between(draw.share, *_RATIOS) / jnp.maximum(ratio, 1e-3)
    faint = jnp.minimum(faint, _LARGEST_SHARE / count)
    return spikes._replace(share=jnp.where(draw.faint < _FAINT, faint, spikes.share))


def _ridges(spikes, flux):
    """Brightness of the lines next to a star, in electrons a pixel."""
    amount = spikes.share * flux * spikes.strengths
    along = jnp.pi * spikes.slits + 2 * spikes.stretches
    return amount / (along * (_GAUSSIAN * spikes.width + 2 * spikes.smears))


def _expected_ratio(spikes, flux, noise, scene):
    """Integrated signal-to-noise ratio, at most, of the spikes of a star."""
    areas = 0.5 * jnp.pi * spikes.slits + 2 * spikes.stretches
    areas = areas * (jnp.pi**0.5 * spikes.width + 2 * spikes.smears)
    total = jnp.sum((_ridges(spikes, flux) / noise) ** 2 * areas)
    # Of two sides that differ, the squares add to more.
    total = total * jnp.cosh(2 * jnp.abs(spikes.tilts).max())
    return jnp.sqrt(total) * noise_after_smoothing(scene.smoothing)


def _reach(spikes, flux, scene):
    """How far from a star its spikes matter, in pixels."""
    highest = _ridges(spikes, flux) * jnp.exp(jnp.abs(spikes.tilts))
    times = highest / (_NEGLIGIBLE * scene.sigma)
    reach = spikes.slits * jnp.sqrt(jnp.maximum(times - 1, 0.0))
    return jnp.max(reach + spikes.stretches + spikes.smears)


def _render(spikes, star, scene, y, x, image):
    """Light of the spikes of a star and where they are seen, over some pixels."""
    dy, dx = y - star.y, x - star.x
    noise = jnp.sqrt(scene.sigma**2 + jnp.maximum(image, 0.0))
    ridges = _ridges(spikes, star.flux)
    lowest = _STRETCH_RATIO * scene.sigma / noise_after_smoothing(scene.smoothing)
    lowest = lowest**2

    # What does not change from pixel to pixel is worked out before.
    amounts = ridges * (_GAUSSIAN * spikes.width + 2 * spikes.smears)
    sides = amounts * jnp.exp(-spikes.tilts), amounts * jnp.exp(spikes.tilts)
    half = 0.5 * noise / scene.sigma

    def add_line(index, drawn):
        light, seen = drawn
        cos, sin = jnp.cos(spikes.angles[index]), jnp.sin(spikes.angles[index])
        along, across = cos * dx + sin * dy, jnp.abs(cos * dy - sin * dx)
        distance = jnp.maximum(jnp.abs(along) - spikes.stretches[index], 0.0)
        spread, smear = spikes.width + spikes.widening * distance, spikes.smears[index]
        middle = jnp.where(along > 0, sides[0][index], sides[1][index])
        fall = 1 + (distance * (1 / spikes.slits[index])) ** 2
        middle = middle / (fall * (_GAUSSIAN * spread + 2 * smear))
        off = jnp.maximum(across - smear, 0.0) / spread
        line = middle * jnp.exp(-0.5 * off**2)
        found = middle**2 * (jnp.pi**0.5 * spread + 2 * smear) * distance > lowest
        found = found & (line > jnp.minimum(noise, half * middle))
        return light + line, seen | found

    nothing = jnp.zeros(image.shape), jnp.zeros(image.shape, bool)
    light, seen = jax.lax.fori_loop(0, spikes.count, add_line, nothing)
    distance = jnp.hypot(dx, dy)

    def bead(light):
        contrast = spikes.contrast * jnp.exp(-0.5 * (distance / spikes.washed) ** 2)
        return light * (1 + contrast * jnp.cos(2 * spikes.wave * distance))

    light = jax.lax.cond(spikes.contrast > 0, bead, lambda light: light, light)
    # The star, or the path that it has drifted along.
    cos, sin = jnp.cos(scene.angle), jnp.sin(scene.angle)
    beyond = jnp.maximum(jnp.abs(cos * dx + sin * dy) - 0.5 * scene.trailing, 0.0)
    core = jnp.hypot(beyond, cos * dy - sin * dx) < scene.fwhm + scene.defocus
    seen = seen & (light > _CONTRAST * image) & ~core
    there = signal_to_noise(light, noise, scene, seen) >= FAINTEST
    return jnp.where(there, light, 0.0), seen & there


def add_spikes(key, image, scene, stars):
    """
    Add diffraction spikes to the brightest stars.

    Light diffracted by a vane of the spider spreads perpendicular to it, along
    a spike as in the pattern of a slit of the vane's width: flat near the star,
    then falling as the square of the distance. The minima of the pattern wash
    out over a broad passband and leave beads in a narrow one. Across, a spike
    is as wide as the seeing, or wider, and as the drift of the telescope
    (Paillassa et al. 2020, section 2.1.10, for the class). All stars of an
    exposure have the same pattern, in pairs on opposite sides; in some
    exposures it is uneven, crooked or double, or one side of a line is fainter
    than the other, as far from the axis of the telescope.

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons, shape (height, width), without noise or with.

    scene : `~maximask_astro.simulation.scene.Scene`
        The exposure.

    stars : `~maximask_astro.simulation.sky.Stars`
        Its stars, the brightest first, at least one; in the frame or not.

    Returns
    -------
    image : array
        With spikes of those stars whose spikes have an integrated
        signal-to-noise ratio, where they are seen, is at least
        `~maximask_astro.simulation.significance.FAINTEST`.

    mask : array
        Boolean: where spikes are brighter than the local noise (or half as
        bright as in the middle of the spike there, if a stretch of it would be
        found) and than a twentieth of the light under them, outside of the
        stars' cores.
    """
    y, x = pixel_grid(image.shape)
    spikes = _draw_spikes(key, scene, stars)
    side = tuple(min(_STAMP, size) for size in image.shape)

    def add_whole(drawn, star):
        light, mask = _render(spikes, star, scene, y, x, image)
        return drawn[0] + light, drawn[1] | mask

    def add_stamp(drawn, star):
        corner = tuple(
            jnp.clip(jnp.round(place).astype(int) - half // 2, 0, size - half)
            for place, half, size in zip(
                (star.y, star.x), side, image.shape, strict=True
            )
        )

        def cut(values):
            return jax.lax.dynamic_slice(values, corner, side)

        light, mask = _render(spikes, star, scene, cut(y), cut(x), cut(image))
        return tuple(
            jax.lax.dynamic_update_slice(whole, joined, corner)
            for whole, joined in (
                (drawn[0], cut(drawn[0]) + light),
                (drawn[1], cut(drawn[1]) | mask),
            )
        )

    brightest = jax.tree.map(lambda values: values[:_N_SPIKED], stars)

    def add_star(index, drawn):
        star = jax.tree.map(lambda values: values[index], brightest)
        if side == image.shape:
            return add_whole(drawn, star)
        far = _reach(spikes, star.flux, scene) > min(side) // 2 - 1
        return jax.lax.cond(far, add_whole, add_stamp, drawn, star)

    # Spikes that cannot be found are not drawn at all: those of the fainter stars.
    expected = jax.vmap(_expected_ratio, (None, 0, None, None))(
        spikes, brightest.flux, scene.sigma, scene
    )
    nothing = jnp.zeros(image.shape), jnp.zeros(image.shape, bool)
    light, mask = jax.lax.fori_loop(0, (expected >= FAINTEST).sum(), add_star, nothing)
    return image + light, mask
