"""Exposures of telescopes that tracked the sky, and of such that did not."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from maximask_astro.simulation.cosmic_rays import add_cosmic_rays
from maximask_astro.simulation.defects import (
    add_dead_lines,
    add_hot_lines,
    add_hot_pixels,
)
from maximask_astro.simulation.detector import digitize
from maximask_astro.simulation.draws import chance, choice, log_uniform, uniform
from maximask_astro.simulation.exposure import expose_light
from maximask_astro.simulation.motion import blur_of, draw_motion, smear
from maximask_astro.simulation.psf import psf_value
from maximask_astro.simulation.saturation import saturate
from maximask_astro.simulation.scene import draw_scene
from maximask_astro.simulation.sky import draw_galaxies, draw_stars
from maximask_astro.simulation.stages import run_stage, simulate_each, some_of
from maximask_astro.simulation.trails import add_trails

__all__ = ["TrackingTruth", "simulate_tracking"]

# Light from so far outside of the frame can move into it, in pixels.
_MARGIN = 64

# How often an exposure has a tracking error that does not show, may show, and shows.
_AFFECTED = (0.42, 0.16, 0.42)

# Most exposures are deep enough to show some stars: so often stars are so many times
# brighter than in those for contaminants.
_DEEP_OFTEN, _DEEPER = 0.85, (3.0, 150.0)

# How often the shutter is closed: what is there, is hot pixels and cosmic rays.
_DARK = 0.06

# How often an exposure has what could be taken for a tracking error, or hides it.
_FREQUENCIES = {
    "CR": 0.5,
    "TRL": 0.12,
    "HCL": 0.15,
    "DCL": 0.15,
    "HP": 0.25,
}

# A star counts if its brightest pixel stands so many times above the noise and the
# light of others there, and all of its light so many times above the noise.
_PEAK, _CONTRAST, _SIGNIFICANT = 8.0, 0.3, 20.0

# Saturation begins at this fraction of the full well.
_SATURATED = 0.9

# Out of focus, so often: the radius of the ring in FWHM of the seeing, and at most in
# pixels.
_DEFOCUSED, _OUT_OF_FOCUS, _LARGEST_RING = 0.15, (0.6, 4.0), 14.0

# Ellipticity that guiding and astigmatism leave, at most; most have much less.
_ELLIPTICITY, _ROUNDNESS = 0.22, 1.5

# Coma, so often: how bright each of a comet's images is in units of the one before.
# With more it would be a trail as long as that of a telescope that drifts.
_COMATIC, _COMA = 0.25, (0.1, 0.4)

# A comet's images: so many, each so many FWHM from the one before, and by so much
# wider.
_COMET, _STEP, _WIDER = 4, 0.45, 0.25


class TrackingTruth(NamedTuple):
    """
    What a simulated exposure was like.

    Parameters
    ----------
    affected : array
        2: by a tracking error that shows; 1: by one that may show; 0: by none.

    defocused : array
        Boolean: the telescope was out of focus.

    n_stars : array
        Number of stars in the frame whose shape can be seen: well above the noise
        and the light of others, and not saturated.

    length : array
        Of the blur in the middle of the frame, in pixels, see
        ``simulation/motion.py``.

    angle : array
        Of the blur, in radians from the axis x towards y, in [0, pi).

    kind : array
        Of the motion, an index in ``KINDS`` of ``simulation/motion.py``.

    fwhm : array
        Of stars that do not move, in pixels: by seeing, defocus, coma and the
        pixels.
    """

    affected: jax.Array
    defocused: jax.Array
    n_stars: jax.Array
    length: jax.Array
    angle: jax.Array
    kind: jax.Array
    fwhm: jax.Array


def _draw_optics(key, scene):
    """A scene whose PSF is what optics make of a point, and coma's strength."""
    keys = jax.random.split(key, 5)
    defocused = chance(keys[0], _DEFOCUSED)
    radius = scene.fwhm * log_uniform(keys[1], *_OUT_OF_FOCUS)
    coma = uniform(keys[4], *_COMA)
    scene = scene._replace(
        # What guiding leaves and astigmatism; more is coma's or the motion's.
        ellipticity=_ELLIPTICITY * uniform(keys[2], 0.0, 1.0) ** _ROUNDNESS,
        trailing=jnp.zeros(()),
        defocus=jnp.where(defocused, jnp.minimum(radius, _LARGEST_RING), 0.0),
    )
    return scene, jnp.where(chance(keys[3], _COMATIC), coma, 0.0)


