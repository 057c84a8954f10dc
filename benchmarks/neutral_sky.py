"""
Star fields and galaxies rendered by GalSim, for ``neutral.py``.

Nothing here comes from the library's own simulation: point-spread functions,
galaxies and the light that struts scatter are those of GalSim.
"""

from dataclasses import dataclass

import galsim
import numpy as np
from scipy.ndimage import gaussian_filter

# A multiple of the strides of all networks, so that one pass is one exposure.
SIZE = 416

# Coarser than GalSim's defaults: an error of 1% of a star's flux is far below
# what matters here, and drawing takes a fraction of the time.
_COARSE = galsim.GSParams(
    folding_threshold=1e-2, maxk_threshold=5e-3, maximum_fft_size=16384
)
_WAVELENGTHS = (0.87, 1.0, 1.15)  # of the mean one


@dataclass(frozen=True)
class Camera:
    """
    What takes an image.

    Parameters
    ----------
    fwhm : float
        Of stars, in pixels.

    sky, read_noise, full_well : float
        In electrons a pixel.

    gain : float
        Electrons a count.

    bias : float
        Counts.

    raw : bool
        Whether the image is as read out: with bias and sky, in whole counts.

    noise : float
        Standard deviation of the sky, in electrons.
    """

    fwhm: float
    sky: float
    read_noise: float
    full_well: float
    gain: float
    bias: float
    raw: bool

    @property
    def noise(self):
        """Standard deviation of the sky in electrons."""
        return float(np.hypot(np.sqrt(self.sky), self.read_noise))


def log_uniform(rng, low, high):
    """Draw a number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def draw_camera(rng):
    """Draw a camera."""
    return Camera(
        fwhm=log_uniform(rng, 1.5, 6.0),
        sky=log_uniform(rng, 30, 20_000),
        read_noise=log_uniform(rng, 2, 15),
        full_well=log_uniform(rng, 60_000, 250_000),
        gain=log_uniform(rng, 1.0, 4.0),
        bias=rng.uniform(200, 3000),
        raw=rng.random() < 0.5,
    )


class Optics:
    """
    Point-spread functions of a telescope in an atmosphere.

    Parameters
    ----------
    rng : `~numpy.random.Generator`
        What to draw from.

    camera : Camera
        What takes the image.
    """

    def __init__(self, rng, camera):
        shear = galsim.Shear(e=rng.uniform(0, 0.12), beta=rng.uniform(0, np.pi)
                             * galsim.radians)  # fmt: skip
        air = (
            galsim.Kolmogorov(fwhm=camera.fwhm, gsparams=_COARSE)
            if rng.random() < 0.5
            else galsim.Moffat(
                beta=rng.uniform(2.5, 4.5), fwhm=camera.fwhm, gsparams=_COARSE
            )
        )
        self.air = air.shear(shear)
        # Width of the diffraction pattern in pixels: what is left is the air.
        self.scale = camera.fwhm * rng.uniform(0.15, 0.3)
        self.pupil = {
            "obscuration": rng.uniform(0.15, 0.45),
            "nstruts": int(rng.choice([3, 4, 4, 4, 6])),
            "strut_thick": rng.uniform(0.008, 0.025),
            "strut_angle": rng.uniform(0, 180) * galsim.degrees,
        }
        self.aberrations = dict(
            zip(
                ("defocus", "astig1", "astig2", "coma1", "coma2", "spher"),
                rng.normal(0, 0.05, 6),
                strict=True,
            )
        )

    def telescope(self, size, struts):
        """Image of a star of unit flux, with or without the telescope's struts."""
        pupil = dict(self.pupil)
        if not struts:
            pupil["nstruts"] = 0
        image = galsim.ImageD(size, size, scale=1.0)
        for wavelength in _WAVELENGTHS:
            optics = galsim.OpticalPSF(
                lam_over_diam=self.scale * wavelength,
                pad_factor=4.0,
                oversampling=1.0,
                gsparams=_COARSE,
                suppress_warning=True,
                **pupil,
                **self.aberrations,
            )
            star = galsim.Convolve(self.air, optics, gsparams=_COARSE)
            star = star.withFlux(1.0 / len(_WAVELENGTHS))
            star.drawImage(image=image, add_to_image=True)
        return np.maximum(image.array, 0)


