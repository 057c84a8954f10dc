"""What light adds to a made-up exposure: stars, galaxies, spikes and trails."""

import numpy as np
from astropy.convolution import Gaussian2DKernel, convolve_fft
from astropy.modeling.models import Sersic2D
from astropy.table import Table
from photutils.datasets import make_model_image
from photutils.psf import MoffatPSF

__all__ = [
    "FWHM",
    "make_bright_star",
    "make_galaxies",
    "make_sky",
    "make_stars",
    "make_trail",
]

# The point-spread function: a Moffat profile.
FWHM = 3.4  # pixels
_BETA = 3.0
_ALPHA = FWHM / (2 * np.sqrt(2 ** (1 / _BETA) - 1))  # pixels
_PEAK = (_BETA - 1) / (np.pi * _ALPHA**2)  # of a star of flux 1

_ZERO_POINT = 28.5  # magnitude that gives one electron in the exposure
_BRIGHTEST, _FAINTEST = 13.5, 21.5  # magnitudes
_SLOPE = 0.28  # of the logarithm of star counts with magnitude
_PIXELS_PER_STAR = 1600
_PIXELS_PER_GALAXY = 24000


def _flux(magnitude):
    return 10 ** (-0.4 * (magnitude - _ZERO_POINT))


def _positions(shape, number, random):
    """Random positions, also a little outside of the image."""
    height, width = shape
    return {
        "x_0": random.uniform(-10, width + 10, number),
        "y_0": random.uniform(-10, height + 10, number),
    }


def make_sky(shape, level):
    """
    Make a sky that is brighter toward one corner.

    Parameters
    ----------
    shape : tuple of two int
        Height and width.

    level : float
        Level in the center, in electrons.

    Returns
    -------
    image : `~numpy.ndarray`
        float64, in electrons, from 0.96 to 1.04 times ``level``.
    """
    rows, columns = (np.linspace(-1, 1, size) for size in shape)
    return level * (1 + 0.025 * rows[:, None] + 0.015 * columns)


def make_stars(shape, random):
    """
    Make stars whose numbers rise toward faint magnitudes.

    Parameters
    ----------
    shape : tuple of two int
        Height and width.

    random : `~numpy.random.Generator`
        Source of random numbers.

    Returns
    -------
    image : `~numpy.ndarray`
        float64, in electrons.
    """
    number = round(np.prod(shape) / _PIXELS_PER_STAR)
    low, high = 10 ** (_SLOPE * np.array([_BRIGHTEST, _FAINTEST]))
    magnitudes = np.log10(random.uniform(low, high, number)) / _SLOPE
    stars = Table({**_positions(shape, number, random), "flux": _flux(magnitudes)})
    # Wings are drawn as far as they can be seen.
    reach = np.clip(4 * np.sqrt(stars["flux"] * _PEAK / 10), 15, 301).astype(int)
    stars["model_shape"] = 2 * reach + 1
    return make_model_image(shape, MoffatPSF(alpha=_ALPHA, beta=_BETA), stars)


def make_galaxies(shape, random):
    """
    Make galaxies, disks and ellipticals, as the seeing shows them.

    Parameters
    ----------
    shape : tuple of two int
        Height and width.

    random : `~numpy.random.Generator`
        Source of random numbers.

    Returns
    -------
    image : `~numpy.ndarray`
        float64, in electrons.
    """
    number = round(np.prod(shape) / _PIXELS_PER_GALAXY)
    radius = random.uniform(2.5, 9.0, number)  # pixels
    galaxies = Table(
        {
            **_positions(shape, number, random),
            "r_eff": radius,
            "amplitude": random.uniform(0.5, 2.0, number) * 120,
            "n": random.choice([1.0, 1.0, 2.5], number),
            "ellip": random.uniform(0.05, 0.75, number),
            "theta": random.uniform(0, np.pi, number),
        }
    )
    image = make_model_image(
        shape, Sersic2D(), galaxies, model_shape=(161, 161), discretize_method="interp"
    )
    seeing = Gaussian2DKernel(FWHM / 2.355)
    return convolve_fft(image, seeing, boundary="fill", normalize_kernel=True)


def make_bright_star(shape, position, peak):
    """
    Make a bright star with the diffraction spikes of a four-vaned spider.

    Parameters
    ----------
    shape : tuple of two int
        Height and width.

    position : tuple of two float
        Row and column of the star.

    peak : float
        Its peak in electrons, if the detector did not saturate.

    Returns
    -------
    star, spikes : `~numpy.ndarray`
        float64, in electrons: the star without spikes, and these alone.
    """
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    rows, columns = rows - position[0], columns - position[1]
    star = MoffatPSF(flux=peak / _PEAK, alpha=_ALPHA, beta=_BETA)(columns, rows)
    # Light scattered in the optics: an aureole that falls as the square.
    radius = np.hypot(rows, columns)
    star += 6e-4 * peak / (1 + (radius / 6) ** 2)

    spikes = np.zeros(shape)
    for angle in np.radians([45.0, 135.0]):
        along = np.abs(columns * np.cos(angle) + rows * np.sin(angle))
        across = rows * np.cos(angle) - columns * np.sin(angle)
        width = 1.3 + 0.01 * along
        profile = np.exp(-0.5 * (across / width) ** 2) / width
        spikes += 4e-3 * peak * profile / (1 + (along / 7) ** 1.8)
    return star, spikes


def make_trail(shape, start, end, brightness):
    """
    Make the straight trail of a satellite.

    Parameters
    ----------
    shape : tuple of two int
        Height and width.

    start, end : tuple of two float
        Row and column of two points on the trail, which goes on past both.

    brightness : float
        Of its middle line, in electrons.

    Returns
    -------
    image : `~numpy.ndarray`
        float64, in electrons.
    """
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    height, width = end[0] - start[0], end[1] - start[1]
    across = (rows - start[0]) * width - (columns - start[1]) * height
    across = across / np.hypot(height, width)
    # A Moffat profile summed along a line is a Moffat profile again.
    return brightness * (1 + (across / (1.15 * _ALPHA)) ** 2) ** (0.5 - _BETA)
