"""
Pictures that are no exposures, to learn what exposures are not.

Occluding shapes with textures have the statistics of photographs (Lee, Mumford & Huang
2001, International Journal of Computer Vision 41, 35); the others are what finds its
way into FITS files: noise of detectors that are none, smooth fields, drawings, texts.
"""

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

__all__ = ["draw_picture"]

# Sides in pixels.
_SIZES = (260, 800)


def _field(rng, shape, power, stretch=1.0):
    """A random field with a power spectrum that falls by so much."""
    ky, kx = np.meshgrid(*(np.fft.fftfreq(n) for n in shape), indexing="ij")
    k = np.hypot(kx, stretch * ky)
    k[0, 0] = 1
    values = np.fft.ifft2(np.fft.fft2(rng.normal(size=shape)) * k ** (-power / 2)).real
    return (values - values.mean()) / values.std()


def _noisy(rng, image, *sigmas):
    return image + rng.choice(sigmas) * rng.normal(size=image.shape)


def _shapes(rng, shape):
    """Disks and boxes of all sizes, each with a texture, in front of one another."""
    height, width = shape
    image = np.full(shape, 128.0)
    y, x = np.mgrid[:height, :width]
    textures = [_field(rng, shape, rng.uniform(1, 3.5)) for _ in range(4)]
    smallest = rng.choice([3.0, 6.0, 12.0, 25.0])
    largest = max(shape) / rng.uniform(2, 5)
    number = rng.choice([60, 150, 300])
    behind = rng.integers(number) if rng.uniform() < 0.5 else None
    for place in range(number):
        if place == behind:
            # What is far away is out of focus.
            image = ndimage.gaussian_filter(image, rng.uniform(2, 12))
        # As many of a size as leaves the picture alike at all scales.
        share = rng.uniform()
        radius = (smallest**-2 + share * (largest**-2 - smallest**-2)) ** -0.5
        middle = rng.uniform(0, height), rng.uniform(0, width)
        part = tuple(
            slice(max(int(m - 1.5 * radius), 0), int(m + 1.5 * radius) + 1)
            for m in middle
        )
        dy, dx = y[part] - middle[0], x[part] - middle[1]
        if rng.uniform() < 0.5:
            inside = np.hypot(dy, dx) < radius
        else:
            angle, ratio = rng.uniform(0, np.pi), rng.uniform(0.3, 1)
            along = np.cos(angle) * dy + np.sin(angle) * dx
            across = np.cos(angle) * dx - np.sin(angle) * dy
            inside = (np.abs(along) < radius) & (np.abs(across) < ratio * radius)
        texture = rng.exponential(12) * textures[rng.integers(4)][part]
        shade = 20 * rng.normal() * dy / radius
        image[part][inside] = (rng.uniform(10, 245) + texture + shade)[inside]
    image = ndimage.gaussian_filter(image, rng.choice([0, 0.5, 0.8, 1.2]))
    return np.clip(_noisy(rng, image, 0, 0.5, 2, 5).round(), 0, 255)


def _noise(rng, shape):
    """Noise that is neither normal nor of photons."""
    a, b = rng.uniform(0.3, 1.2, 2)
    draws = (
        lambda: rng.laplace(size=shape),
        lambda: rng.exponential(size=shape),
        lambda: rng.triangular(0, rng.uniform(0, 1), 1, size=shape),
        lambda: rng.standard_t(rng.uniform(0.7, 4), size=shape),
        lambda: rng.uniform(size=shape),
        lambda: (rng.uniform(size=shape) < rng.uniform(0.1, 0.9)).astype(float),
        lambda: rng.beta(a, b, size=shape),
        lambda: rng.weibull(a, size=shape),
    )
    values = draws[rng.integers(len(draws))]()
    if rng.uniform() < 0.4:
        values = values + 0.3 * _field(rng, shape, 3)
    return 1000 * values


def _smooth(rng, shape):
    """A field without small structure."""
    return _noisy(rng, 100 * _field(rng, shape, rng.uniform(1.5, 5)), 0, 0.1, 1)


def _measured(rng, shape):
    """A field of positive numbers with noise that grows with them, or its logarithm."""
    stretch = np.exp(rng.choice([0, 0, 1]) * rng.normal(0, 2))
    field = _field(rng, shape, rng.uniform(1, 4), stretch)
    values = np.exp(rng.uniform(0.2, 1.5) * field)
    looks = rng.choice([0.5, 1.0, 4.0, 16.0])
    values = values * rng.gamma(looks, 1 / looks, shape)
    return np.log(values + 1e-9) if rng.uniform() < 0.5 else values


