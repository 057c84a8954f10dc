"""Stars that are easily taken for something else, for ``response.py``."""

import numpy as np
from response_sky import SIZE, Moffat, log_uniform, make_sky, paste, places

FWHMS = (1.0, 1.1, 1.2)  # pixels, of the profile at the pixels' centers
RADII = tuple(range(3, 10))  # pixels, of rings

_N_STARS = 60
# Peaks in units of the noise: bright ones, far from saturation.
_PEAKS, _RING_PEAKS = (20.0, 500.0), (3.0, 100.0)
_HOLES = (0.3, 0.5)  # of the pupil, in units of its radius
_SEEING = 2.0  # FWHM of the blur of rings, pixels


def sharp_stars(number, fwhm):
    """
    A sky of undersampled stars.

    Parameters
    ----------
    number : int
        Which one.

    fwhm : float
        Of the stars, pixels.

    Returns
    -------
    image : `~numpy.ndarray`
        Counts.

    objects : `~numpy.ndarray` of int
        The number of the star, from 1, at its brightest pixel; 0 elsewhere.
    """
    objects = np.zeros((SIZE, SIZE), int)

    def light(rng, psf, noise):
        image = np.zeros((SIZE, SIZE))
        for index, (x, y) in enumerate(places(rng, _N_STARS), 1):
            # The middle pixel is the brightest: the star is at most half a pixel off.
            stamp = psf.stamp(20, *rng.uniform(-0.5, 0.5, 2), oversampling=1)
            paste(image, log_uniform(rng, *_PEAKS) * noise * stamp / stamp.max(), x, y)
            objects[y, x] = index
        return image

    return make_sky(number, Moffat(fwhm, 3.0), light).image, objects


def rings(number, radius):
    """
    A sky of stars out of focus.

    Parameters
    ----------
    number : int
        Which one.

    radius : float
        Of the rings, pixels.

    Returns
    -------
    image : `~numpy.ndarray`
        Counts.

    objects : `~numpy.ndarray` of int
        The number of the star, from 1, where a ring is brighter than half of its
        peak; 0 elsewhere.
    """
    objects = np.zeros((SIZE, SIZE), int)

    def light(rng, psf, noise):
        image = np.zeros((SIZE, SIZE))
        hole = rng.uniform(*_HOLES) * radius
        y, x = np.mgrid[-24:25, -24:25].astype(float)
        for index, (x0, y0) in enumerate(places(rng, _N_STARS), 1):
            dx, dy = rng.uniform(-0.5, 0.5, 2)
            distance = np.hypot(x - dx, y - dy)
            # Smooth steps as wide as the seeing, in place of a convolution.
            width = _SEEING / 4
            outer = 1 / (1 + np.exp((distance - radius) / width))
            inner = 1 / (1 + np.exp((distance - hole) / width))
            ring = (outer - inner) / (outer - inner).max()
            paste(image, log_uniform(rng, *_RING_PEAKS) * noise * ring, x0, y0)
            paste(objects, np.where(ring > 0.5, index, 0), x0, y0)
        return image

    return make_sky(number, light=light).image, objects
