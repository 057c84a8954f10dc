"""
Show simulated exposures beside real ones, stretched alike.

Every panel is a square of 256 pixels between the limits that astropy's zscale
finds in it::

    python benchmarks/contact_sheet.py DATA

prints ``benchmarks/output/contact_sheet.txt``: for each panel, how its values
are distributed around its sky. DATA is the directory of real exposures, by
default ``$MAXIMASK_ASTRO_TEST_DATA``. The figure goes to
``docs/_static/contact_sheet.png``.
"""

import argparse
import os
import tempfile
from pathlib import Path

import jax
import matplotlib as mpl
import numpy as np
from astropy.io import fits
from astropy.stats import mad_std
from astropy.visualization import ZScaleInterval
from PIL import Image

from maximask_astro.simulation import simulate

mpl.use("Agg")
from matplotlib import pyplot as plt

FIGURE = Path(__file__).parents[1] / "docs" / "_static" / "contact_sheet.png"

SIZE = 240
COLUMNS = 6
SEED = 3
N_SIMULATED, LEVELS = 18, 16

# File, HDU, and the lower left corner of the panel. Their licenses permit to show
# them; the page of the documentation names their origin.
REAL = (
    ("hst_wfc3uvis_pluto1.fits", 1, (120, 120)),
    ("decam_cp_sat1_img.fits", 1, (0, 0)),
    ("sdss_frame_i.fits", 0, (300, 300)),
    ("saao_ste3_raw.fits", 0, (0, 0)),
    ("decam_cp_cr_img.fits", 1, (0, 0)),
    ("decam_cp_badcol_img.fits", 1, (0, 0)),
    ("irac_ngc2264.fits", 0, (100, 100)),
    ("ukirt_wfcam_K_nebula.fits", 0, (0, 0)),
    ("2mass_gc_k.fits", 0, (100, 100)),
    ("hsc_raw_trail.fits", 0, (0, 0)),
    ("vatt4k_trail.fits", 0, (0, 0)),
    ("apogee_eso085_a.fit", 0, (200, 300)),
)


def read_panels(data):
    """Crops of real exposures, by name; smaller exposures are shown whole."""
    panels = {}
    for name, hdu, (y, x) in REAL:
        with fits.open(data / "exposures" / name) as file:
            images = [h for h in file[hdu:] if h.data is not None]
            image = np.asarray(images[0].data, float)
        image = image.reshape(-1, *image.shape[-2:])[0]
        panels[name.split(".")[0]] = image[y : y + SIZE, x : x + SIZE]
    return panels


def simulate_panels(number):
    """Crops of simulated exposures, by number."""
    images, _, _ = simulate(jax.random.key(SEED), number)
    return {
        f"simulated {index}": np.asarray(image, float)[:SIZE, :SIZE]
        for index, image in enumerate(images)
    }


def describe(name, image):
    """Print how the values of an image lie around its sky, in units of its noise."""
    values = image[np.isfinite(image)]
    noise = mad_std(values) or 1.0
    quantiles = np.percentile(values, (0.1, 1, 90, 99, 99.9))
    quantiles = (quantiles - np.median(values)) / noise
    # Neighbors of white noise have differences of sqrt(2) times the noise.
    steps = mad_std(np.diff(image, axis=1)[np.isfinite(np.diff(image, axis=1))])
    print(f"{name:<24s}" + "".join(f"{x:10.3g}" for x in quantiles)
          + f"{steps / noise / 2**0.5:10.2f}")  # fmt: skip


def draw(real, simulated):
    """All panels, the real ones on top."""
    rows = (len(real) + len(simulated)) // COLUMNS
    size = (COLUMNS * 2.0, rows * 2.12)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=size, layout="constrained")
    stretch = ZScaleInterval()
    panels = [*real.items(), *simulated.items()]
    for ax, (name, image) in zip(axes.flat, panels, strict=True):
        low, high = stretch.get_limits(image)
        ax.imshow(image, origin="lower", cmap="gray", vmin=low, vmax=high)
        ax.set_title(name.replace("_", " ")[:24], fontsize=7, pad=2)
        ax.set(xticks=[], yticks=[])
    # Noise is costly to store: few gray levels show it well enough.
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "sheet.png"
        figure.savefig(path, dpi=80)
        Image.open(path).convert("L").quantize(LEVELS).save(FIGURE, optimize=True)


def main():
    """Print and draw all panels."""
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n\n")[0])
    default = os.environ.get("MAXIMASK_ASTRO_TEST_DATA")
    parser.add_argument("data", nargs="?", default=default, type=Path)
    args = parser.parse_args()
    if args.data is None:
        parser.error("name the directory of exposures")

    real = read_panels(args.data)
    simulated = simulate_panels(N_SIMULATED)
    print("Quantiles of the pixels, from the median in units of the robust noise; and")
    print("the noise between neighbors over that of all (1: white noise, flat sky):\n")
    print(" " * 24 + "".join(f"{x:>9g}%" for x in (0.1, 1, 90, 99, 99.9))
          + " neighbors")  # fmt: skip
    for panels in (real, simulated):
        for name, image in panels.items():
            describe(name, image)
        print()
    draw(real, simulated)


if __name__ == "__main__":
    main()
