"""
The same contaminants on simulated skies and on real ones that no training has seen.

For each class, the area under the ROC curve, and the completeness at false-positive
rates of 1e-2 and 1e-3, of the published network, the models named, and on either kind
of sky::

    python benchmarks/real_skies.py DATA --models maximask-1.4.1 contaminants-1 \\
        --output benchmarks/output/real_skies.txt

The real skies are those of the folder of data that are kept for validation. On both,
contaminants are as frequent and strong as in training; pixels of which it is not known
whether they have a class do not count.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
import shared
from skies import marked_skies
from tqdm import tqdm

from maximask_astro.evaluation import ScoreHistogram, completeness_at
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.simulation import (
    RealSkies,
    SimulationConfig,
    simulate,
    spoil_skies,
)
from maximask_astro.training.exposures import pack_bits
from maximask_astro.training.frames import ALL_KNOWN
from maximask_astro.training.sky_crops import draw_sky_crops

SIZE = 768
RATES = (1e-2, 1e-3)
KINDS = ("simulated", "real")

# No stream of the other benchmarks.
_STREAM, _BATCH = 1000, 2


@dataclass(frozen=True)
class _Frame:
    """An exposure, its labels, and what is known, as bits."""

    image: np.ndarray
    labels: np.ndarray
    known: np.ndarray


def frames(kind, number, skies):
    """
    Make exposures.

    Parameters
    ----------
    kind : {'simulated', 'real'}
        What skies.

    number : int
        How many.

    skies : list of `~maximask_astro.training.skies.Sky`
        The real ones.

    Yields
    ------
    frame : object
        With ``image``, ``labels`` and ``known``.
    """
    key = jax.random.fold_in(jax.random.key(shared.TEST_KEY), _STREAM)
    config = SimulationConfig((SIZE, SIZE))
    for index in range(-(-number // _BATCH)):
        this = jax.random.fold_in(key, index)
        if kind == "real":
            crops = draw_sky_crops(skies, _BATCH, SIZE, (shared.TEST_KEY, index))
            real = RealSkies(
                crops.images, crops.present, crops.known, crops.inside, crops.fwhm
            )
            images, labels, known, _ = spoil_skies(this, real, config)
        else:
            images, labels, _ = simulate(this, _BATCH, config)
            labels = pack_bits(labels)
            known = np.full(images.shape, ALL_KNOWN, np.uint16)
        yield from map(_Frame, *map(np.asarray, (images, labels, known)))


def count(evaluators, kind, number, skies):
    """Count the logits of each model."""
    histograms = {name: ScoreHistogram(len(ABBREVIATIONS)) for name in evaluators}
    bits = np.uint16(1) << np.arange(len(ABBREVIATIONS), dtype=np.uint16)
    made = frames(kind, number, skies)
    for frame in tqdm(made, total=number, desc=kind, disable=None):
        labels, known = (v[..., None] & bits != 0 for v in (frame.labels, frame.known))
        for name, evaluator in evaluators.items():
            histograms[name].add(evaluator(frame.image), labels, known)
    return histograms


def table(name, found):
    """Print what a model reaches on both kinds of skies."""
    print(name)
    heads = [f"{kind:>10s}" for kind in KINDS]
    titles = ["area under ROC", *(f"completeness at {rate:g}" for rate in RATES)]
    print("       " + "   ".join(f"{title:>21s}" for title in titles))
    print("  class" + "   ".join([" ".join(heads)] * len(titles)))
    columns = [
        [found[kind].auc() for kind in KINDS],
        *([completeness_at(found[kind], rate) for kind in KINDS] for rate in RATES),
    ]
    for number, abbreviation in enumerate(ABBREVIATIONS):
        cells = [
            " ".join(f"{values[number]:10.4f}" for values in pair) for pair in columns
        ]
        print(f"  {abbreviation:<5s}" + "   ".join(cells))
    means = [" ".join(f"{np.nanmean(values):10.4f}" for values in p) for p in columns]
    print("  mean " + "   ".join(means) + "\n")


def main(args):
    """Print a table a model."""
    evaluators = shared.load_evaluators(args.models)
    shared.print_header(
        f"The same contaminants on simulated and on real skies: {args.number} "
        f"exposures of {SIZE} x {SIZE} of each",
        [evaluator.model for evaluator in evaluators.values()],
    )
    skies = marked_skies(args.data, "validation")
    found = {kind: count(evaluators, kind, args.number, skies) for kind in KINDS}
    for name in evaluators:
        table(name, {kind: found[kind][name] for kind in KINDS})


if __name__ == "__main__":
    parser = shared.make_parser(__doc__, number=48)
    parser.add_argument("data", type=Path, help="folder with the folder 'skies'")
    sys.exit(shared.run(main, parser.parse_args()))
