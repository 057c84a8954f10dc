"""
Contaminants for ``neutral.py``, from real ingredients where there are some.

Real are the cosmic rays (footprints with pixel values), the fringes (a map of
EFOSC2), the places of hot and dead pixels (WFC3/IR), the shapes of clusters of
bad pixels (WFC3/IR, 90Prime) and of some bad columns (90Prime), and half of the
nebulosity (WFCAM). Labels are as in
section 2 of Paillassa, Bertin & Bouy (2020, A&A 634, A48); where they depend
on a brightness, it is that of the contaminant alone, without noise.
"""

from dataclasses import dataclass

import galsim
import numpy as np
from astropy.io import fits
from astropy.stats import mad_std
from neutral_sky import SIZE, log_uniform
from scipy.ndimage import (
    binary_dilation,
    binary_erosion,
    convolve,
    find_objects,
    label,
    median_filter,
    zoom,
)

# Flags of the map of WFC3/IR: dead and hot pixels.
_DEAD, _HOT = 4, 16


@dataclass(frozen=True)
class Ingredients:
    """
    What is taken from real detectors.

    Parameters
    ----------
    cosmic_rays : list of `~numpy.ndarray`
        Footprints with values, in electrons.

    fringes : `~numpy.ndarray`
        Map with median 0 and standard deviation 1.

    hot, dead : `~numpy.ndarray` of bool
        Single pixels of a detector.

    columns, clusters : list of `~numpy.ndarray` of bool
        Shapes of runs of bad pixels at least 30 long, and of other clusters.

    nebula : `~numpy.ndarray`
        Nebulosity without stars, with median 0 and standard deviation 1.
    """

    cosmic_rays: list
    fringes: np.ndarray
    hot: np.ndarray
    dead: np.ndarray
    columns: list
    clusters: list
    nebula: np.ndarray


def disk(diameter):
    """A filled circle."""
    y, x = np.indices((diameter, diameter)) - (diameter - 1) / 2
    return np.hypot(x, y) <= diameter / 2


def _standardized(image):
    low, middle, high = np.percentile(image, [16, 50, 84])
    return (image - middle) / ((high - low) / 2)


def read_cosmic_rays(path):
    """Footprints of a table with one row for each run of pixels."""
    runs = {}
    for number, x, y, values in fits.getdata(path, 1):
        runs.setdefault(int(number), []).append((int(x), int(y), values))
    footprints = []
    for rows in runs.values():
        left, bottom = min(r[0] for r in rows), min(r[1] for r in rows)
        right = max(r[0] + len(r[2]) for r in rows)
        shape = max(r[1] for r in rows) - bottom + 1, right - left
        if max(shape) <= SIZE // 2:
            image = np.zeros(shape)
            for x, y, values in rows:
                image[y - bottom, x - left : x - left + len(values)] = values
            footprints.append(image)
    return footprints


def shapes_in(mask):
    """Shapes of connected pixels."""
    labels, _ = label(mask, np.ones((3, 3)))
    for index, box in enumerate(find_objects(labels), 1):
        yield labels[box] == index


def read_shapes(path, other):
    """Shapes of bad columns and of clusters, in a file and one more map."""
    maps = [fits.getdata(path, number) != 0 for number in range(1, 5)]
    shapes = [shape for mask in (*maps, other) for shape in shapes_in(mask)]
    columns = [s for s in shapes if s.shape[0] >= 30 and s.shape[1] <= 6]
    clusters = [s for s in shapes if s.sum() >= 4 and max(s.shape) <= 25]
    return columns, clusters


def without_columns(image):
    """Replace bad columns by the median of the pixels beside them."""
    beside = median_filter(image, (3, 41))
    excess = image - beside
    along = median_filter(excess, (101, 1))
    bad = np.abs(along) > 2.5 * mad_std(excess)
    return np.where(binary_dilation(bad, np.ones((51, 3))), beside, image)


