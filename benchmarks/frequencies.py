"""
How frequent contaminants are on the real skies, of which they were marked.

The mean over images of the fraction of pixels that have each class, where that is
known, and how many images have any. What `maximask_astro.training` takes for the
default priors of models follows from these::

    python benchmarks/frequencies.py DATA
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import shared
from skies import marked_skies

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.training import DEFAULT_PRIORS

# Part of an image in which a class must be known for the image to count.
_KNOWN = 0.05


def fractions_of(sky):
    """Fraction of an image's pixels that have each class, NaN where hardly known."""
    found = []
    for number in range(len(ABBREVIATIONS)):
        bit = np.uint16(1 << number)
        known = (sky.known & bit != 0) & sky.valid
        present = (sky.present & bit != 0) & known
        enough = known.mean() > _KNOWN
        found.append(present.sum() / known.sum() if enough else np.nan)
    return found


def main(args):
    """Run the command."""
    skies = [
        sky
        for part in ("training", "validation")
        for sky in marked_skies(args.data, part)
    ]
    fractions = np.array([fractions_of(sky) for sky in skies])
    print(f"{len(skies)} real images.\n")
    print("  class  known  any   mean       ninth decile  default prior")
    for name, values in zip(ABBREVIATIONS, fractions.T, strict=True):
        values = values[np.isfinite(values)]
        if len(values):
            mean, most = values.mean(), np.quantile(values, 0.9)
            print(
                f"  {name:<6}{len(values):>6}{(values > 0).sum():>5}   {mean:<10.2g} "
                f"{most:<13.2g} {DEFAULT_PRIORS[name]:g}"
            )
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with the folder 'skies'")
    parser.add_argument("--output", type=Path, help="write what is printed here, too")
    sys.exit(shared.run(main, parser.parse_args()))
