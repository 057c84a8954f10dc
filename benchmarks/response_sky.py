"""
Skies without any contaminant, for ``response.py``.

Stars are Moffat profiles, galaxies Sérsic ones, and the sky has a slope, as a
frame that was divided by a good flat field has. They need NumPy and SciPy only,
and nothing of the library's own simulation. No star of these skies saturates or
has spikes, so everything but BBG and BG that is found on them is a false alarm.
"""

from dataclasses import dataclass

import numpy as np
from scipy.signal import fftconvolve

SIZE = 800
SEED = 8053

# Places of objects: the corners of a grid, so that none touches its neighbor.
_CELL = 100

# Fractional parts of its multiples fill an interval evenly, however few they are.
_GOLDEN = 0.618034

# Kolmogorov's profile is close to a Moffat profile of index 4.765 (Trujillo et
# al. 2001, MNRAS 328, 977); what is seen at telescopes is often nearer to 2.5.
_MOFFAT_INDICES = (2.5, 4.765)
_FWHMS = (1.8, 6.0)  # pixels
_ELLIPTICITIES = (0.0, 0.12)

_SKIES = (100.0, 20_000.0)  # electrons a pixel
_READ_NOISES = (2.0, 12.0)  # electrons
_GAINS = (1.0, 4.0)  # electrons a count
_BIASES = (200.0, 1500.0)  # counts
_LARGEST_SLOPE = 0.01  # of the sky, over the frame
_LARGEST_PEAK = 30_000.0  # electrons, of the skies' stars: half a small full well

_NUMBERS_OF_STARS = (60, 1500)
_NUMBERS_OF_GALAXIES = (10, 120)
_OVERSAMPLING = 3


