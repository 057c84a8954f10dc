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
from PIL import Image

from maximask_astro.datasets import make_example_exposure
from maximask_astro.masking import ContaminantMasker
from maximask_astro.scripts.main import main as maximask_astro

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


def draw_real(data):
    """Real exposures beside their contaminants."""
    masker = ContaminantMasker(keep_probabilities=False)
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
    draw_demo()
    draw_uncertainty()
    if args.data is None:
        print("No directory of real exposures: their pictures are left as they are.")
    else:
        draw_real(args.data)


if __name__ == "__main__":
    main()
