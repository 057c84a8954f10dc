"""
How fast a mosaic is judged, and whether a fraction of it says the same.

    python benchmarks/tracking_speed.py --output benchmarks/output/tracking/speed.txt

A mosaic of 62 CCDs is judged by each model in turn, repeatedly, in one process;
what counts is the ratio, round by round, of the whole work: normalization, network
and verdict. Then many small mosaics are judged whole and in part: the mean evidence
of the tiles must not differ on average.
"""

import sys
import time
from statistics import median

import jax
import numpy as np
import shared

from maximask_astro.simulation import simulate_tracking
from maximask_astro.tracking import DEFAULT_TRACKING_MODEL, TrackingClassifier

PUBLISHED = "maxitrack-1.4.1"
N_CCDS, SIDE = 62, 800  # two by two blocks of the published network
N_MOSAICS, N_IMAGES, FRACTION = 200, 12, 0.25


def mosaic(key, number, side):
    """CCDs of an exposure; their motions differ, which is no matter for its speed."""
    images, _ = simulate_tracking(key, number, (side, side))
    return [np.asarray(image) for image in images]


def time_models(classifiers, images, rounds):
    """Megapixels a second, by model and round."""
    pixels = sum(image.size for image in images) / 1e6
    speeds = {name: [] for name in classifiers}
    for index in range(rounds + 1):
        for name, classifier in classifiers.items():
            start = time.perf_counter()
            classifier(images)
            if index:  # the first compiles
                speeds[name].append(pixels / (time.perf_counter() - start))
    return speeds


def mean_evidence(result):
    """Of the tiles with stars."""
    found = [tile.evidence for tile in result.tiles if tile.usable > 0.5]
    return np.mean(found) if found else np.nan


def compare_fraction(model, key):
    """Differences of the mean evidence of tiles, in part minus whole."""
    whole, part = (
        TrackingClassifier(model),
        TrackingClassifier(model, fraction=FRACTION),
    )
    differences, tiles = [], []
    for index in range(N_MOSAICS):
        images = mosaic(jax.random.fold_in(key, index), N_IMAGES, 512)
        # Another order, or the same places were chosen every time.
        order = np.random.default_rng(index).permutation(N_IMAGES)
        images = [images[place] for place in order]
        results = whole(images), part(images)
        tiles.append([len(result.tiles) for result in results])
        differences.append(mean_evidence(results[1]) - mean_evidence(results[0]))
    differences = np.array(differences)
    return differences[np.isfinite(differences)], np.array(tiles)


def main(args):
    """Measure and report."""
    classifiers = {}
    for model in args.models:
        classifier = TrackingClassifier(model)
        classifiers[classifier.model_card.name] = classifier
    shared.print_header(
        f"Speed on a mosaic of {N_CCDS} CCDs of {SIDE} x {SIDE} pixels",
        [classifier._model for classifier in classifiers.values()],
    )
    key = jax.random.fold_in(jax.random.key(shared.TEST_KEY), 101)
    # The same few CCDs over and over.
    few = mosaic(key, 8, SIDE)
    images = [few[index % len(few)] for index in range(N_CCDS)]
    speeds = time_models(classifiers, images, args.number)
    print(f"Mpix/s, {args.number} rounds: median, lowest to highest")
    for name, values in speeds.items():
        print(f"  {name:20s} {median(values):7.2f}, ", end="")
        print(f"{min(values):.2f} to {max(values):.2f}")
    ours, *others = speeds
    for other in others:
        ratios = [a / b for a, b in zip(speeds[ours], speeds[other], strict=True)]
        print(f"{ours} over {other}, round by round: {median(ratios):.2f} "
              f"({min(ratios):.2f} to {max(ratios):.2f})")  # fmt: skip
    differences, tiles = compare_fraction(args.models[0], jax.random.fold_in(key, 1))
    error = differences.std(ddof=1) / len(differences) ** 0.5
    print(f"\nfraction={FRACTION} on {len(differences)} mosaics of {N_IMAGES} images")
    print(f"  tiles looked at: {tiles[:, 1].sum()} of {tiles[:, 0].sum()}")
    print(f"  mean evidence of tiles, in part minus whole: {differences.mean():+.3f} "
          f"+- {error:.3f}")  # fmt: skip


if __name__ == "__main__":
    parser = shared.make_parser(__doc__, number=3)
    parser.set_defaults(models=[DEFAULT_TRACKING_MODEL, PUBLISHED])
    sys.exit(shared.run(main, parser.parse_args()))
