"""What the detector adds to a made-up exposure: hits, defects and saturation."""

import numpy as np

__all__ = ["bleed", "make_cosmic_rays", "make_hot_pixels", "read_out"]

_PIXELS_PER_COSMIC_RAY = 9000
_PIXELS_PER_HOT_PIXEL = 20000
_ELECTRONS_PER_PIXEL = 700  # that a particle leaves along its way, on average
_STEP = 0.1  # pixels between the points that a track is drawn from


def _track(random):
    """Rows and columns of the points of a track, from (0, 0)."""
    # Muons at a slant leave straight tracks, those from above a point;
    # electrons from radioactive decay are scattered and leave worms.
    worm = random.uniform() < 0.2
    length = random.uniform(8, 25) if worm else min(random.exponential(9) + 0.7, 60)
    n_points = max(int(length / _STEP), 2)
    direction = random.uniform(0, 2 * np.pi)
    turns = random.normal(0, 0.09 if worm else 0.0, n_points)
    direction = direction + np.cumsum(turns)
    return _STEP * np.cumsum([np.sin(direction), np.cos(direction)], axis=1)


def make_cosmic_rays(shape, random):
    """
    Make hits of cosmic rays: points, straight tracks and worms.

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
    image = np.zeros(shape)
    for _ in range(round(image.size / _PIXELS_PER_COSMIC_RAY)):
        track = _track(random)
        # Charge diffuses a little on its way to the pixels.
        track += random.normal(0, 0.25, track.shape)
        track += random.uniform(0, shape)[:, None]
        strength = _ELECTRONS_PER_PIXEL * random.lognormal(0.3, 0.6)
        charge = strength * _STEP * random.gamma(0.5, 2.0, track.shape[1])
        edges = [np.arange(size + 1) for size in shape]
        image += np.histogram2d(*track, bins=edges, weights=charge)[0]
    return image


def make_hot_pixels(shape, random):
    """
    Make single pixels with a high dark current.

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
    image = np.zeros(shape)
    number = round(image.size / _PIXELS_PER_HOT_PIXEL)
    places = random.choice(image.size, number, replace=False)
    image.flat[places] = 10 ** random.uniform(3.3, 4.8, number)
    return image


def bleed(image, full_well):
    """
    Let charge above the full well flow to the pixels above and below.

    Parameters
    ----------
    image : `~numpy.ndarray`
        float64, in electrons.

    full_well : float
        What a pixel can hold, in electrons.

    Returns
    -------
    image : `~numpy.ndarray`
        No pixel above ``full_well``. Charge is kept, but for what leaves the
        image at its edges.
    """
    image = image.copy()
    excess = np.maximum(image - full_well, 0)
    image -= excess
    for column in np.flatnonzero(excess.any(axis=0)):
        pixels, room = image[:, column], full_well - image[:, column]
        # Half of the excess flows up and half down, until it finds room.
        for order in (slice(None), slice(None, None, -1)):
            flowing = 0.0
            for row in np.arange(len(pixels))[order]:
                flowing += excess[row, column] / 2
                taken = min(flowing, room[row])
                pixels[row] += taken
                room[row] -= taken
                flowing -= taken
    return image


def read_out(image, random, *, gain, read_noise, bias):
    """
    Turn electrons into the integers of a raw exposure.

    Parameters
    ----------
    image : `~numpy.ndarray`
        float64, in electrons, without noise.

    random : `~numpy.random.Generator`
        Source of random numbers.

    gain : float
        Electrons per adu.

    read_noise : float
        In electrons.

    bias : float
        Level of a pixel without charge, in adu.

    Returns
    -------
    raw : `~numpy.ndarray`
        uint16, in adu, from 0 to 65535.
    """
    noisy = image + random.normal(0, read_noise, image.shape)
    return np.clip(np.rint(noisy / gain + bias), 0, 65535).astype(np.uint16)
