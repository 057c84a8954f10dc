"""
Compare simulated fringes with a real fringe map.

Power spectrum, width of the bands, orientation and contrast are measured with
the same code in crops of the fringe map of EFOSC2 (NTT, filter i), and in
simulated fringes on an empty sky::

    python benchmarks/fringe_pattern.py DATA

prints ``benchmarks/output/fringe_pattern.txt``. DATA is the directory of real
exposures, by default ``$MAXIMASK_ASTRO_TEST_DATA``. The figure goes to
``docs/_static/fringe_pattern.png``.
"""

import argparse
import os
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import matplotlib as mpl
import numpy as np
from astropy.io import fits
from scipy import ndimage, stats

from maximask_astro.simulation.fringes import add_fringes
from maximask_astro.simulation.scene import draw_scene

mpl.use("Agg")
from matplotlib import pyplot as plt

FIGURE = Path(__file__).parents[1] / "docs" / "_static" / "fringe_pattern.png"

SIZE = 400  # pixels of a crop along an axis
BORDER = 60  # of the map, where the flat field ends
N_SIMULATED = 60
N_SHOWN = 3
SMOOTHING = 2.0  # pixels, against the map's noise
QUANTILES = (5, 25, 50, 75, 95)

# Wave numbers in cycles a crop.
WAVE_NUMBERS = np.arange(1, 41)


class Pattern(NamedTuple):
    """Measures of one crop."""

    bands: float
    coherence: float
    anisotropy: float
    skewness: float
    kurtosis: float
    spectrum: np.ndarray


LABELS = {
    "bands": "bands across the crop",
    "coherence": "coherence of direction, locally",
    "anisotropy": "coherence of direction, whole crop",
    "skewness": "skewness of the values",
    "kurtosis": "kurtosis (a sine: -1.5)",
}


def measure(crop):
    """Measure a crop, whose mean and scale do not matter."""
    crop = crop - crop.mean()
    window = np.outer(*2 * [np.hanning(SIZE)])
    power = np.abs(np.fft.fft2(crop * window)) ** 2
    k = np.hypot(*np.meshgrid(*2 * [np.fft.fftfreq(SIZE, 1 / SIZE)]))
    spectrum = ndimage.sum_labels(power, np.rint(k), WAVE_NUMBERS)
    spectrum /= spectrum.sum()

    # Structure tensor: how much the gradients agree in their direction.
    gy, gx = np.gradient(crop)
    tensor = gx * gx - gy * gy, 2 * gx * gy, gx * gx + gy * gy
    local = [ndimage.gaussian_filter(part, 10) for part in tensor]
    strength = local[2].mean()
    agreement = np.hypot(local[0], local[1]).mean() / strength
    overall = np.hypot(tensor[0].mean(), tensor[1].mean()) / tensor[2].mean()
    return Pattern(
        float((spectrum * WAVE_NUMBERS).sum()),
        float(agreement),
        float(overall),
        float(stats.skew(crop, axis=None)),
        float(stats.kurtosis(crop, axis=None)),
        spectrum,
    )


def read_crops(data):
    """Crops of the real map, which overlap, without its bad pixels."""
    path = data / "ingredients" / "efosc2_fringe_i705.fits"
    image = fits.getdata(path).astype(float)
    # Bad columns are narrower than this filter.
    image = ndimage.median_filter(image, (1, 11))
    image = ndimage.gaussian_filter(image, SMOOTHING)
    image = image[BORDER:-BORDER, BORDER:-BORDER]
    starts = [np.linspace(0, size - SIZE, 3).astype(int) for size in image.shape]
    return [
        image[y : y + SIZE, x : x + SIZE].copy() for y in starts[0] for x in starts[1]
    ]


def simulate_crops():
    """Simulated fringes, in units of the noise of the sky."""
    keys = jax.random.split(jax.random.key(1), (2, N_SIMULATED))
    scenes = jax.vmap(draw_scene)(keys[0])
    empty = np.zeros((SIZE, SIZE), np.float32)
    add = jax.jit(jax.vmap(partial(add_fringes, image=empty)))
    images = np.asarray(add(keys[1], scene=scenes)[0])
    images = images / np.asarray(scenes.sigma)[:, None, None]
    return [ndimage.gaussian_filter(image, SMOOTHING) for image in images]


def report(name, patterns):
    """Print the quantiles of one set."""
    print(f"\n{name}: {len(patterns)} crops")
    for field, label in LABELS.items():
        numbers = np.percentile([getattr(p, field) for p in patterns], QUANTILES)
        print(f"  {label:<36s}" + "".join(f"{x:9.2f}" for x in numbers))


def draw(crops, patterns):
    """Crops of both sets beside each other, and their power spectra."""
    figure, axes = plt.subplots(2, 4, figsize=(14, 7), layout="constrained")
    for row, (name, images) in zip(axes, crops.items(), strict=True):
        for ax, image in zip(row[:N_SHOWN], images[::4][:N_SHOWN], strict=True):
            low, high = np.percentile(image, (2, 98))
            ax.imshow(image, origin="lower", cmap="gray", vmin=low, vmax=high)
            ax.set(xticks=[], yticks=[], title=name)
    for ax, field in zip(axes[:, -1], ("spectrum", "bands"), strict=True):
        for name, values in patterns.items():
            numbers = np.array([getattr(pattern, field) for pattern in values])
            if field == "spectrum":
                low, middle, high = np.percentile(numbers, (16, 50, 84), axis=0)
                ax.fill_between(WAVE_NUMBERS, low, high, alpha=0.3)
                ax.plot(WAVE_NUMBERS, middle, label=name)
                ax.set(xscale="log", yscale="log", ylim=(1e-4, 1))
                ax.set(xlabel="cycles a crop", ylabel="share of the power")
            else:
                shares = np.arange(1, len(numbers) + 1) / len(numbers)
                ax.plot(np.sort(numbers), shares, label=name)
                ax.set(xlabel=LABELS[field], ylabel="fraction below")
        ax.legend()
    figure.savefig(FIGURE, dpi=55)


def main():
    """Print the measures of both sets and draw them."""
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n\n")[0])
    default = os.environ.get("MAXIMASK_ASTRO_TEST_DATA")
    parser.add_argument("data", nargs="?", default=default, type=Path)
    args = parser.parse_args()
    if args.data is None:
        parser.error("name the directory of exposures")

    crops = {"EFOSC2": read_crops(args.data), "simulated": simulate_crops()}
    patterns = {name: [measure(c) for c in images] for name, images in crops.items()}
    print(
        f"Crops of {SIZE} x {SIZE} pixels, smoothed by {SMOOTHING:g} pixels. Quantiles:"
    )
    print(" " * 38 + "".join(f"{x:>8d}%" for x in QUANTILES))
    for name, values in patterns.items():
        report(name, values)
    draw(crops, patterns)


if __name__ == "__main__":
    main()
