"""What one simulated exposure is like: camera, sky and seeing."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, uniforms

__all__ = ["Scene", "draw_scene", "noise_after_smoothing", "pixel_grid"]

# Levels are in electrons and lengths in pixels. Ranges are of numbers whose
# logarithm is uniform, unless said otherwise; what happens in a fraction of the
# exposures has OFTEN in its name.

# From the sky of a few seconds to that of infrared exposures; dark ones are from
# space, or of narrow bands.
_SKY, _DARK_SKY, _OFTEN_DARK = (20.0, 4e4), (0.2, 30.0), 0.15

# From the best CCDs to infrared arrays. A full well holds that many electrons, and
# so much more than the sky.
_READ_NOISE, _FULL_WELL = (1.5, 25.0), (2e4, 4e5)
_MORE_THAN_SKY, _ABOVE_SKY = 1.5, 100.0  # times the sky, times its noise

# Cameras that count photons (ultraviolet, X-rays, electron-multiplying CCDs): most
# pixels have none. Contaminants are measured by the noise, which is taken for at
# least so many electrons, or they would be lost among whole numbers.
_OFTEN_COUNTING, _COUNTS, _READ_NOISE_COUNTING = 0.025, (0.02, 3.0), 0.05
_LEAST_NOISE_COUNTING = 0.6

# Electrons a data number, in units of the sky noise: from noise that is well sampled
# by the converter to a few levels. Images of eight bits have coarse ones, and
# saturate at 256.
_GAIN, _OFTEN_EIGHT_BITS, _GAIN_EIGHT_BITS = (0.01, 1.0), 0.03, (0.5, 2.0)
_LEVELS_EIGHT_BITS = 256

# Resampling smooths by this, uniform: from bilinear interpolation to small pixels
# drizzled from large ones (Casertano et al. 2000, AJ 120, 2747).
_OFTEN_RESAMPLED, _SMOOTHING = 0.2, (0.4, 1.1)

# Seeing. Cameras of a wide field (TESS: 0.9 to 1.9), in space (IRAC, NICMOS, WFPC2)
# or of 2MASS undersample it.
_FWHM, _OFTEN_UNDERSAMPLED, _FWHM_UNDERSAMPLED = (2.0, 9.0), 0.3, (0.9, 2.4)

# The exponent of the Moffat profile, uniform: turbulence gives 4.8 and real optics
# less (Trujillo et al. 2001, MNRAS 328, 977). The share of an aureole (King 1971,
# PASP 83, 199).
_MOFFAT, _WINGS = (2.2, 5.0), (0.002, 0.08)

# Ellipticity of stars: this times the square of a uniform number. Coma adds up to
# this, uniform, from the axis to the corner. The axis lies in the frame or as far
# outside, in units of the frame, uniform: a frame may be one of many chips.
_MOST_ELLIPTICAL, _OFTEN_COMA, _MOST_COMA = 0.35, 0.4, 0.3
_AXIS, _AXIS_OF_ROUND = (-1.0, 2.0), (0.35, 0.65)

# Telescopes that did not follow the sky: the length of the trails. Of these, in some
# the telescope stood still for a while (uniform), then jumped within a moment, or
# drifted off; a few paths are bent, by up to this fraction of their length.
_OFTEN_TRAILING, _TRAILING = 0.08, (1.5, 100.0)
_OFTEN_JUMPING, _OFTEN_DRIFTING_OFF, _RESTING = 0.2, 0.2, (0.25, 0.75)
_A_MOMENT, _OFTEN_BENT, _MOST_BENT = 0.03, 0.25, 0.3

# Out of focus: the radius of the disk. The secondary mirror's shadow has this
# fraction of it (none in refractors), uniform, and lies off the center by up to this.
_OFTEN_DEFOCUSED, _DEFOCUS = 0.06, (3.0, 12.0)
_OFTEN_SLIGHTLY_DEFOCUSED, _SLIGHT_DEFOCUS = 0.03, (1.0, 3.0)
_OBSTRUCTION, _OFTEN_UNOBSTRUCTED, _MOST_OFF_CENTER = (0.2, 0.75), 0.15, 0.15

# The disk that reflected light makes of a bright star, and its share of the light.
_OFTEN_HALO, _HALO, _REFLECTED = 0.3, (12.0, 150.0), (1e-3, 5e-2)

# Vignetting: by this fraction is the corner farthest from the axis darker. In some
# exposures the field is round, and dark beyond this radius, uniform, in units of half
# the frame's diagonal.
_OFTEN_VIGNETTED, _VIGNETTING = 0.12, (0.05, 1.0)
_OFTEN_ROUND, _ROUND_FIELD = 0.025, (0.55, 1.05)


class Scene(NamedTuple):
    """
    Numbers that describe an exposure, each a scalar.

    Parameters
    ----------
    sky : float
        Sky level in electrons a pixel.

    read_noise : float
        Read noise in electrons.

    sigma : float
        Noise of the empty sky in electrons.

    full_well : float
        Electrons that a pixel can hold.

    gain : float
        Electrons a data number.

    fwhm : float
        Full width at half maximum of the PSF in pixels.

    moffat : float
        Exponent of the Moffat profile of the PSF's core.

    wings : float
        Fraction of the light in an aureole much wider than the core.

    ellipticity, angle : float
        1 - axis ratio of the PSF, and direction of its major axis in radians.

    coma : float
        Growth of the ellipticity from the center of the field to its corner.

    trailing : float
        Length in pixels over which the telescope moved, along the major axis of
        the PSF, 0 in most exposures.

    defocus : float
        Radius in pixels of the disk that a star out of focus is, 0 in most
        exposures.

    halo : float
        Radius in pixels of the disk, out of focus, that light reflected between
        optical surfaces is around a bright star; 0 in most exposures.

    reflected : float
        Fraction of the light in that disk.

    rings : float
        Contrast of the diffraction rings, 0 in most exposures from the ground.

    smoothing : float
        Standard deviation in pixels of the kernel that resampling (or none: 0)
        has left in the noise.

    as_paper : bool
        Whether contaminants are as strong as in Paillassa et al. (2020), section
        2.1, instead of over a wide range.

    resting, moving : float
        Fractions of the exposure in which a telescope that trailed stood where it
        began, and in which it moved; for what is left it stood where it ended.

    bend : float
        Height of the arc that the path is, in units of its length.

    obstruction : float
        Radius of the secondary mirror's shadow in a star out of focus, in units
        of ``defocus``.

    off_center : float
        Distance of the shadow from the center, in the same units.

    axis_y, axis_x : float
        Where the optical axis is, in units of the frame's height and width.

    vignetting : float
        Fraction of the light that is lost in the corner farthest from the axis.

    round_field : float
        Radius about the axis, in units of half the frame's diagonal, beyond which
        there is no light; 0 where light is everywhere.

    counting : bool
        Whether the camera counts photons.

    unusual : float
        How often, in units of exposures for training, there is what few exposures
        of a night have.
    """

    sky: jax.Array
    read_noise: jax.Array
    sigma: jax.Array
    full_well: jax.Array
    gain: jax.Array
    fwhm: jax.Array
    moffat: jax.Array
    wings: jax.Array
    ellipticity: jax.Array
    angle: jax.Array
    coma: jax.Array
    trailing: jax.Array
    defocus: jax.Array
    halo: jax.Array
    reflected: jax.Array
    rings: jax.Array
    smoothing: jax.Array
    as_paper: jax.Array
    resting: jax.Array = 0.0
    moving: jax.Array = 1.0
    bend: jax.Array = 0.0
    obstruction: jax.Array = 0.0
    off_center: jax.Array = 0.0
    axis_y: jax.Array = 0.5
    axis_x: jax.Array = 0.5
    vignetting: jax.Array = 0.0
    round_field: jax.Array = 0.0
    counting: jax.Array = False
    unusual: jax.Array = 1.0


def pixel_grid(shape):
    """
    Give the coordinates of the pixels.

    Parameters
    ----------
    shape : tuple of two int
        Height and width.

    Returns
    -------
    y, x : array
        float32, of that shape.
    """
    return jnp.meshgrid(
        jnp.arange(shape[0], dtype=jnp.float32),
        jnp.arange(shape[1], dtype=jnp.float32),
        indexing="ij",
    )


def noise_after_smoothing(smoothing):
    """
    Fraction of white noise that is left by smoothing with a Gaussian.

    The root of the integral of the squared transfer function of
    `maximask_astro.simulation.masks.smooth` over all wave numbers of the
    pixels.

    Parameters
    ----------
    smoothing : float or array
        Standard deviation of the Gaussian in pixels.

    Returns
    -------
    fraction : array
        In (0, 1].
    """
    width = 2 * jnp.pi**0.5 * jnp.maximum(smoothing, 1e-3)
    return jax.scipy.special.erf(jnp.pi**0.5 / 2 * width) / width


def _between(number, low, high):
    """A uniform number in [0, 1) as one in another range."""
    return low + (high - low) * number


def _draw_levels(key, unusual):
    """Sky, read noise, smoothing, noise, full well, gain and whether it counts."""
    draw = uniforms(
        key, "dark", "dark_sky", "sky", "read_noise", "counting", "counts", "resampled",
        "smoothing", "full_well", "gain", "eight_bits", "coarse_gain",
    )  # fmt: skip
    counting = draw.counting < unusual * _OFTEN_COUNTING
    dark = draw.dark < _OFTEN_DARK
    sky = log_between(draw.sky, *_SKY)
    sky = jnp.where(dark, log_between(draw.dark_sky, *_DARK_SKY), sky)
    sky = jnp.where(counting, log_between(draw.counts, *_COUNTS), sky)
    read_noise = log_between(draw.read_noise, *_READ_NOISE)
    read_noise = jnp.where(counting, _READ_NOISE_COUNTING, read_noise)
    resampled = (draw.resampled < _OFTEN_RESAMPLED) & ~counting
    smoothing = jnp.where(resampled, _between(draw.smoothing, *_SMOOTHING), 0.0)
    sigma = jnp.sqrt(sky + read_noise**2) * noise_after_smoothing(smoothing)
    sigma = jnp.where(counting, jnp.maximum(sigma, _LEAST_NOISE_COUNTING), sigma)

    eight_bits = (draw.eight_bits < unusual * _OFTEN_EIGHT_BITS) & ~counting
    gain = sigma * log_between(draw.gain, *_GAIN)
    coarse = sigma * log_between(draw.coarse_gain, *_GAIN_EIGHT_BITS)
    gain = jnp.where(counting, 1.0, jnp.where(eight_bits, coarse, gain))
    full_well = log_between(draw.full_well, *_FULL_WELL)
    full_well = jnp.where(eight_bits, _LEVELS_EIGHT_BITS * gain, full_well)
    full_well = jnp.maximum(full_well, sky * _MORE_THAN_SKY + _ABOVE_SKY * sigma)
    return {
        "sky": sky,
        "read_noise": read_noise,
        "sigma": sigma,
        "full_well": full_well,
        "gain": gain,
        "smoothing": smoothing,
        "counting": counting,
    }


def _draw_path(key, unusual):
    """How the telescope moved."""
    draw = uniforms(key, "trails", "length", "manner", "resting", "bent", "bend")
    trails = draw.trails < unusual * _OFTEN_TRAILING
    jumping = draw.manner < _OFTEN_JUMPING
    drifting_off = draw.manner > 1 - _OFTEN_DRIFTING_OFF
    resting = jnp.where(jumping | drifting_off, _between(draw.resting, *_RESTING), 0.0)
    bent = (draw.bent < _OFTEN_BENT) & ~jumping
    return {
        "trailing": jnp.where(trails, log_between(draw.length, *_TRAILING), 0.0),
        "resting": resting,
        "moving": jnp.where(jumping, _A_MOMENT, 1 - resting),
        "bend": jnp.where(bent, _MOST_BENT * draw.bend, 0.0),
    }


def _draw_optics(key, smoothing, unusual):
    """What the sky and the telescope make of a star."""
    draw = uniforms(
        key, "undersampled", "few_pixels", "fwhm", "moffat", "wings", "ellipticity",
        "angle", "comatic", "coma", "axis_y", "axis_x", "defocused", "defocus",
        "unobstructed", "obstruction", "off_center", "reflects", "halo", "reflected",
        "rings", "vignetted", "vignetting", "round", "round_field",
    )  # fmt: skip
    undersampled = draw.undersampled < _OFTEN_UNDERSAMPLED
    fwhm = jnp.where(
        undersampled,
        log_between(draw.few_pixels, *_FWHM_UNDERSAMPLED),
        log_between(draw.fwhm, *_FWHM),
    )
    any_defocus = _OFTEN_DEFOCUSED + _OFTEN_SLIGHTLY_DEFOCUSED
    slight = draw.defocused < unusual * any_defocus
    defocus = jnp.where(slight, log_between(draw.defocus, *_SLIGHT_DEFOCUS), 0.0)
    much = draw.defocused < unusual * _OFTEN_DEFOCUSED
    defocus = jnp.where(much, log_between(draw.defocus, *_DEFOCUS), defocus)
    obstructed = draw.unobstructed >= _OFTEN_UNOBSTRUCTED
    is_round = draw.round < unusual * _OFTEN_ROUND
    axis_y, axis_x = (
        jnp.where(is_round, _between(u, *_AXIS_OF_ROUND), _between(u, *_AXIS))
        for u in (draw.axis_y, draw.axis_x)
    )
    round_field = _between(draw.round_field, *_ROUND_FIELD)
    return {
        # What smooths the noise smooths stars as well.
        "fwhm": jnp.hypot(fwhm, (8 * jnp.log(2.0)) ** 0.5 * smoothing),
        "moffat": _between(draw.moffat, *_MOFFAT),
        "wings": log_between(draw.wings, *_WINGS),
        "ellipticity": _MOST_ELLIPTICAL * draw.ellipticity**2,
        "angle": 2 * jnp.pi * draw.angle,
        "coma": jnp.where(draw.comatic < _OFTEN_COMA, _MOST_COMA * draw.coma, 0.0),
        "axis_y": axis_y,
        "axis_x": axis_x,
        "defocus": defocus,
        "obstruction": obstructed * _between(draw.obstruction, *_OBSTRUCTION),
        "off_center": _MOST_OFF_CENTER * draw.off_center,
        "halo": jnp.where(
            draw.reflects < _OFTEN_HALO, log_between(draw.halo, *_HALO), 0.0
        ),
        "reflected": log_between(draw.reflected, *_REFLECTED),
        "rings": jnp.where(undersampled, draw.rings, 0.0),
        "vignetting": jnp.where(
            draw.vignetted < _OFTEN_VIGNETTED,
            log_between(draw.vignetting, *_VIGNETTING),
            0.0,
        ),
        "round_field": jnp.where(is_round, round_field, 0.0),
    }


def draw_scene(key, as_paper=False, unusual=1.0):
    """
    Draw an exposure's properties, from space to the amateur's garden.

    Parameters
    ----------
    key : array
        PRNG key.

    as_paper : bool or array, optional
        Whether contaminants are as strong as in the paper.

    unusual : float or array, optional
        How often there is what few exposures have, see `Scene`.

    Returns
    -------
    scene : `Scene`
        Its numbers.
    """
    keys = jax.random.split(key, 3)
    levels = _draw_levels(keys[0], unusual)
    return Scene(
        **levels,
        **_draw_optics(keys[1], levels["smoothing"], unusual),
        **_draw_path(keys[2], unusual),
        as_paper=jnp.asarray(as_paper),
        unusual=jnp.asarray(unusual),
    )
