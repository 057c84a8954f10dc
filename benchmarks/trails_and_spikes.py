"""
Trails that are called spikes, and spikes that are called trails, at the defaults.

On the demonstration's exposure, and on simulated exposures with trails only or with
spikes only: which fraction of the trails' pixels, and of the spikes', is called so, and
which is called the other::

    python benchmarks/trails_and_spikes.py \
        --output benchmarks/output/trails_and_spikes.txt

Of trails, those pixels count that are brighter than one and a half times the noise of
the empty sky; what is there is told from the same exposure without.
"""

import sys

import jax
import numpy as np
import shared
from tqdm import tqdm

from maximask_astro.datasets import make_example_exposure
from maximask_astro.datasets.exposure import make_parts
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.masking import ContaminantMasker
from maximask_astro.simulation import SimulationConfig, simulate
from maximask_astro.weights import load_model

SIZE, _STREAM, _BRIGHT = 768, 1600, 1.5

# Of the demonstration: electrons in a pixel of the empty sky, and their noise.
_DEMO_NOISE = (1400.0 + 6.0**2) ** 0.5

# What shall be reached: set, class of its pixels, what they are called, how often.
WANTED = (
    ("demonstration", "TRL", "TRL", 0.95),
    ("demonstration", "TRL", "SP", 0.02),
    ("trails only", "TRL", "TRL", 0.92),
    ("trails only", "TRL", "SP", 0.03),
    ("spikes only", "SP", "SP", 0.80),
    ("spikes only", "SP", "TRL", 0.03),
)


def demonstration():
    """The exposure of the demonstration, and where its trail is."""
    exposure = make_example_exposure()
    light, _, _ = make_parts(exposure.shape, np.random.default_rng(1))
    yield exposure.data.astype(np.float32), light["trail"] > _BRIGHT * _DEMO_NOISE


def only(name, number):
    """Exposures with one contaminant, and where it is bright."""
    key = jax.random.fold_in(jax.random.key(shared.TEST_KEY), _STREAM)
    configs = [
        SimulationConfig((SIZE, SIZE), {**dict.fromkeys(shared.CONTAMINANTS, 0.0), **n})
        for n in ({name: 1.0}, {})
    ]
    made = 0
    for index in range(10 * number):
        this = jax.random.fold_in(key, index)
        with_it, without = (simulate(this, 1, config) for config in configs)
        images, labels, scenes = jax.tree.map(lambda v: v[0], with_it)
        here = np.asarray(labels[..., ABBREVIATIONS.index(name)])
        if name == "TRL":
            light = np.asarray(images - without[0][0])
            here = here & (light > _BRIGHT * float(scenes.sigma / scenes.gain))
        if not here.any():
            continue
        yield np.asarray(images), here
        made += 1
        if made == number:
            return


def measure(maskers, exposures, number):
    """Pixels of the contaminant, and those called TRL and SP, in and out of it."""
    counts = {name: np.zeros(5, int) for name in maskers}
    for image, here in tqdm(exposures, total=number, disable=None, leave=False):
        for name, masker in maskers.items():
            found = masker(image)
            called = [found.class_mask(other) for other in ("TRL", "SP")]
            counts[name] += [here.sum(), *(c[here].sum() for c in called),
                             *(c[~here].sum() for c in called)]  # fmt: skip
    return counts


def main(args):
    """Print a table, and what is reached."""
    maskers = [ContaminantMasker(n, keep_probabilities=False) for n in args.models]
    shared.print_header(
        f"Trails and spikes at the defaults: {args.number} exposures of {SIZE} x {SIZE}"
        " with either",
        [load_model(name) for name in args.models],
    )
    maskers = {masker.model_card.name: masker for masker in maskers}
    sets = {
        "demonstration": (demonstration(), 1),
        "trails only": (only("TRL", args.number), args.number),
        "spikes only": (only("SP", args.number), args.number),
    }
    found = {title: measure(maskers, *of_set) for title, of_set in sets.items()}
    for title, counts in found.items():
        true = "SP" if title.startswith("spikes") else "TRL"
        print(f"{title}: pixels of {true}, and fractions called TRL and SP; elsewhere")
        for name, (pixels, trail, spike, others_trail, others_spike) in counts.items():
            print(
                f"  {name:<18}{pixels:>9}{trail / pixels:>8.3f}{spike / pixels:>8.3f}"
                f"{others_trail:>9}{others_spike:>9}"
            )
    print()
    for title, _, called, wanted in WANTED:
        for name, (pixels, *parts) in found[title].items():
            value = parts[("TRL", "SP").index(called)] / pixels
            good = value >= wanted if wanted > 0.5 else value <= wanted
            limit = "least" if wanted > 0.5 else "most"
            print(
                f"  {'PASS' if good else 'FAIL'}  {name:<18} {title}: called {called} "
                f"{value:.3f}, at {limit} {wanted}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(shared.run(main, shared.make_parser(__doc__, number=40).parse_args()))