def paste(image, stamp, x, y):
    """Add a stamp centered on pixel (x, y), as far as it is inside."""
    height, width = stamp.shape
    top, left = y - height // 2, x - width // 2
    rows = slice(max(top, 0), min(top + height, image.shape[0]))
    columns = slice(max(left, 0), min(left + width, image.shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        image[rows, columns] += stamp[
            rows.start - top : rows.stop - top,
            columns.start - left : columns.stop - left,
        ]


def _place(rng):
    """A random position: pixel and offset from its center."""
    x, y = rng.uniform(-8, SIZE + 8, 2)
    column, row = round(x), round(y)
    return column, row, (x - column, y - row)


def draw_stars(rng, camera, optics):
    """Stars of all but the highest fluxes, in electrons."""
    image = np.zeros((SIZE, SIZE))
    number = int(log_uniform(rng, 15, 500))
    faintest = 4 * camera.noise * camera.fwhm
    slope = rng.uniform(0.5, 0.9)
    fluxes = faintest * rng.random(number) ** (-1 / slope)
    for flux in np.minimum(fluxes, 60 * camera.full_well):
        column, row, offset = _place(rng)
        size = 24 if flux < 50 * faintest else 64 if flux < 3000 * faintest else 200
        stamp = galsim.ImageD(size, size, scale=1.0)
        # The center of a stamp of even size is at its corner of four pixels.
        shifted = (offset[0] + 0.5, offset[1] + 0.5)
        star = optics.air.withFlux(float(flux))
        star.drawImage(image=stamp, offset=shifted)
        paste(image, stamp.array, column, row)
    return image


def draw_galaxies(rng, camera, optics):
    """Galaxies of Sérsic profiles, in electrons."""
    image = np.zeros((SIZE, SIZE))
    faintest = 8 * camera.noise * camera.fwhm
    for _ in range(int(log_uniform(rng, 3, 40))):
        column, row, offset = _place(rng)
        radius = camera.fwhm * log_uniform(rng, 0.4, 3.5)
        galaxy = galsim.Sersic(
            n=float(rng.choice([0.8, 1.0, 1.5, 2.5, 4.0])),
            half_light_radius=radius,
            trunc=5 * radius,
            gsparams=_COARSE,
        )
        galaxy = galaxy.shear(e=rng.uniform(0, 0.8), beta=rng.uniform(0, np.pi)
                              * galsim.radians)  # fmt: skip
        flux = faintest * (radius / camera.fwhm + 1) * rng.random() ** (-1 / 0.8)
        galaxy = galsim.Convolve(galaxy, optics.air, gsparams=_COARSE)
        size = 2 * int(min(8 * radius + 4 * camera.fwhm, 150))
        stamp = galsim.ImageD(size, size, scale=1.0)
        shifted = (offset[0] + 0.5, offset[1] + 0.5)
        galaxy.withFlux(min(flux, 1e7)).drawImage(image=stamp, offset=shifted)
        paste(image, stamp.array, column, row)
    return image


def draw_spikes(rng, camera, optics, number):
    """
    Bright stars behind struts.

    Returns
    -------
    light : `~numpy.ndarray`
        Electrons.

    spikes : `~numpy.ndarray` of bool
        Where the struts add light: more than twice the noise, and more than
        half of the star's light without them.
    """
    light = np.zeros((SIZE, SIZE))
    bare = np.zeros((SIZE, SIZE))
    stars = [optics.telescope(361, struts) for struts in (True, False)]
    for _ in range(number):
        x, y = rng.integers(40, SIZE - 40, 2)
        flux = log_uniform(rng, 10, 150) * camera.full_well * camera.fwhm**2
        for star, image in zip(stars, (light, bare), strict=True):
            paste(image, flux * star, x, y)
    added = gaussian_filter(light - bare, 1.0)
    visible = added > 2 * camera.noise
    return light, visible & (added > 0.5 * gaussian_filter(bare, 1.0))


def bleed(light, full_well, spread):
    """
    Clip at the full well; what flows over goes along the columns.

    Parameters
    ----------
    light : `~numpy.ndarray`
        Electrons.

    full_well : float
        Where to clip.

    spread : float
        Fraction of the charge that flows over; the rest is lost.

    Returns
    -------
    clipped : `~numpy.ndarray`
        Electrons.

    full : `~numpy.ndarray` of bool
        Pixels at the full well.
    """
    image = light.copy()
    for column in np.nonzero((light > full_well).any(axis=0))[0]:
        values = image[:, column]
        for step in (1, -1):
            carried = 0.0
            for row in range(SIZE)[::step]:
                excess = light[row, column] - full_well
                if excess > 0:
                    carried += spread * excess / 2
                room = full_well - values[row]
                if room > 0 and carried > 0:
                    moved = min(room, carried)
                    values[row] += moved
                    carried -= moved
        image[:, column] = np.minimum(values, full_well)
    return image, image >= 0.98 * full_well
