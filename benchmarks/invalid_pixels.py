"""
Measure how pixels without a value change the verdict next to them.

Holes are cut into real exposures (`ContaminantMasker` gets them as a mask), and
verdicts within 20 pixels of the holes are compared with those of the untouched
exposure, for holes filled as the library fills them and with zeros::

    python benchmarks/invalid_pixels.py DATA | tee benchmarks/output/invalid_pixels.txt

DATA is the directory of real exposures, by default ``$MAXIMASK_ASTRO_TEST_DATA``.
"""

import argparse
import os
from pathlib import Path
from unittest import mock

import numpy as np
from astropy.io import fits
from scipy.ndimage import binary_dilation

from maximask_astro.background import fill_invalid, normalization
from maximask_astro.masking import ContaminantMasker

EXPOSURES = (
    ("exotic_013612.fits", 0),
    ("hst_wfc3uvis_pluto1.fits", 1),
    ("sdss_frame_i.fits", 0),
)


def make_holes(shape):
    """Masks of four kinds of holes, by name."""
    blocks, lines, edge = (np.zeros(shape, bool) for _ in range(3))
    blocks[100:180, 100:180] = blocks[250:330, 200:300] = True
    lines[:, 200:203] = lines[150:152] = True
    edge[:, -60:] = edge[:40] = True
    points = np.random.RandomState(0).uniform(size=shape) < 0.002
    return {"blocks": blocks, "lines": lines, "points": points, "edge": edge}


def fill_with_zeros(image, invalid):
    """The simplest fill."""
    image[invalid] = 0.0
    return image


def main():
    """Print the fraction of pixels next to holes whose verdict changed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    default = os.environ.get("MAXIMASK_ASTRO_TEST_DATA")
    parser.add_argument("data", nargs="?", default=default, type=Path)
    args = parser.parse_args()
    if args.data is None:
        parser.error("name the directory of exposures")

    masker = ContaminantMasker("maximask-1.4.1", keep_probabilities=False)
    print("Fraction of the pixels within 20 pixels of a hole whose bit mask changed,")
    print("and that became unusable:\n")
    print(f"{'exposure':<26s} {'holes':<8s} {'pixels':>8s}  {'zeros':>15s}  "
          f"{'as the library':>15s}")  # fmt: skip
    for name, hdu in EXPOSURES:
        exposure = fits.getdata(args.data / "exposures" / name, hdu)
        before = masker(exposure)
        for kind, hole in make_holes(exposure.shape).items():
            near = binary_dilation(hole, iterations=20) & ~hole
            columns = []
            for fill in (fill_with_zeros, fill_invalid):
                with mock.patch.object(normalization, "fill_invalid", fill):
                    after = masker(exposure, mask=hole)
                changed = (after.bitmask != before.bitmask)[near].mean()
                unusable = (after.mask & ~before.mask)[near].mean()
                columns.append(f"{changed:.4f} / {unusable:.4f}")
            print(
                f"{name:<26s} {kind:<8s} {near.sum():>8d}  {columns[0]}  {columns[1]}"
            )


if __name__ == "__main__":
    main()