def _cells(rng, shape):
    """Cells around points, or their walls."""
    number = rng.choice([20, 80, 300])
    points = rng.uniform(size=(number, 2)) * shape
    pixels = np.stack(np.mgrid[: shape[0], : shape[1]], axis=-1).reshape(-1, 2)
    distance, index = cKDTree(points).query(pixels, 2)
    if rng.uniform() < 0.5:
        values = rng.uniform(0, 255, number)[index[:, 0]]
    else:
        apart = distance[:, 1] - distance[:, 0]
        values = 255 * np.minimum(1, apart / rng.uniform(2, 30))
    return _noisy(rng, values.reshape(shape), 0, 0, 3).round()


def _signs(rng, shape):
    """Lines of signs that nobody can read."""
    scale = int(rng.integers(1, 6))
    page = np.full([n // scale + 1 for n in shape], 255.0)
    signs = rng.uniform(size=(40, 7, 5)) < 0.45
    top = 2
    while top < page.shape[0] - 9:
        for left in range(2, page.shape[1] - 7, 6):
            if rng.uniform() < 0.82:
                sign = signs[rng.integers(len(signs))]
                page[top : top + 7, left : left + 5][sign] = 20
        top += int(rng.integers(9, 14))
    page = np.kron(page, np.ones((scale, scale)))[: shape[0], : shape[1]]
    page = ndimage.gaussian_filter(page, rng.choice([0, 0.6, 1.0]))
    page = _noisy(rng, page, 0, 2, 6)
    return page if rng.uniform() < 0.7 else 255 - page


def _waves(rng, shape):
    """A few plane waves, round or square."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    for _ in range(rng.integers(1, 5)):
        angle, period = rng.uniform(0, np.pi), rng.uniform(3, 60)
        along = (np.cos(angle) * x + np.sin(angle) * y) / period + rng.uniform()
        wave = np.sin(2 * np.pi * along)
        wave = wave if rng.uniform() < 0.6 else np.sign(wave)
        image += rng.uniform(20, 100) * wave
    return _noisy(rng, image, 0, 0.5, 5)


def _curves(rng, shape):
    """Curves on empty paper."""
    image, time = np.zeros(shape), np.linspace(0, 1, 2000)[:, None]
    for _ in range(rng.choice([10, 40, 150])):
        points = rng.uniform(size=(4, 2)) * shape
        weights = np.hstack(
            [
                (1 - time) ** 3,
                3 * time * (1 - time) ** 2,
                3 * time**2 * (1 - time),
                time**3,
            ]
        )
        y, x = (weights @ points).astype(int).T
        image[y.clip(0, shape[0] - 1), x.clip(0, shape[1] - 1)] = rng.uniform(50, 255)
    image = ndimage.maximum_filter(image, int(rng.integers(1, 5)))
    image = ndimage.gaussian_filter(image, rng.choice([0, 0.5, 1.0]))
    return 255 - image if rng.uniform() < 0.5 else _noisy(rng, image, 0, 1)


def _boxes(rng, shape):
    """Boxes of even brightness."""
    image = np.full(shape, rng.uniform(0, 255))
    for _ in range(rng.choice([10, 50, 200])):
        top, left = (int(rng.integers(0, n)) for n in shape)
        height, width = rng.uniform(3, max(shape) / 3, 2).astype(int)
        image[top : top + height, left : left + width] = rng.uniform(0, 255)
    return _noisy(rng, image, 0, 0, 2, 10)


# Those that are most like photographs most often.
_KINDS = (_shapes,) * 3 + (_noise,) * 3
_KINDS += (_smooth, _measured, _cells, _signs, _waves, _curves, _boxes)


def draw_picture(seed, index):
    """
    Draw a picture.

    Parameters
    ----------
    seed : int
        Seed of a series.

    index : int
        Number in it.

    Returns
    -------
    picture : `~numpy.ndarray`
        Of some size and any kind.
    """
    rng = np.random.default_rng((seed, index))
    shape = tuple(int(n) for n in rng.integers(*_SIZES, 2))
    return _KINDS[index % len(_KINDS)](rng, shape)
