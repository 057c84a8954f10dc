"""An example exposure with a little of everything."""

import operator

import numpy as np
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.wcs import WCS
from photutils.datasets import apply_poisson_noise

from maximask_astro.datasets.detector import (
    bleed,
    make_cosmic_rays,
    make_hot_pixels,
    read_out,
)
from maximask_astro.datasets.light import (
    make_bright_star,
    make_galaxies,
    make_sky,
    make_stars,
    make_trail,
)

__all__ = ["make_example_exposure"]

_SMALLEST = 100  # pixels

_SKY = 1400.0  # electrons
_GAIN = 1.6  # electrons per adu
_READ_NOISE = 6.0  # electrons
_BIAS = 1000.0  # adu
_FULL_WELL = 95000.0  # electrons
_EXPOSURE_TIME = 120.0  # seconds

_STAR_PEAK = 25 * _FULL_WELL
_TRAIL_BRIGHTNESS = 450.0  # electrons
_HOT_COLUMN = 900.0  # electrons
_DEAD_COLUMN = 0.15  # fraction of the light that is left

_PIXEL_SCALE = 0.4  # arcseconds
_CENTER = (150.1, 2.2)  # right ascension and declination, in degrees


def _make_wcs(shape):
    """North up, east to the left."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.crval = _CENTER
    wcs.wcs.crpix = [(size + 1) / 2 for size in shape[::-1]]
    wcs.wcs.cdelt = [-_PIXEL_SCALE / 3600, _PIXEL_SCALE / 3600]
    wcs.wcs.radesys = "ICRS"
    wcs.array_shape = shape
    return wcs


def _make_header(seed):
    header = fits.Header()
    header["OBJECT"] = ("Example field", "made up, there is no such field")
    header["INSTRUME"] = ("simulated", "no real instrument")
    header["EXPTIME"] = (_EXPOSURE_TIME, "[s] exposure time")
    header["GAIN"] = (_GAIN, "[electron/adu] gain")
    header["RDNOISE"] = (_READ_NOISE, "[electron] read noise")
    header["BIASLEV"] = (_BIAS, "[adu] bias level")
    header["SATURATE"] = (_FULL_WELL / _GAIN + _BIAS, "[adu] saturation level")
    header["SEED"] = (seed, "seed of the random numbers")
    return header


def make_parts(shape, random):
    """
    Make the parts of an example exposure one by one.

    Parameters
    ----------
    shape : tuple of two int
        Height and width.

    random : `~numpy.random.Generator`
        Source of random numbers.

    Returns
    -------
    light, defects : dict of str to `~numpy.ndarray`
        float64, in electrons, without noise: what light adds, and what the
        detector adds.

    response : `~numpy.ndarray`
        float64: the fraction of the light that each pixel detects.
    """
    height, width = shape
    star, spikes = make_bright_star(shape, (0.66 * height, 0.3 * width), _STAR_PEAK)
    light = {
        "sky": make_sky(shape, _SKY),
        "stars": make_stars(shape, random),
        "galaxies": make_galaxies(shape, random),
        "bright star": star,
        "spikes": spikes,
        "trail": make_trail(
            shape, (0.1 * height, 0.0), (0.62 * height, width), _TRAIL_BRIGHTNESS
        ),
    }

    hot_column = np.zeros(shape)
    hot_column[round(0.35 * height) :, round(0.8 * width)] = _HOT_COLUMN
    response = np.ones(shape)
    response[: round(0.7 * height), round(0.55 * width)] = _DEAD_COLUMN
    defects = {
        "cosmic rays": make_cosmic_rays(shape, random),
        "hot pixels": make_hot_pixels(shape, random),
        "hot column": hot_column,
    }
    return light, defects, response


def make_example_exposure(shape=(600, 800), *, seed=1):
    """
    Make up a raw exposure with a little of everything.

    It is for demonstrations and examples: stars and galaxies on a sky that is
    not flat, a star that saturates, bleeds and has diffraction spikes, cosmic
    rays, the trail of a satellite, a hot column, a dead column, and hot pixels.

    Parameters
    ----------
    shape : tuple of two int, optional
        Height and width in pixels, at least 100 each.

    seed : int, optional
        Seed of the random numbers, at least 0. The same seed and shape give
        the same exposure.

    Returns
    -------
    exposure : `~astropy.nddata.CCDData`
        uint16, in adu, with bias and noise, world coordinates (gnomonic, 0.4
        arcseconds a pixel, of a place that was chosen freely) and a header
        with the gain and the read noise in electrons.

    Raises
    ------
    TypeError
        ``shape`` is not two integers, or ``seed`` is not an integer.

    ValueError
        The exposure would have fewer than 100 pixels along an axis, or
        ``seed`` is negative.

    Notes
    -----
    Nothing in it was fitted to a real instrument, and each contaminant is
    there in one or two easy forms. How well a network does on it says nothing
    about how well it does on the sky: do not derive rates of detection or of
    false alarms from it.

    Examples
    --------
    >>> from maximask_astro.datasets import make_example_exposure
    >>> ccd = make_example_exposure((200, 300), seed=5)
    >>> ccd.shape, ccd.data.dtype.name, str(ccd.unit)
    ((200, 300), 'uint16', 'adu')
    """
    shape, seed = _check(shape, seed)
    random = np.random.default_rng(seed)
    light, defects, response = make_parts(shape, random)
    electrons = apply_poisson_noise(
        sum(light.values()) * response + defects["hot column"] + defects["hot pixels"],
        seed=random,
    )
    electrons = bleed(electrons + defects["cosmic rays"], _FULL_WELL)
    raw = read_out(electrons, random, gain=_GAIN, read_noise=_READ_NOISE, bias=_BIAS)
    return CCDData(raw, unit="adu", wcs=_make_wcs(shape), meta=_make_header(seed))


def _check(shape, seed):
    """The arguments as plain integers."""
    try:
        height, width = (operator.index(size) for size in shape)
        seed = operator.index(seed)
    except (TypeError, ValueError):
        raise TypeError(
            f"shape must be two integers and seed one, not {shape!r} and {seed!r}."
        ) from None
    if min(height, width) < _SMALLEST:
        raise ValueError(
            f"The example exposure needs at least {_SMALLEST} pixels along each axis, "
            f"not {shape}."
        )
    if seed < 0:
        raise ValueError(f"seed must be at least 0, not {seed}.")
    return (height, width), seed