def log_uniform(rng, low, high):
    """Draw a number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def along(x, low, high):
    """The number at fraction ``x`` of a logarithmic range."""
    return low * (high / low) ** x


@dataclass(frozen=True)
class Moffat:
    """
    A point-spread function.

    Parameters
    ----------
    fwhm : float
        Pixels.

    beta : float
        Index.

    ellipticity, angle : float
        One minus the ratio of the axes, and radians.
    """

    fwhm: float
    beta: float
    ellipticity: float = 0.0
    angle: float = 0.0

    def stamp(self, half, dx=0.0, dy=0.0, oversampling=_OVERSAMPLING):
        """
        Render a star of unit flux, centered at most a pixel off the middle.

        Parameters
        ----------
        half : int
            The stamp has this many pixels on each side of the middle one.

        dx, dy : float, optional
            Pixels off the middle.

        oversampling : int, optional
            Points along the side of a pixel; with 1 the profile is sampled.

        Returns
        -------
        stamp : `~numpy.ndarray`
            Shape (2 half + 1, 2 half + 1).
        """
        n = (2 * half + 1) * oversampling
        line = (np.arange(n) + 0.5) / oversampling - half - 0.5
        y, x = np.meshgrid(line - dy, line - dx, indexing="ij")
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        major, minor = cos * x + sin * y, cos * y - sin * x
        width = self.fwhm / 2 / np.sqrt(2 ** (1 / self.beta) - 1)
        ratio = np.sqrt(1 - self.ellipticity)
        values = (1 + (major * ratio / width) ** 2 + (minor / ratio / width) ** 2) ** (
            -self.beta
        )
        values = values.reshape(2 * half + 1, oversampling, -1, oversampling)
        stamp = values.mean(axis=(1, 3))
        return stamp / stamp.sum()


@dataclass(frozen=True)
class Sky:
    """
    An exposure to which contaminants are added.

    Parameters
    ----------
    image : `~numpy.ndarray`
        Counts, shape (SIZE, SIZE).

    level, noise : float
        Counts of the sky, and its standard deviation from pixel to pixel.

    gain : float
        Electrons a count.

    psf : Moffat
        Of its stars.
    """

    image: np.ndarray
    level: float
    noise: float
    gain: float
    psf: Moffat

    def with_light(self, rng, light):
        """The image with more light, in counts, and its photon noise."""
        electrons = rng.poisson(np.maximum(light, 0) * self.gain)
        # Fringes take light away, too: photon noise hardly changes with that.
        return self.image + electrons / self.gain + np.minimum(light, 0)


def paste(image, stamp, x, y):
    """Add a stamp whose middle is pixel (x, y), as far as it is inside."""
    half = stamp.shape[0] // 2
    top, left = y - half, x - half
    rows = slice(max(top, 0), min(y + half + 1, image.shape[0]))
    columns = slice(max(left, 0), min(x + half + 1, image.shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        image[rows, columns] += stamp[
            rows.start - top : rows.stop - top,
            columns.start - left : columns.stop - left,
        ]


def places(rng, number):
    """Pixels far from one another and from the edges: rows of x and y."""
    side = SIZE // _CELL
    cells = rng.permutation(side * side)[:number]
    corners = np.stack(np.divmod(cells, side), axis=1) * _CELL
    return corners + rng.integers(_CELL // 4, 3 * _CELL // 4, (len(cells), 2))


def _stars(rng, psf, noise):
    image = np.zeros((SIZE, SIZE))
    number = int(log_uniform(rng, *_NUMBERS_OF_STARS))
    faintest = 4 * noise * psf.fwhm
    fluxes = faintest * rng.random(number) ** (-1 / rng.uniform(0.5, 0.9))
    highest = psf.stamp(8).max()
    for flux in np.minimum(fluxes, _LARGEST_PEAK / highest):
        x, y = rng.integers(0, SIZE, 2)
        half = 12 if flux < 100 * faintest else 50
        paste(image, flux * psf.stamp(half, *rng.uniform(-0.5, 0.5, 2)), x, y)
    return image


def _galaxies(rng, psf, noise):
    image = np.zeros((SIZE, SIZE))
    for _ in range(int(log_uniform(rng, *_NUMBERS_OF_GALAXIES))):
        radius = psf.fwhm * log_uniform(rng, 0.4, 3.5)
        index = rng.choice([0.8, 1.0, 1.5, 2.5, 4.0])
        ratio, angle = rng.uniform(0.2, 1), rng.uniform(0, np.pi)
        half = int(6 * radius) + 1
        line = np.arange(-half, half + 1.0)
        y, x = np.meshgrid(line, line, indexing="ij")
        major = np.cos(angle) * x + np.sin(angle) * y
        minor = (np.cos(angle) * y - np.sin(angle) * x) / ratio
        # The center of a steep profile is softened by half a pixel.
        r = np.sqrt(major**2 + minor**2 + 0.25) / radius
        profile = np.exp(-(2 * index - 1 / 3) * r ** (1 / index)) * (r < 5)
        flux = 8 * noise * psf.fwhm * (radius / psf.fwhm + 1) * rng.random() ** -1.25
        stamp = min(flux, 1e6) * profile / profile.sum()
        paste(image, stamp, *rng.integers(0, SIZE, 2))
    return np.maximum(fftconvolve(image, psf.stamp(24), mode="same"), 0)


def make_sky(number, psf=None, light=None):
    """
    Render a sky; the same number gives the same one.

    Parameters
    ----------
    number : int
        Which one.

    psf : Moffat, optional
        In place of its own.

    light : callable, optional
        In place of stars and galaxies: from a generator of random numbers, the
        point-spread function and the noise to an image, all in electrons.

    Returns
    -------
    sky : Sky
        With noise. Every second one is as read out, the others have the sky
        subtracted.
    """
    rng = np.random.default_rng([SEED, number])
    # Few skies cover the range of sampling and of brightness evenly.
    fwhm = along((number * _GOLDEN + 0.3) % 1, *_FWHMS)
    electrons = along((number * _GOLDEN**2 + 0.7) % 1, *_SKIES)
    own = Moffat(
        fwhm,
        rng.uniform(*_MOFFAT_INDICES),
        rng.uniform(*_ELLIPTICITIES),
        rng.uniform(0, np.pi),
    )
    psf = psf or own
    read_noise, gain = log_uniform(rng, *_READ_NOISES), log_uniform(rng, *_GAINS)
    bias, raw = rng.uniform(*_BIASES), number % 2 == 0
    noise = float(np.hypot(np.sqrt(electrons), read_noise))
    y, x = np.indices((SIZE, SIZE)) / SIZE - 0.5
    slope = rng.uniform(-_LARGEST_SLOPE / 2, _LARGEST_SLOPE / 2, 2)
    expected = electrons * (1 + slope[0] * x + slope[1] * y)
    if light is None:
        expected += _stars(rng, psf, noise) + _galaxies(rng, psf, noise)
    else:
        expected += light(rng, psf, noise)
    charge = rng.poisson(expected) + rng.normal(0, read_noise, expected.shape)
    image = charge / gain
    level = bias + electrons / gain if raw else 0.0
    image = np.rint(image + bias) if raw else image - electrons / gain
    return Sky(image, level, noise / gain, gain, psf)
