"""
Pictures that are no astronomical exposures: drawn ones, photographs, odd noise.

A masker should say of nearly all of them that they are unlike what it was trained
on. The photographs come with scikit-image; everything else is drawn, and the same
in every run::

    python benchmarks/no_exposures.py --sheet sheet.png
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from pictures import save_picture
from scipy import ndimage, signal

mpl.use("Agg")

SEED = 2718
SIZES = (300, 1000)  # pixels along an axis

# In the files of scikit-image; others would be downloaded.
PHOTOGRAPHS = ("astronaut", "brick", "camera", "chelsea", "coffee", "coins")

_WORDS = (
    "the of and light which in a to observed night is plate was by with telescope"
    " spectrum for measured stars are from that this at two clock an as were"
)


def _shape(rng):
    return tuple(int(n) for n in rng.integers(*SIZES, 2))


def _unit(shape):
    """Coordinates from 0 to 1, upwards and to the right."""
    height, width = shape
    return np.meshgrid(
        np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij"
    )


def _clouds(rng, shape, power=3.0):
    """A random field of mean 0 and standard deviation 1."""
    ky, kx = np.meshgrid(*(np.fft.fftfreq(n) for n in shape), indexing="ij")
    k = np.hypot(kx, ky)
    k[0, 0] = 1
    field = np.fft.ifft2(np.fft.fft2(rng.normal(size=shape)) * k ** (-power / 2)).real
    return (field - field.mean()) / field.std()


def _rendered(shape, draw):
    """The gray levels of a figure of so many pixels that ``draw`` fills."""
    height, width = shape
    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    draw(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[::-1, :, :3].mean(axis=2)


def _tree(image, rng, x, y, length, angle, width):
    """Draw a tree of branches, dark on what is there."""
    if length < 4:
        return
    steps = np.linspace(0, length, max(int(2 * length), 2))
    rows = (y + steps * np.cos(angle)).astype(int)
    columns = (x + steps * np.sin(angle)).astype(int)
    reach = int(np.ceil(width / 2))
    for shift in range(-reach, reach + 1):
        inside = (rows >= 0) & (rows < image.shape[0])
        inside &= (columns + shift >= 0) & (columns + shift < image.shape[1])
        image[rows[inside], columns[inside] + shift] = 12
    for turn in rng.normal((-0.45, 0.4), 0.2):
        _tree(image, rng, columns[-1], rows[-1], length * rng.uniform(0.6, 0.8),
              angle + turn, width * 0.65)  # fmt: skip


def landscape(rng):
    """Hills, trees and a field by day."""
    shape = _shape(rng)
    y, _ = _unit(shape)
    image = 150 + 80 * y + 18 * np.maximum(_clouds(rng, shape), 0) * (y > 0.5)
    for base, gray in ((0.55, 120), (0.45, 90), (0.35, 60)):
        ridge = base + 0.06 * _clouds(rng, shape, 3.5)[0]
        image = np.where(y < ridge[None, :], gray + 12 * _clouds(rng, shape, 2), image)
    meadow = 90 + 25 * _clouds(rng, shape, 1.5) + 40 * (0.3 - y)
    image = np.where(y < 0.25, meadow, image)
    for column in rng.integers(0, shape[1], 6):
        start = int(shape[0] * rng.uniform(0.05, 0.25))
        _tree(image, rng, column, start, shape[0] / 8, 0.0, shape[0] / 80)
    return np.clip(image + rng.normal(0, 2, shape), 0, 255)


def fish_eye(rng):
    """The sky by day with the sun and trees at the horizon, seen all round."""
    side = int(rng.integers(500, SIZES[1]))
    y, x = (2 * part - 1 for part in _unit((side, side)))
    radius = np.hypot(x, y) / 0.95
    sun = np.hypot(x - 0.3, y - 0.25)
    image = 110 + 70 * radius**2 + 120 * np.exp(-sun / 0.12)
    image += 25 * np.maximum(_clouds(rng, (side, side)), 0)
    for angle in rng.uniform(0, 2 * np.pi, 40):
        start = side / 2 * (1 + 0.95 * np.array([np.sin(angle), np.cos(angle)]))
        _tree(image, rng, *start, side / 14, angle + np.pi, 3)
    image = np.where(radius > 1, 3.0, np.clip(image, 0, 255))
    return image + rng.normal(0, 1.5, image.shape)


def text_page(rng):
    """A scanned page."""
    words = rng.permutation(np.repeat(_WORDS.split(), 40))
    lines = [" ".join(words[i : i + 11]) for i in range(0, len(words) - 11, 11)]

    def draw(figure):
        figure.text(0.07, 0.95, "\n".join(lines[:55]), fontsize=9, va="top")

    page = ndimage.gaussian_filter(_rendered((900, 700), draw), 0.6)
    page = ndimage.rotate(page, 0.7, reshape=False, order=1, cval=255.0)
    return page * (0.85 + 0.05 * _clouds(rng, page.shape, 3.5)) + rng.normal(
        0, 3, page.shape
    )


def radio_map(rng):
    """Noise as wide as the beam of an interferometer, and sources with its lobes."""
    side = int(rng.integers(400, 900))
    u = np.fft.fftfreq(side)
    ku, kv = np.meshgrid(u, u, indexing="ij")
    # Tracks of pairs of antennas in the plane of spatial frequencies.
    sampled = np.zeros((side, side))
    for radius, tilt in zip(rng.uniform(0.02, 0.12, 45), rng.uniform(0.5, 0.9, 45),
                            strict=True):  # fmt: skip
        distance = np.abs(np.hypot(ku, kv / tilt) - radius)
        sampled += np.exp(-((distance * side / 0.8) ** 2))
    noise = np.fft.ifft2(np.fft.fft2(rng.normal(size=(side, side))) * sampled).real
    points = np.zeros((side, side))
    rows, columns = rng.integers(0, side, (2, 25))
    points[rows, columns] = np.exp(rng.uniform(0, 5, 25))
    beam = np.fft.ifft2(np.fft.fft2(points) * sampled).real
    return 1e-4 * (noise / noise.std() + 3 * beam / beam.std())


def checkerboard(rng):
    """A board seen from the side."""
    shape = _shape(rng)
    y, x = _unit(shape)
    depth = 1 / (1.2 - 0.8 * y)
    cells = np.floor(8 * depth) + np.floor(10 * (x - 0.5) * depth)
    return 40 + 170 * (cells % 2) + rng.normal(0, 5, shape)


def uniform_noise(rng):
    """Numbers that are all as likely."""
    return rng.uniform(0, 65535, _shape(rng))


def cauchy_noise(rng):
    """Noise with neither mean nor variance."""
    return 1000 + 10 * rng.standard_cauchy(_shape(rng))


def speckles(rng):
    """Noise multiplied with fields, a coast and a river, as radar sees them."""
    shape = _shape(rng)
    y, x = _unit(shape)
    points = rng.uniform(0, 1, (60, 2))
    distances = [(y - a) ** 2 + (x - b) ** 2 for a, b in points]
    image = np.exp(rng.normal(0, 0.7, 60))[np.argmin(distances, axis=0)]
    image[x + 0.1 * _clouds(rng, shape)[:, :1] < 0.25] = 0.05
    river = np.abs(y - 0.5 - 0.15 * np.sin(7 * x) - 0.05 * _clouds(rng, shape, 3.5))
    image[river < 0.015] = 0.08
    return 300 * image * rng.exponential(1, shape)


def plot(rng):
    """A diagram of curves and points, with axes and a legend."""

    def draw(figure):
        ax = figure.add_subplot()
        x = np.linspace(0, 10, 300)
        for number in range(4):
            y = np.sin(x * rng.uniform(0.5, 2) + number) * np.exp(-x / 8)
            ax.plot(x, y, label=f"curve {number}")
        ax.errorbar(x[::20], y[::20], 0.1, fmt="o")
        ax.set(xlabel="time", ylabel="amplitude", title="A diagram")
        ax.grid()
        ax.legend()

    return _rendered(_shape(rng), draw)


def histograms(rng):
    """Four panels of histograms."""

    def draw(figure):
        for ax in figure.subplots(2, 2).flat:
            ax.hist(rng.gamma(rng.uniform(1, 6), size=800), 25, edgecolor="k")

    return _rendered((600, 820), draw)


def spectrogram(rng):
    """Whistles and clicks in a sound, in decibels."""
    time = np.arange(400_000) / 20_000
    sound = rng.normal(0, 0.3, time.size)
    for start, slope in zip(rng.uniform(500, 6000, 5), rng.uniform(-150, 150, 5),
                            strict=True):  # fmt: skip
        sweep = start + 0.5 * slope * time + 300 * np.sin(time)
        sound += np.sin(2 * np.pi * np.cumsum(sweep) / 20_000)
    sound[rng.integers(0, time.size, 12)] += 40
    power = signal.spectrogram(sound, nperseg=1024, noverlap=512)[2]
    return 10 * np.log10(power + 1e-12)


def squares(rng):
    """A code of black and white squares with marks in three corners."""
    cells = np.ones((37, 37))
    cells[4:-4, 4:-4] = rng.random((29, 29)) < 0.5
    ring = np.ones((9, 9))
    ring[1:8, 1:8] = 0
    ring[2:7, 2:7] = 1
    ring[3:6, 3:6] = 0
    for rows, columns in ((0, 0), (0, 1), (1, 0)):
        place = [slice(25, 34) if far else slice(3, 12) for far in (rows, columns)]
        cells[tuple(place)] = ring
    image = ndimage.zoom(cells, 16, order=0)
    image = ndimage.gaussian_filter(ndimage.rotate(image, 6, cval=1.0, order=1), 1.0)
    return 30 + 200 * image + rng.normal(0, 3, image.shape)


def contours(rng):
    """A topographic map."""
    height = _clouds(rng, (700, 700), 3.8)

    def draw(figure):
        ax = figure.add_axes((0, 0, 1, 1))
        ax.contourf(height, 12, cmap="terrain")
        lines = ax.contour(height, 24, colors="k", linewidths=0.5)
        ax.clabel(lines, fontsize=6)

    return _rendered(_shape(rng), draw)


def sinogram(rng):
    """Shadows of a body from all sides, as a tomograph records them."""
    width, number = 500, 600
    at = np.linspace(-1, 1, width)
    angles = np.linspace(0, np.pi, number)[:, None]
    image = np.zeros((number, width))
    parts = [(0, 0, 0.7, 0.5, 0, 1.0)]
    for _ in range(9):
        place, axes = rng.uniform(-0.4, 0.4, 2), rng.uniform(0.04, 0.2, 2)
        parts.append((*place, *axes, rng.uniform(0, np.pi), rng.uniform(-0.5, 1.5)))
    for x, y, a, b, tilt, density in parts:
        turned = angles - tilt
        half = a**2 * np.cos(turned) ** 2 + b**2 * np.sin(turned) ** 2
        off = at - x * np.cos(angles) - y * np.sin(angles)
        chord = 2 * a * b * np.sqrt(np.maximum(half - off**2, 0)) / half
        image += density * chord
    return rng.poisson(2000 * np.exp(-np.maximum(image, 0)))


DRAWN = (
    landscape,
    fish_eye,
    text_page,
    radio_map,
    checkerboard,
    uniform_noise,
    cauchy_noise,
    speckles,
    plot,
    histograms,
    spectrogram,
    squares,
    contours,
    sinogram,
)


def pictures():
    """
    Make the pictures.

    Yields
    ------
    name : str
        What it is.

    picture : `~numpy.ndarray`
        float32, two-dimensional, 300 to 1,100 pixels along an axis; finite.

    Raises
    ------
    ImportError
        scikit-image is not installed.
    """
    from skimage import data

    for number, draw in enumerate(DRAWN):
        rng = np.random.default_rng([SEED, number])
        yield draw.__name__.replace("_", " "), draw(rng).astype(np.float32)
    for name in PHOTOGRAPHS:
        photograph = np.asarray(getattr(data, name)(), np.float32)
        # Exposures have their first row at the bottom.
        photograph = photograph.reshape(*photograph.shape[:2], -1).mean(axis=2)[::-1]
        yield name, np.ascontiguousarray(photograph)


def draw_sheet(shown, path):
    """All pictures, stretched between their percentiles."""
    figure = Figure(figsize=(15, 12.4), layout="constrained")
    FigureCanvasAgg(figure)
    for ax, (name, picture) in zip(figure.subplots(4, 5).flat, shown, strict=True):
        low, high = np.percentile(picture, (1, 99))
        ax.imshow(picture, origin="lower", cmap="gray", vmin=low, vmax=high)
        ax.set_title(f"{name}, {picture.shape[0]} x {picture.shape[1]}", fontsize=9)
        ax.axis("off")
    save_picture(figure, path)


def main():
    """Print what there is, and draw it."""
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n\n")[0])
    parser.add_argument("--sheet", type=Path, help="draw all, in this PNG file")
    args = parser.parse_args()
    shown = list(pictures())
    print(f"{'picture':<16}{'shape':>12}{'least':>10}{'median':>10}{'largest':>10}")
    for name, picture in shown:
        size = "x".join(str(n) for n in picture.shape)
        values = picture.min(), np.median(picture), picture.max()
        print(f"{name:<16}{size:>12}{''.join(f'{v:>10.3g}' for v in values)}")
    if args.sheet is not None:
        draw_sheet(shown, args.sheet)


if __name__ == "__main__":
    main()