def _width(scene, coma):
    """FWHM in pixels that a Gaussian with the same second moment would have."""
    powers = coma ** jnp.arange(_COMET)
    places = _STEP * jnp.arange(_COMET)
    total = powers.sum()
    mean = (powers * places).sum() / total
    comet = ((powers * places**2).sum() / total - mean**2) * scene.fwhm**2
    ring = scene.defocus**2 / 2
    # What `smear` shares linearly between pixels is spread by this on average.
    shared = 1 / 6
    return jnp.sqrt(scene.fwhm**2 + 8 * jnp.log(2.0) * (comet + ring + shared))


def _psf_image(scene, coma, angle, shape):
    """The PSF about the first pixel of a periodic image, its sum 1."""
    y, x = (jnp.fft.fftfreq(size, 1 / size) for size in shape)
    y, x = y[:, None], x[None]
    sin, cos = jnp.sin(angle), jnp.cos(angle)

    def image_of(number):
        off = _STEP * number * scene.fwhm
        wider = scene._replace(fwhm=scene.fwhm * (1 + _WIDER * number))
        dx, dy = x - off * cos, y - off * sin
        light = psf_value(dx, dy, wider, scene.ellipticity, scene.angle)
        return coma**number * light

    # A comet: fainter and wider images, each farther off (coma grows to one side).
    total = jax.lax.cond(
        coma > 0,
        lambda: sum(image_of(number) for number in range(_COMET)),
        lambda: image_of(0),
    )
    return total / total.sum()


