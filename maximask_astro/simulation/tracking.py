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
from maximask_astro.simulation.detector import add_noise, digitize, sky_structure
from maximask_astro.simulation.draws import chance, choice, log_uniform, uniform
from maximask_astro.simulation.motion import blur_of, draw_motion, smear
from maximask_astro.simulation.psf import psf_value
from maximask_astro.simulation.saturation import saturate
from maximask_astro.simulation.scene import draw_scene
from maximask_astro.simulation.sky import draw_galaxies, draw_stars
from maximask_astro.simulation.trails import add_trails

__all__ = ["TrackingTruth", "simulate_tracking"]

# Light from so far outside of the frame can move into it, in pixels.
_MARGIN = 64

# How often an exposure has what could be taken for a tracking error, or hides it.
_FREQUENCIES = {
    "CR": 0.5,
    "TRL": 0.12,
    "HCL": 0.15,
    "DCL": 0.15,
    "HP": 0.25,
}

# A star counts if its brightest pixel is this many times above the noise.
_COUNTS = 8.0

# Out of focus: the radius of the ring in FWHM of the seeing.
_OUT_OF_FOCUS = 0.6


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
        Number of stars in the frame that stand out of the noise.

    length : array
        Of the blur in the middle of the frame, in pixels, see
        ``simulation/motion.py``.

    angle : array
        Of the blur, in radians from the axis x towards y, in [0, pi).

    kind : array
        Of the motion, an index in ``KINDS`` of ``simulation/motion.py``.

    fwhm : array
        Of the seeing, in pixels.
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
    defocused = chance(keys[0], 0.15)
    radius = scene.fwhm * log_uniform(keys[1], _OUT_OF_FOCUS, 4.0)
    scene = scene._replace(
        # What guiding leaves and astigmatism; more is coma's or the motion's.
        ellipticity=0.22 * uniform(keys[2], 0.0, 1.0) ** 1.5,
        trailing=jnp.zeros(()),
        defocus=jnp.where(defocused, jnp.minimum(radius, 14.0), 0.0),
    )
    return scene, jnp.where(chance(keys[3], 0.25), uniform(keys[4], 0.1, 0.8), 0.0)


def _psf_image(scene, coma, angle, shape):
    """The PSF about the first pixel of a periodic image, its sum 1."""
    y, x = (jnp.fft.fftfreq(size, 1 / size) for size in shape)
    y, x = y[:, None], x[None]
    sin, cos = jnp.sin(angle), jnp.cos(angle)
    total = 0.0
    # A comet: fainter and wider images, each farther off (coma grows to one side).
    for number in range(4):
        off = 0.45 * number * scene.fwhm
        wider = scene._replace(fwhm=scene.fwhm * (1 + 0.25 * number))
        light = psf_value(
            x - off * cos, y - off * sin, wider, scene.ellipticity, scene.angle
        )
        total = total + coma**number * light
    return total / total.sum()


def _count_stars(stars, motion, psf, scene, shape):
    """Number of stars in the frame whose brightest pixel stands out."""
    size = psf.shape
    middle = jnp.array([size[0] / 2, size[1] / 2])
    offset = jnp.array(shape) / 2 - middle
    path = motion._replace(pivot=motion.pivot - offset)
    point = smear(path, middle[:1], middle[1:], jnp.ones(1), size)
    spectrum = jnp.fft.rfft2(point) * jnp.fft.rfft2(psf)
    peak = jnp.fft.irfft2(spectrum, s=size).max()
    y, x = stars.y, stars.x
    inside = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
    return (inside & (stars.flux * peak > _COUNTS * scene.sigma)).sum()


def _blurred(image, motion, shape):
    """Galaxies, moved like the middle of the frame."""
    padded = jnp.pad(image, _MARGIN, mode="edge")
    size = padded.shape
    middle = jnp.array(shape, jnp.float32) / 2
    start = motion._replace(pivot=motion.pivot - middle)
    # About the first pixel of a periodic image.
    around = _smear_around(start, size)
    spectrum = jnp.fft.rfft2(padded) * jnp.fft.rfft2(around)
    moved = jnp.fft.irfft2(spectrum, s=size)
    return moved[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]


def _smear_around(motion, size):
    """The path of the point 0, 0 as a periodic image."""
    half = jnp.array([size[0] // 2, size[1] // 2], jnp.float32)
    path = motion._replace(pivot=motion.pivot + half)
    image = smear(path, half[:1], half[1:], jnp.ones(1), size)
    return jnp.roll(image, (-(size[0] // 2), -(size[1] // 2)), (0, 1))


def _simulate_one(key, shape):
    names = ("scene", "optics", "coma", "stars", "galaxies", "affected", "motion")
    names += ("sky", "noise", "SAT", "digits", "density", *_FREQUENCIES)
    keys = dict(zip(names, jax.random.split(key, len(names)), strict=True))
    scene, coma = _draw_optics(keys["optics"], draw_scene(keys["scene"]))
    affected = choice(keys["affected"], (0.45, 0.1, 0.45))
    motion, kind = draw_motion(keys["motion"], scene, shape, affected)

    stars = draw_stars(keys["stars"], scene, shape)
    # Most exposures are deep enough to show some stars.
    deep, more = jax.random.split(keys["density"])
    factor = jnp.where(chance(deep, 0.8), log_uniform(more, 2.0, 150.0), 1.0)
    stars = stars._replace(flux=stars.flux * factor)
    size = tuple(length + 2 * _MARGIN for length in shape)
    angle = uniform(keys["coma"], 0.0, 2 * jnp.pi)
    psf = _psf_image(scene, coma, angle, size)
    around = motion._replace(pivot=motion.pivot + _MARGIN)
    points = smear(around, stars.y + _MARGIN, stars.x + _MARGIN, stars.flux, size)
    light = jnp.fft.irfft2(jnp.fft.rfft2(points) * jnp.fft.rfft2(psf), s=size)
    image = jnp.maximum(light[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN], 0.0)
    galaxies = draw_galaxies(keys["galaxies"], scene, shape)
    image = image + jnp.maximum(_blurred(galaxies, motion, shape), 0.0)

    def apply(name, function, image):
        return jax.lax.cond(
            chance(jax.random.fold_in(keys[name], 1), _FREQUENCIES[name]),
            lambda image: function(keys[name], image, scene)[0],
            lambda image: image,
            image,
        )

    image = apply("TRL", add_trails, image)
    image = apply("CR", add_cosmic_rays, image)
    image = image + sky_structure(keys["sky"], scene, shape)
    image = add_noise(keys["noise"], image, scene)
    image, _ = saturate(keys["SAT"], image, scene)
    image = apply("HCL", add_hot_lines, image)
    image = apply("DCL", add_dead_lines, image)
    image = apply("HP", add_hot_pixels, image)

    length, angle = blur_of(motion, jnp.array(shape, jnp.float32) / 2)
    truth = TrackingTruth(
        affected=affected,
        defocused=scene.defocus > 0,
        n_stars=_count_stars(stars, motion, psf, scene, shape),
        length=length,
        angle=angle,
        kind=kind,
        fwhm=scene.fwhm,
    )
    return digitize(keys["digits"], image, scene), truth


@partial(jax.jit, static_argnames=("number", "shape"))
def simulate_tracking(key, number=1, shape=(256, 256)):
    """
    Simulate exposures with and without tracking errors.

    The same key gives the same exposures.

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
    one = partial(_simulate_one, shape=shape)
    if jax.default_backend() == "cpu":
        return jax.lax.map(one, keys)
    return jax.vmap(one)(keys)
