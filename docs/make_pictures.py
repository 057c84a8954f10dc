# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Make the pictures of the documentation, in ``docs/_static``.

Run with the published network and matplotlib installed::

    python docs/make_pictures.py DATA

DATA is the directory of real exposures, by default
``$MAXIMASK_ASTRO_TEST_DATA``. Only exposures whose license permits it are shown,
and the captions name their origin. Without the directory, only the pictures of
the simulated exposure are made.
"""

import argparse
import os
import tempfile
from pathlib import Path

import matplotlib as mpl
import numpy as np
from astropy.io import fits
from astropy.visualization import ZScaleInterval
from PIL import Image

from maximask_astro.datasets import make_example_exposure
from maximask_astro.flags import ABBREVIATIONS, get_class
from maximask_astro.masking import ContaminantMasker
from maximask_astro.scripts.main import main as maximask_astro
from maximask_astro.simulation import simulate_exposure

mpl.use("Agg")
from matplotlib import pyplot as plt

STATIC = Path(__file__).parent / "_static"

# Picture, file, HDU, and the part that is shown: x and y (None: all of it).
REAL = (
    ("real_hst", "hst_wfc3uvis_pluto1.fits", 1, None),
    ("real_hsc", "hsc_raw_trail.fits", 0, None),
    ("real_saao", "saao_ste3_raw.fits", 0, ((0, 250), (80, 330))),
    ("real_vatt", "vatt4k_trail.fits", 0, None),
)

LARGEST = 300_000  # bytes

# The gallery of simulated exposures: shape, and how many are made for a panel.
GALLERY_SHAPE, GALLERY_CHOICE = (192, 192), 8


def save(source, name):
    """Save a picture with 32 levels a color, which makes its file small."""
    picture = np.asarray(Image.open(source).convert("RGB"))
    picture = np.rint(np.rint(picture / 255 * 31) / 31 * 255).astype(np.uint8)
    path = STATIC / f"{name}.png"
    Image.fromarray(picture).save(path, optimize=True)
    size = path.stat().st_size
    if size > LARGEST:
        raise RuntimeError(f"{path} has {size} bytes; make it smaller.")
    print(f"{path.name:20s} {size:7d} bytes")


def save_figure(figure, name, dpi=90):
    """Save a figure and close it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "picture.png"
        figure.savefig(path, dpi=dpi, bbox_inches="tight")
        save(path, name)
    plt.close(figure)


def draw_demo():
    """What ``maximask-astro demo`` draws."""
    with tempfile.TemporaryDirectory() as directory:
        if maximask_astro(["demo", "--output-dir", directory]):
            raise RuntimeError("The demonstration failed.")
        save(Path(directory) / "maximask_demo.png", "demo")


def draw_uncertainty():
    """A star with spikes: their probability and its uncertainty."""
    exposure = make_example_exposure()
    masker = ContaminantMasker(classes="SP", uncertainty="dihedral")
    cmap = masker(exposure)
    spikes = cmap.probabilities["SP"]
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.6), layout="constrained")
    cmap.imshow(exposure, ax=axes[0], classes=[])
    axes[0].set_title("Exposure (simulated)")
    for ax, values, title, high in (
        (axes[1], spikes.data, "Probability of SP", 1.0),
        (axes[2], spikes.uncertainty.array, "Its standard deviation", 0.5),
    ):
        image = ax.imshow(values, origin="lower", vmin=0, vmax=high, cmap="magma")
        figure.colorbar(image, ax=ax, shrink=0.85)
        ax.set_title(title)
        ax.set_xlabel("x (pixels)")
    for ax in axes:
        ax.set(xlim=(130, 350), ylim=(285, 505))
    save_figure(figure, "uncertainty", dpi=70)


def choose_simulation(index, name):
    """Of a few exposures with a class, the one in which it is seen best."""
    best, most = None, -1.0
    for seed in range(index * GALLERY_CHOICE, (index + 1) * GALLERY_CHOICE):
        clean = simulate_exposure(seed, GALLERY_SHAPE, classes="none")
        exposure = clean
        if name not in ("BBG", "BG"):
            exposure = simulate_exposure(seed, GALLERY_SHAPE, classes=name)
        # What changes between black and white.
        limits = ZScaleInterval().get_limits(exposure.ccd.data)
        before = np.median(clean.ccd.data) if exposure is clean else clean.ccd.data
        change = np.clip(exposure.ccd.data, *limits) - np.clip(before, *limits)
        seen = np.abs(change[exposure.labels[name]]).sum() / np.ptp(limits)
        if seen > most:
            best, most = exposure, seen
    return best


def draw_gallery():
    """Simulated exposures, one a class, with the outlines of its labels."""
    figure, axes = plt.subplots(2, 7, figsize=(14, 4.4), layout="constrained")
    for index, (ax, name) in enumerate(zip(axes.flat, ABBREVIATIONS, strict=True)):
        ccd, labels = choose_simulation(index, name)
        low, high = ZScaleInterval().get_limits(ccd.data)
        ax.imshow(ccd.data, origin="lower", cmap="gray", vmin=low, vmax=high)
        color = get_class(name).color
        if name != "BG":
            ax.contour(labels[name], [0.5], colors=color, linewidths=1.0)
        ax.set_title(name if name != "BG" else "BG: no outlines", fontsize=9)
        ax.set(xticks=[], yticks=[])
    save_figure(figure, "simulations", dpi=72)


def draw_real(data):
    """Real exposures beside what the published network finds in them."""
    masker = ContaminantMasker("maximask-1.4.1", keep_probabilities=False)
    for name, file, hdu, part in REAL:
        exposure = fits.getdata(data / "exposures" / file, hdu)
        cmap = masker(exposure)
        figure, axes = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
        cmap.imshow(exposure, ax=axes[0], classes=[])
        cmap.imshow(exposure, ax=axes[1])
        if part is not None:
            for ax in axes:
                ax.set(xlim=part[0], ylim=part[1])
        save_figure(figure, name, dpi=80)


def main():
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n\n")[0])
    default = os.environ.get("MAXIMASK_ASTRO_TEST_DATA")
    parser.add_argument("data", nargs="?", default=default, type=Path)
    args = parser.parse_args()
    draw_gallery()
    draw_demo()
    draw_uncertainty()
    if args.data is None:
        print("No directory of real exposures: their pictures are left as they are.")
    else:
        draw_real(args.data)


if __name__ == "__main__":
    main()
