"""
Adapt the default model to real exposures, and see what it learns and forgets.

The model learns saturation and bleeding as the DECam Community Pipeline flags
them, from two cutouts with a saturated star and one without. A third star, which
it has not seen, tells what was learned: area under the ROC curve, and the fraction
of the flagged pixels that are found at a false-positive rate of 0.01. Simulated
exposures, from a key that no training uses, tell what was forgotten of all
classes. Both are done with and without simulated exposures among the examples::

    python benchmarks/fine_tuning.py DATA

DATA is the directory with the folder of exposures.
"""

import argparse
import time
from pathlib import Path

import jax
import numpy as np
from astropy.io import fits

from maximask_astro import ContaminantMasker
from maximask_astro.evaluation import ScoreHistogram, completeness_at
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.masking import DEFAULT_MODEL
from maximask_astro.simulation import SimulationConfig, simulate

LEARNED, APART = ("sat1", "sat2", "halo"), "sat3"
SATURATED = (3, 4)  # and bleeding, in the pipeline's data quality
SIZE, SEED = 256, 20203


def read(data, name):
    """A cutout, and which of its pixels are saturated."""
    path = data / "exposures"
    flags = fits.getdata(path / f"decam_cp_{name}_dq.fits")
    image = fits.getdata(path / f"decam_cp_{name}_img.fits")
    return np.asarray(image, "f4"), {"SAT": np.isin(flags, SATURATED)}


def logits(masker, image):
    """Logits of all classes of an image."""
    p = np.clip(masker(image).probability_planes.astype(float), 1e-8, 1 - 1e-8)
    return np.moveaxis(np.log(p / (1 - p)), 0, -1)


def score(masker, data, simulated):
    """Scores of SAT on the star apart, and the mean area on simulated exposures."""
    image, mask = read(data, APART)
    real = ScoreHistogram(1)
    number = masker.classes.index("SAT")
    real.add(logits(masker, image)[..., number, None], mask["SAT"][..., None])
    made = ScoreHistogram(len(ABBREVIATIONS))
    for image, labels in zip(*simulated, strict=True):
        made.add(logits(masker, image), labels)
    return real.auc()[0], completeness_at(real, 0.01)[0], np.nanmean(made.auc())


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--number", type=int, default=24, help="simulated exposures")
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()

    # In batches of the size of the training, for which simulation is compiled.
    config, images, labels = SimulationConfig((SIZE, SIZE)), [], []
    for index in range(-(-args.number // 2)):
        key = jax.random.fold_in(jax.random.key(SEED), index)
        batch = simulate(key, 2, config)
        images += list(np.asarray(batch[0]))
        labels += list(np.asarray(batch[1]))
    simulated = images, labels

    masker = ContaminantMasker(args.model, priors=None)
    lines = [
        f"{args.model}, {args.steps} steps on {len(LEARNED)} DECam cutouts",
        "",
        f"{'':32s} {'SAT: AUC':>9s} {'found':>7s} {'simulated: AUC':>15s} {'time':>7s}",
    ]

    def add(what, masker, seconds=0.0):
        area, found, made = score(masker, args.data, simulated)
        lines.append(
            f"{what:32s} {area:9.4f} {found:7.1%} {made:15.4f} {seconds:5.0f} s"
        )
        print(lines[-1], flush=True)

    add("before", masker)
    examples = zip(*[read(args.data, name) for name in LEARNED], strict=True)
    examples = [list(item) for item in examples]
    for share in (0.0, 0.5):
        start = time.monotonic()
        adapted = masker.fine_tune(*examples, steps=args.steps, simulated=share)
        what = "examples alone" if not share else f"{share:.0%} simulated exposures"
        add(f"after, {what}", adapted, time.monotonic() - start)
    text = "\n".join(lines) + "\n"
    print("\n" + text)
    if args.output is not None:
        args.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
