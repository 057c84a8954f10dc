"""
Adapt the model to a camera by ordinary exposures of it, without masks.

The camera is the one of the ``exotic`` exposures: ten are learned from as skies,
in the order of time every other one first, and the seven others are for the test.
The same contaminants are simulated on those, and each class is judged where the
model has the purity that it had at its default threshold before: how complete is it
there, before and after?::

    python benchmarks/camera.py DATA --output benchmarks/output/camera.txt

Pixels of which it is not known whether they have a class do not count. The user guide
does the same with ``maximask-astro train --skies``.
"""

import sys
import time
from pathlib import Path

import jax
import numpy as np
import shared
from scipy.special import logit
from tqdm import tqdm

from maximask_astro.evaluation import ScoreHistogram, purity
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.inference import log_prior_factor, logits_of_image
from maximask_astro.simulation import RealSkies, SimulationConfig, spoil_skies
from maximask_astro.training import draw_sky_crops, fine_tune, read_skies
from maximask_astro.training.fine_tuning import judge_of
from maximask_astro.weights import load_model

SIZE, _BATCH, _STREAM, _LEARNED = 768, 2, 1500, 10

# Classes with fewer pixels than this in all test exposures are not judged.
_FEWEST = 500


def split(data):
    """Names of the exposures to learn from, and of those to test with."""
    names = sorted(path.name for path in (data / "exposures").glob("exotic_*.fits"))
    names = names[::2] + names[1::2]
    return sorted(names[:_LEARNED]), sorted(names[_LEARNED:])


def count(models, skies, number):
    """Count the logits of each model on the same contaminants."""
    found = [ScoreHistogram(len(ABBREVIATIONS)) for _ in models]
    key = jax.random.fold_in(jax.random.key(shared.TEST_KEY), _STREAM)
    bits = np.uint16(1) << np.arange(len(ABBREVIATIONS), dtype=np.uint16)
    config = SimulationConfig((SIZE, SIZE), quiet=0.5)
    for index in tqdm(range(-(-number // _BATCH)), disable=None):
        crops = draw_sky_crops(skies, _BATCH, SIZE, (shared.TEST_KEY, _STREAM, index))
        real = RealSkies(
            crops.images, crops.present, crops.known, crops.inside, crops.fwhm
        )
        made = spoil_skies(jax.random.fold_in(key, index), real, config)[:3]
        for image, *masks in zip(*map(np.asarray, made), strict=True):
            labels, known = (mask[..., None] & bits != 0 for mask in masks)
            for histogram, model in zip(found, models, strict=True):
                histogram.add(logits_of_image(model, image), labels, known)
    return found


def purity_above(histogram, number, threshold):
    """Purity of a class above a logit."""
    place = int(np.argmax(histogram.thresholds <= threshold))
    return purity(histogram)[number, place]


def at_purity(histogram, number, wanted):
    """The largest completeness of a class where it is as pure as that."""
    pure = purity(histogram)[number] >= wanted
    return histogram.rates()[0][number, pure].max() if pure.any() else 0.0


def main(args):
    """Print a table."""
    base = load_model(args.models[0])
    folder = args.data / "exposures"
    learned, tested = split(args.data)
    start = time.monotonic()
    skies = read_skies(folder, names=learned, judge=judge_of(base))
    adapted = fine_tune(base, skies=skies, steps=args.steps, size=args.size)
    took = time.monotonic() - start
    shared.print_header(
        f"{len(learned)} exposures of a camera are learned from, {len(tested)} are "
        f"tested with: {args.number} frames of {SIZE} x {SIZE}",
        [base],
    )
    print(f"Adapting took {took / 60:.1f} minutes.\n")
    before, after = count(
        [base, adapted], read_skies(folder, names=tested), args.number
    )
    print("Completeness where the purity is that of the default threshold before:")
    print(f"  {'class':<6}{'purity':>8}{'before':>8}{'after':>8}")
    gains = []
    for number, name in enumerate(ABBREVIATIONS):
        if before.counts[number, 1].sum() < _FEWEST:
            continue
        prior = base.card.prior(name)
        shift = log_prior_factor(base.card.training_priors[name], prior)
        threshold = logit(base.card.thresholds[name]) + shift
        pure = purity_above(before, number, threshold)
        if not np.isfinite(pure):
            continue
        others = at_purity(before, number, pure), at_purity(after, number, pure)
        gains.append(others[1] - others[0])
        print(f"  {name:<6}{pure:8.3f}{others[0]:8.3f}{others[1]:8.3f}")
    print(
        f"  mean{np.mean(gains):+26.3f}, {np.sum(np.array(gains) > 0)} of {len(gains)}"
    )
    return 0


if __name__ == "__main__":
    parser = shared.make_parser(__doc__, number=40)
    parser.add_argument("data", type=Path, help="folder with the folder 'exposures'")
    parser.add_argument("--steps", type=int, help="of the adaptation")
    parser.add_argument("--size", type=int, help="of its frames")
    sys.exit(shared.run(main, parser.parse_args()))
