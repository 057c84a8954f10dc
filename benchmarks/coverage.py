"""
Whether the uncertainty of probabilities covers what differs from sky to sky.

On exposures that neither the training nor the card has seen, half of them on the real
skies for validation: of the skies that have pixels to which the network gives about a
certain probability, on which fraction is the true fraction of such pixels within one
standard deviation of it? Of normal deviations, two in three are::

    python benchmarks/coverage.py DATA --models contaminants-2 \\
        --output benchmarks/output/coverage.txt
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import shared
from scipy.special import expit
from skies import marked_skies

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.training import read_recipe
from maximask_astro.training.nights import (
    SPREAD_EDGES,
    count_exposures,
    presented_factors,
)
from maximask_astro.weights import load_model, spread_of

SEED, SIZE = 977, 768

# Of pixels in a bin of a sky, and of skies in a bin.
_PIXELS, _SKIES = 64, 5

WANTED, _TOLERANCE = 0.683, 0.08


def within(counts, model, chosen):
    """Of each class: bins of skies whose fraction is within, and all of them."""
    no, yes = np.moveaxis(np.stack(counts.by_sky)[chosen], 2, 0).astype(float)
    yes = yes * presented_factors(counts, model.card.training_priors)[None, :, None]
    middle = (SPREAD_EDGES[:-1] + SPREAD_EDGES[1:]) / 2
    p = expit(middle)
    found = {}
    for name, table in spread_of(model.card, ABBREVIATIONS).items():
        number = ABBREVIATIONS.index(name)
        pixels = no[:, number] + yes[:, number]
        seen = np.stack(counts.by_sky)[chosen][:, number].sum(1) >= _PIXELS
        seen &= seen.sum(0) >= _SKIES
        with np.errstate(invalid="ignore"):
            apart = np.abs(yes[:, number] / pixels - p)
        limit = p * (1 - p) * np.interp(middle, table["logit"], table["sigma"])
        found[name] = int((apart <= limit)[seen].sum()), int(seen.sum())
    return found


def main(args):
    """Print a table for each model."""
    models = [load_model(name) for name in args.models]
    shared.print_header(
        f"Coverage of one standard deviation: {args.number} exposures of {SIZE} x "
        f"{SIZE}, half of them on real skies",
        models,
    )
    recipe = replace(read_recipe("cpu"), size=SIZE, seed=SEED)
    skies = marked_skies(args.data, "validation")
    for model in models:
        counts = count_exposures(
            model, recipe, args.number, skies=skies, progress_bar=True
        )
        real = np.array(counts.real)
        kinds = {"all": np.full(len(real), True), "simulated": ~real, "real": real}
        found = {kind: within(counts, model, of) for kind, of in kinds.items()}
        print(f"{model.card.name}: skies within one deviation, and how many")
        print(f"  {'class':<6}" + "".join(f"{kind:>16}" for kind in kinds))
        for name in found["all"]:
            parts = [found[kind][name] for kind in kinds]
            cells = [f"{a / n if n else np.nan:>10.3f}{n:>6}" for a, n in parts]
            print(f"  {name:<6}" + "".join(cells))
        totals = [np.sum(list(found[kind].values()), axis=0) for kind in kinds]
        print("  all   " + "".join(f"{a / n:>10.3f}{n:>6}" for a, n in totals))
        share = totals[0][0] / totals[0][1]
        good = abs(share - WANTED) <= _TOLERANCE
        print(f"  {'PASS' if good else 'FAIL'}  {WANTED} +- {_TOLERANCE} wanted\n")
    return 0


if __name__ == "__main__":
    parser = shared.make_parser(__doc__, number=96)
    parser.add_argument("data", type=Path, help="folder with the folder 'skies'")
    sys.exit(shared.run(main, parser.parse_args()))