def _count_stars(stars, point, scene, image, full):
    """
    Number of stars whose shape can be seen.

    ``point`` is the moved PSF about the first pixel of a periodic image, ``image``
    all light but the sky's, and ``full`` says where it saturates or charge has bled
    to.
    """
    shape, size = image.shape, point.shape
    # Where a star is brightest need not be the middle of its path.
    row, column = jnp.unravel_index(point.argmax(), size)
    y, x = (
        jnp.round(place + jnp.where(off > length // 2, off - length, off)).astype(int)
        for place, off, length in zip(
            (stars.y, stars.x), (row, column), size, strict=True
        )
    )
    inside = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
    y, x = jnp.clip(y, 0, shape[0] - 1), jnp.clip(x, 0, shape[1] - 1)
    height = stars.flux * point.max()
    others = jnp.maximum(image[y, x] - height, 0.0)
    noise = jnp.sqrt(scene.sigma**2 + others)
    seen = height > jnp.maximum(_PEAK * noise, _CONTRAST * others)
    seen &= stars.flux * jnp.sqrt((point**2).sum()) > _SIGNIFICANT * noise
    seen &= scene.sky + height + others < _SATURATED * scene.full_well
    return (inside & seen & ~full[y, x]).sum()


def _smear_around(motion, size):
    """The path of the point 0, 0 as a periodic image."""
    half = jnp.array([size[0] // 2, size[1] // 2], jnp.float32)
    path = motion._replace(pivot=motion.pivot + half)
    image = smear(path, half[:1], half[1:], jnp.ones(1), size)
    return jnp.roll(image, (-(size[0] // 2), -(size[1] // 2)), (0, 1))


def _plan(key, shape):
    """What an exposure is like, where its stars are, and what else is in it."""
    names = ("scene", "optics", "coma", "stars", "galaxies", "affected", "motion")
    names += ("sky", "noise", "SAT", "digits", "density", *_FREQUENCIES)
    keys = dict(zip(names, jax.random.split(key, len(names)), strict=True))
    scene, coma = _draw_optics(keys["optics"], draw_scene(keys["scene"]))
    affected = choice(keys["affected"], _AFFECTED)
    width = _width(scene, coma)
    motion, kind = draw_motion(keys["motion"], width, shape, affected)

    stars = draw_stars(keys["stars"], scene, shape)
    # Most exposures are deep enough to show some stars.
    deep, more, closed = jax.random.split(keys["density"], 3)
    brighter = log_uniform(more, *_DEEPER)
    factor = jnp.where(chance(deep, _DEEP_OFTEN), brighter, 1.0)
    dark = chance(closed, _DARK)
    factor = jnp.where(dark, 0.0, factor)
    stars = stars._replace(flux=stars.flux * factor)
    there = {
        name: jnp.where(
            dark,
            name in ("CR", "HP"),
            chance(jax.random.fold_in(keys[name], 1), often),
        )
        for name, often in _FREQUENCIES.items()
    }
    truth = affected, width, kind
    return keys, there, scene, coma, motion, stars, dark, truth


def _draw_light(keys, scene, coma, motion, stars, dark, shape):
    """Light of all objects, and what becomes of a star in the middle."""
    size = tuple(length + 2 * _MARGIN for length in shape)
    angle = uniform(keys["coma"], 0.0, 2 * jnp.pi)
    psf = jnp.fft.rfft2(_psf_image(scene, coma, angle, size))
    around = motion._replace(pivot=motion.pivot + _MARGIN)
    points = smear(around, stars.y + _MARGIN, stars.x + _MARGIN, stars.flux, size)
    galaxies = jnp.where(dark, 0.0, draw_galaxies(keys["galaxies"], scene, shape))
    galaxies = jnp.pad(galaxies, _MARGIN, "edge")
    # Galaxies move like the middle of the frame.
    start = motion._replace(pivot=motion.pivot - jnp.array(shape) / 2)
    path = jnp.fft.rfft2(_smear_around(start, size))
    light = jnp.fft.rfft2(points) * psf + jnp.fft.rfft2(galaxies) * path
    light = jnp.fft.irfft2(light, s=size)[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    return jnp.maximum(light, 0.0), jnp.fft.irfft2(path * psf, s=size)


def _finish(key, image, scene, truth, motion, stars, point, light, full, shape):
    """Data numbers and the truth."""
    affected, width, kind = truth
    length, angle = blur_of(motion, jnp.array(shape, jnp.float32) / 2)
    truth = TrackingTruth(
        affected=affected,
        defocused=scene.defocus > 0,
        n_stars=_count_stars(stars, point, scene, light, full),
        length=length,
        angle=angle,
        kind=kind,
        fwhm=width,
    )
    return digitize(key, image, scene), truth


def _simulate(key, *, shape):
    keys, there, scene, coma, motion, stars, dark, truth = run_stage(
        _plan, key, shape=shape
    )
    there = jax.device_get(there)
    moving = scene, coma, motion, stars, dark
    light, point = run_stage(_draw_light, keys, *moving, shape=shape)

    def apply(name, function, image):
        return some_of(function, there[name], keys[name], image, scene)[0]

    image = apply("TRL", add_trails, light)
    image = apply("CR", add_cosmic_rays, image)
    noisy = keys["sky"], keys["noise"], image, scene
    image = run_stage(expose_light, *noisy, shape=shape)
    image, full = run_stage(saturate, keys["SAT"], image, scene)
    image = apply("HCL", add_hot_lines, image)
    image = apply("DCL", add_dead_lines, image)
    image = apply("HP", add_hot_pixels, image)
    seen = stars, point, light, full
    what = image, scene, truth, motion, *seen
    return run_stage(_finish, keys["digits"], *what, shape=shape)


def simulate_tracking(key, number=1, shape=(256, 256)):
    """
    Simulate exposures with and without tracking errors.

    The same key gives the same exposures. It is compiled part by part, so that it
    cannot be a part of a program that is compiled itself.

    Parameters
    ----------
    key : array
        PRNG key, from `jax.random.key`.

    number : int, optional
        How many.

    shape : tuple of two int, optional
        Height and width in pixels.

    Returns
    -------
    images : array
        float32, shape (number, height, width): data numbers above the bias.

    truth : `TrackingTruth`
        Arrays of shape (number,).
    """
    keys = jax.random.split(key, number)
    return simulate_each(partial(_simulate, shape=tuple(shape)), keys)
