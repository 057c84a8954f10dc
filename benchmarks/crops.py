"""
What a crop changes: masks of parts of a frame, against those of the whole.

A network that looks at the whole frame, too, says something else of a part of it. On
simulated exposures, for each class at the defaults: completeness and false alarms in
the whole frame, in its halves and in its quarters (along each axis), and how much of
what is called so in the one or in the other is called so in both (the overlap)::

    python benchmarks/crops.py --output benchmarks/output/crops.txt
"""

import sys

import jax
import numpy as np
import shared
from tqdm import tqdm

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.masking import ContaminantMasker
from maximask_astro.simulation import SimulationConfig, simulate
from maximask_astro.weights import load_model

SIZE, _STREAM = 768, 1700
PARTS = {"whole": 1, "half": 2, "quarter": 4}


def planes_of(masker, image, parts):
    """Where each class is found, part by part."""
    side = SIZE // parts
    found = np.zeros((len(shared.CONTAMINANTS), SIZE, SIZE), bool)
    for top in range(0, SIZE, side):
        for left in range(0, SIZE, side):
            part = np.s_[top : top + side, left : left + side]
            cmap = masker(image[part])
            for number, name in enumerate(shared.CONTAMINANTS):
                found[(number, *part)] = cmap.class_mask(name)
    return found


def measure(masker, number):
    """Pixels by part and class: true, found, found wrongly, and in both and either."""
    counts = {part: np.zeros((5, len(shared.CONTAMINANTS)), int) for part in PARTS}
    config = SimulationConfig((SIZE, SIZE), quiet=0.5)
    key = jax.random.fold_in(jax.random.key(shared.TEST_KEY), _STREAM)
    order = [ABBREVIATIONS.index(name) for name in shared.CONTAMINANTS]
    for index in tqdm(range(number), disable=None, leave=False):
        images, labels, _ = simulate(jax.random.fold_in(key, index), 1, config)
        image = np.asarray(images[0])
        truth = np.moveaxis(np.asarray(labels[0]), -1, 0)[order]
        whole = None
        for part, parts in PARTS.items():
            found = planes_of(masker, image, parts)
            whole = found if whole is None else whole
            values = truth, truth & found, found & ~truth, found & whole, found | whole
            counts[part] += [value.sum((1, 2)) for value in values]
    return counts


def main(args):
    """Print a table for each model."""
    shared.print_header(
        f"What a crop changes: {args.number} exposures of {SIZE} x {SIZE}, at the "
        "defaults",
        [load_model(name) for name in args.models],
    )
    pixels = args.number * SIZE**2
    for name in args.models:
        masker = ContaminantMasker(name, keep_probabilities=False)
        counts = measure(masker, args.number)
        print(f"{masker.model_card.name}: completeness, false alarms, overlap")
        print(f"  {'class':<6}" + "".join(f"{part:>26}" for part in PARTS))
        for number, abbreviation in enumerate(shared.CONTAMINANTS):
            line = f"  {abbreviation:<6}"
            for part in PARTS:
                true, right, wrong, both, either = counts[part][:, number]
                complete = right / true if true else np.nan
                overlap = both / either if either else np.nan
                line += f"{complete:>9.3f}{wrong / pixels:>9.1e}{overlap:>8.3f}"
            print(line)
        print()
    return 0


if __name__ == "__main__":
    parser = shared.make_parser(__doc__, number=40)
    sys.exit(shared.run(main, parser.parse_args()))