def read_ingredients(data):
    """Read the ingredients from the directory of real data."""
    folder = data / "ingredients"
    fringes = fits.getdata(folder / "efosc2_fringe_i705.fits").astype(float)
    fringes = fringes[40:-40, 40:-40]
    fringes = median_filter(without_columns(fringes), 5)
    fringes = convolve(fringes, disk(7) / disk(7).sum())
    bad = fits.getdata(folder / "bpm_wfc3ir.fits.gz")
    single = convolve((bad != 0).astype(int), np.ones((3, 3), int)) == 1
    columns, clusters = read_shapes(folder / "bpm_90prime.fits.fz", bad != 0)
    nebula = fits.getdata(data / "exposures" / "ukirt_wfcam_K_nebula.fits", 1)
    nebula = median_filter(nebula[10:-10, 10:-10].astype(float), 21)  # stars
    return Ingredients(
        read_cosmic_rays(folder / "imsim_cosmic_rays_itl_2017.fits.gz"),
        _standardized(fringes),
        single & (bad & _HOT > 0),
        single & (bad & _DEAD > 0),
        columns,
        clusters,
        _standardized(nebula),
    )


def turned(rng, image):
    """One of the eight views of an image."""
    image = np.rot90(image, rng.integers(4))
    return image[::-1] if rng.random() < 0.5 else image


def window(rng, image):
    """A window of a larger image."""
    y, x = (rng.integers(size - SIZE + 1) for size in image.shape)
    return turned(rng, image[y : y + SIZE, x : x + SIZE])


def cosmic_rays(rng, noise, footprints):
    """
    Electrons of cosmic rays; their pixels, dilated by 3 by 3 pixels.

    Label: brighter than three times the noise, before the dilation.
    """
    image = np.zeros((SIZE, SIZE))
    strength = log_uniform(rng, 0.5, 4)
    for _ in range(int(log_uniform(rng, 8, 120))):
        hit = turned(rng, footprints[rng.integers(len(footprints))])
        y, x = (rng.integers(SIZE - size) for size in hit.shape)
        image[y : y + hit.shape[0], x : x + hit.shape[1]] += strength * hit
    return image, binary_dilation(image > 3 * noise, np.ones((3, 3)))


def fringes(rng, noise, pattern):
    """Fringes with an envelope of third degree; label: where that is > -0.2."""
    y, x = np.indices((SIZE, SIZE)) / (SIZE / 2) - 1
    envelope = sum(
        rng.normal() * x**i * y**j for i in range(4) for j in range(4 - i)
    )  # fmt: skip
    low, high = envelope.min(), envelope.max()
    envelope = (2 * envelope - low - high) / (high - low)
    light = window(rng, pattern) / (1 + np.exp(-5 * envelope))
    return noise * log_uniform(rng, 0.4, 2.5) * light, envelope > -0.2


def _cloud(rng):
    """Clouds as sums of noise on ever finer grids, made sparse by a power."""
    image = np.zeros((SIZE, SIZE))
    for level in range(7):
        cells = 2 ** (level + 1) + 3
        grid = zoom(rng.normal(size=(cells, cells)), SIZE / (cells - 3) * 1.05, order=3)
        start = (np.array(grid.shape) - SIZE) // 2
        image += 0.5**level * grid[start[0] : start[0] + SIZE, start[1] :][:, :SIZE]
    image = (image - image.min()) / np.ptp(image)
    return _standardized(image ** rng.uniform(1.0, 2.5))


def nebulosity(rng, noise, nebula):
    """
    Nebulosity, half of it real.

    Label: brighter than its standard deviation, eroded by a disk of 6 pixels
    and dilated by one of 22 pixels.
    """
    if rng.random() < 0.5:
        factor = SIZE / min(nebula.shape) * rng.uniform(1.0, 1.6)
        pattern = window(rng, zoom(nebula, factor, order=1))
        pattern = pattern - np.median(pattern)
    else:
        pattern = _cloud(rng)
    bright = binary_dilation(binary_erosion(pattern > 1, disk(6)), disk(22))
    return noise * log_uniform(rng, 0.8, 6) * pattern, bright


