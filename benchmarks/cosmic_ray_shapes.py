"""
Compare the shapes of simulated cosmic rays with those of real ones.

Groups of neighboring pixels above a threshold are measured with the same code
in the real footprints of an LSST sensor (imSim's library of ITL, 1500 s), in a
dark of 900 s, and in simulated exposures with cosmic rays on an empty sky::

    python benchmarks/cosmic_ray_shapes.py DATA

prints ``benchmarks/output/cosmic_ray_shapes.txt``. DATA is the directory of real
exposures, by default ``$MAXIMASK_ASTRO_TEST_DATA``. The figure goes to
``docs/_static/cosmic_ray_shapes.png``.
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
from scipy import ndimage

from maximask_astro.simulation.cosmic_rays import add_cosmic_rays
from maximask_astro.simulation.scene import draw_scene

mpl.use("Agg")
from matplotlib import pyplot as plt

FIGURE = Path(__file__).parents[1] / "docs" / "_static" / "cosmic_ray_shapes.png"

THRESHOLD = 5.0  # times the noise
QUANTILES = (5, 25, 50, 75, 95)
SMALLEST = 3  # pixels of a footprint whose length and elongation mean something

# The footprints were cut at 49 electrons; so that this is the threshold:
ITL_NOISE = 49 / THRESHOLD
ITL_CANVAS = 300

SHAPE, N_EXPOSURES = (256, 256), 150


class Shapes(NamedTuple):
    """Footprints of one set: an array for each measure, and how many there are."""

    size: np.ndarray
    length: np.ndarray
    elongation: np.ndarray
    peak: np.ndarray
    pixels: np.ndarray
    contrast: np.ndarray
    per_megapixel: float


LABELS = {
    "size": "pixels of a footprint",
    "length": "length (pixels)",
    "elongation": "length / width",
    "peak": "brightest pixel / noise",
    "pixels": "any pixel / noise",
    "contrast": "brightest pixel / sum",
}


def measure(images, area):
    """Shapes of the groups of bright pixels in images in units of their noise."""
    size, length, elongation, peak, contrast, pixels = [], [], [], [], [], []
    for image in images:
        labels, _ = ndimage.label(image > THRESHOLD, np.ones((3, 3)))
        for index, box in enumerate(ndimage.find_objects(labels), 1):
            inside = labels[box] == index
            values = image[box][inside]
            places = np.argwhere(inside).astype(float)
            size.append(len(values))
            if len(values) < SMALLEST:
                continue
            peak.append(values.max())
            pixels.append(values)
            contrast.append(values.max() / values.sum())
            places -= places.mean(0)
            axes = np.linalg.svd(places, full_matrices=False)[2]
            along = places @ axes[0]
            length.append(np.ptp(along) + 1)
            elongation.append(max(length[-1] ** 2 / len(values), 1.0))
    return Shapes(
        *map(np.array, (size, length, elongation, peak)),
        np.concatenate(pixels),
        np.array(contrast),
        len(size) / area * 1e6,
    )


def read_footprints(data):
    """Real footprints, each on an empty image."""
    path = data / "ingredients" / "imsim_cosmic_rays_itl_2017.fits.gz"
    table, header = fits.getdata(path, 1), fits.getheader(path, 1)
    numbers = np.asarray(table["fp_id"])
    edges = np.flatnonzero(np.diff(numbers)) + 1
    x0, y0, rows = table["x0"], table["y0"], table["pixel_values"]
    images = []
    for part in np.split(np.arange(len(numbers)), edges):
        values = [rows[k] for k in part]
        x, y = x0[part] - x0[part].min(), y0[part] - y0[part].min()
        width = max(a + len(b) for a, b in zip(x, values, strict=True))
        image = np.zeros((y.max() + 1, width))
        for row, column, pixels in zip(y, x, values, strict=True):
            image[row, column : column + len(pixels)] = pixels
        images.append(image / ITL_NOISE)
    return images, header["NUM_PIX"]


def flatten(image, size=15):
    """Take the local level off an image, and divide by the noise."""
    image = np.asarray(image, float)
    image = image - ndimage.median_filter(image, size)
    return image / (1.4826 * np.median(np.abs(image - np.median(image))))


def read_dark(data):
    """The illuminated part of the dark; hot pixels are still in it."""
    path = data / "exposures" / "lco_sinistro_dark900s.fits.fz"
    image = np.squeeze(fits.getdata(path, 1))
    image = flatten(image)[:, :1000]
    return [image], image.size


def simulate_rays(scene):
    """Cosmic rays over the noise of empty skies, in units of this noise."""
    keys = jax.random.split(jax.random.key(1), (2, N_EXPOSURES))
    scenes = jax.vmap(draw_scene)(keys[0])
    if scene is not None:
        numbers = jax.tree.map(lambda x: np.full(N_EXPOSURES, x, np.float32), scene)
        scenes = scenes._replace(**numbers)
    sky = np.zeros(SHAPE, np.float32)
    add = jax.jit(jax.vmap(partial(add_cosmic_rays, image=sky)))
    images = add(keys[1], scene=scenes)[0]
    images = np.asarray(images / scenes.sigma[:, None, None])
    noise = np.random.default_rng(1).standard_normal(images.shape)
    return images + noise, images.size


def report(name, shapes):
    """Print the quantiles of one set."""
    small = np.mean(shapes.size < SMALLEST)
    print(f"\n{name}: {len(shapes.size)} footprints, "
          f"{shapes.per_megapixel:.0f} in a million pixels, "
          f"{small:.0%} of them of 1 or 2 pixels")  # fmt: skip
    for field, label in LABELS.items():
        numbers = np.percentile(getattr(shapes, field), QUANTILES)
        print(f"  {label:<26s}" + "".join(f"{x:10.3g}" for x in numbers))


def draw(sets):
    """Cumulative distributions of all sets, a panel a measure."""
    figure, axes = plt.subplots(2, 3, figsize=(12, 6.5), layout="constrained")
    for ax, (field, label) in zip(axes.flat, LABELS.items(), strict=True):
        for name, shapes in sets.items():
            values = np.sort(getattr(shapes, field))
            share = np.arange(1, len(values) + 1) / len(values)
            style = "--" if name.startswith("simulated") else "-"
            ax.plot(values, share, style, label=name)
        ax.set(xscale="log", xlabel=label, ylabel="fraction below", ylim=(0, 1))
        ax.grid(alpha=0.3)
    axes[0, 0].legend(fontsize=8)
    figure.savefig(FIGURE, dpi=80)


def main():
    """Print the quantiles of all sets and draw their distributions."""
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n\n")[0])
    default = os.environ.get("MAXIMASK_ASTRO_TEST_DATA")
    parser.add_argument("data", nargs="?", default=default, type=Path)
    args = parser.parse_args()
    if args.data is None:
        parser.error("name the directory of exposures")

    sets = {
        "LSST sensor (ITL), 1500 s": measure(*read_footprints(args.data)),
        "Sinistro dark, 900 s": measure(*read_dark(args.data)),
        "simulated, noise of the LSST sensor": measure(
            *simulate_rays({"sigma": ITL_NOISE, "sky": 0.0, "full_well": 1e5})
        ),
        "simulated, all cameras": measure(*simulate_rays(None)),
    }
    print(f"Groups of pixels above {THRESHOLD:g} times the noise; all but the first")
    print(f"measure are of groups of at least {SMALLEST} pixels. Quantiles:")
    print(" " * 28 + "".join(f"{x:>9d}%" for x in QUANTILES))
    for name, shapes in sets.items():
        report(name, shapes)
    draw(sets)


if __name__ == "__main__":
    main()