def trails(rng, noise, optics):
    """
    Satellites, meteors and airplanes.

    Label: brighter than half the noise, dilated by 7 by 7 pixels.
    """
    light = np.zeros((SIZE, SIZE))
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        length = rng.uniform(150, 900)
        if rng.random() < 0.3:  # out of focus: the shape of the pupil
            radius = rng.uniform(3, 12)
            hole = rng.uniform(0.2, 0.5)
            beam = galsim.TopHat(radius) - hole**2 * galsim.TopHat(hole * radius)
        else:
            beam = galsim.Gaussian(sigma=rng.uniform(0.1, 0.8))
        track = galsim.Box(length, 0.1).rotate(rng.uniform(0, 180) * galsim.degrees)
        trail = galsim.Convolve(
            track, beam, optics.air,
            gsparams=galsim.GSParams(folding_threshold=2e-2, maximum_fft_size=16384),
        )  # fmt: skip
        stamp = galsim.ImageD(SIZE, SIZE, scale=1.0)
        offset = tuple(rng.uniform(-SIZE / 2, SIZE / 2, 2))
        trail.drawImage(image=stamp, offset=offset, method="no_pixel")
        image = np.maximum(stamp.array, 0)
        image *= noise * log_uniform(rng, 1.0, 100) / image.max()
        if rng.random() < 0.4:  # a flare, or tumbling
            y, x = np.indices(image.shape)
            phase = (x * rng.normal() + y * rng.normal()) / rng.uniform(20, 150)
            image *= 0.2 + np.sin(phase + rng.uniform(0, 6)) ** 2
        light += image
    return light, binary_dilation(light > 0.5 * noise, np.ones((7, 7)))


def persistence(rng, noise, optics):
    """Where an earlier exposure was saturated: with bleeding, fading."""
    light = np.zeros((SIZE, SIZE))
    for _ in range(rng.integers(2, 14)):
        stamp = galsim.ImageD(81, 81, scale=1.0)
        optics.air.drawImage(image=stamp)
        depth = log_uniform(rng, 3, 400)
        excess = depth * stamp.array / stamp.array.max()
        full = excess > 1
        if rng.random() < 0.5:
            reach = int(min(38, full.sum() ** 0.5 * rng.uniform(0.5, 2)))
            full[40 - reach : 41 + reach, 40] = True
        filled = 1 / (1 + np.exp(-(np.maximum(excess, 1) - 0.9) / 0.18))
        blob = np.where(full, filled * np.maximum(excess, 1) ** 0.178, 0)
        y, x = rng.integers(0, SIZE - 81, 2)
        part = light[y : y + 81, x : x + 81]
        part[:] = np.maximum(part, blob)
    return noise * log_uniform(rng, 1.5, 8) * light / light.max(), light > 0


def bad_lines(rng, columns, clusters, dead):
    """Columns or lines, and for dead ones clusters too, with real shapes."""
    mask = np.zeros((SIZE, SIZE), bool)
    for _ in range(rng.integers(1, 5)):
        shape = columns[rng.integers(len(columns))][:SIZE]
        if rng.random() < 0.6:
            length = SIZE if rng.random() < 0.5 else rng.integers(30, SIZE)
            shape = np.ones((length, rng.integers(1, 4)), bool)
        top = rng.integers(SIZE - shape.shape[0] + 1)
        left = rng.integers(SIZE - shape.shape[1])
        mask[top : top + shape.shape[0], left : left + shape.shape[1]] |= shape
    if rng.random() < 0.4:
        mask = mask.T.copy()
    for _ in range(rng.integers(0, 6) if dead else 0):
        shape = turned(rng, clusters[rng.integers(len(clusters))])
        top, left = (rng.integers(SIZE - size) for size in shape.shape)
        mask[top : top + shape.shape[0], left : left + shape.shape[1]] |= shape
    return mask


def bad_pixels(rng, places):
    """Single pixels: a part of those of a real detector."""
    chosen = window(rng, places)
    wanted = rng.uniform(2e-4, 5e-4) * SIZE**2
    return chosen & (rng.random(chosen.shape) < wanted / max(chosen.sum(), 1))


def hot_values(rng, noise, mask):
    """Electrons of hot pixels: 15 to 100 times the noise, alike within 2%."""
    level = rng.uniform(15, 100) * noise
    return rng.normal(level, 0.02 * level, mask.sum())


def dead_values(rng, sky, noise, mask):
    """Electrons of dead pixels: none, almost none, or a part of the sky."""
    kind = rng.integers(3)
    if kind == 0:
        return np.zeros(mask.sum())
    if kind == 1:
        return rng.normal(0, 0.02 * noise, mask.sum())
    level = rng.uniform(0.1, 0.7) * sky
    return rng.normal(level, 0.02 * level, mask.sum())


def overscan(rng):
    """Strips at one to three sides."""
    mask = np.zeros((SIZE, SIZE), bool)
    for side in rng.permutation(4)[: rng.integers(1, 4)]:
        turns = np.rot90(mask, side)
        turns[: rng.integers(6, 60)] = True
    return mask
