"""
Tracking errors on simulated exposures: ROC curves, blurs, calibration.

    python benchmarks/tracking_simulated.py --output-dir benchmarks/output/tracking \
        --figure docs/_static/benchmark_tracking.png

Exposures of 400 x 400 pixels, the size that the published network takes, are drawn
until there are so many of each: with an error that shows in every star, and with
none that shows. With fewer than three stars whose shape can be seen, nobody can tell;
the first of such exposures are counted apart, and so are the first of those whose
error may or may not show. Keys are none that training uses. Written are roc.txt,
blur.txt and calibration.txt.
"""

import sys
import warnings
from pathlib import Path

import jax
import numpy as np
import shared
from scipy.stats import mannwhitneyu
from tqdm import tqdm

from maximask_astro.evaluation import ScoreHistogram, reliability
from maximask_astro.inference import log_prior_factor, posterior_of
from maximask_astro.simulation import simulate_tracking
from maximask_astro.simulation.motion import KINDS
from maximask_astro.tracking import DEFAULT_TRACKING_MODEL, TrackingClassifier
from maximask_astro.training.tracking_steps import FEWEST_STARS
from maximask_astro.utils import MaximaskWarning

SHAPE = (400, 400)
PUBLISHED = "maxitrack-1.4.1"
PRIORS = (0.05, 0.2, 0.5)

_STREAM = 100
_BATCH = 8
_LARGEST_VALUE = 65535.0  # as in shared.py
_RATE = 1e-2
_LEAST = 4.0  # pixels; shorter blurs are not scored for length and angle
_OTHERS = 5  # one exposure of neither kind for so many of either

_NUMBERS = ("evidence", "judged", "length", "angle", "defocused")


def exposures(number):
    """
    Simulate until there are enough of both kinds.

    Yields
    ------
    image, truth : `~numpy.ndarray`, dict of str to float
        Also the first exposures that belong to neither kind.
    """
    key = jax.random.fold_in(jax.random.key(shared.TEST_KEY), _STREAM)
    counts, others = {0: 0, 2: 0}, 0
    index = 0
    with tqdm(total=2 * number, disable=None, leave=False) as bar:
        while min(counts.values()) < number:
            drawn = simulate_tracking(jax.random.fold_in(key, index), _BATCH, SHAPE)
            images, truth = jax.tree.map(np.asarray, drawn)
            for which, image in enumerate(images):
                values = {name: v[which] for name, v in truth._asdict().items()}
                kind = int(values["affected"])
                if kind in counts and values["n_stars"] >= FEWEST_STARS:
                    if counts[kind] == number:
                        continue
                    counts[kind] += 1
                    bar.update()
                elif others >= 2 * number / _OTHERS:
                    continue
                else:
                    others += 1
                scale = min(1.0, _LARGEST_VALUE / float(image.max()))
                yield image * np.float32(scale), values
            index += 1


def judge(classifier, image):
    """Numbers of a result."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MaximaskWarning)
        result = classifier(image)
    if not result.tiles:
        return 0.0, 0, np.nan, np.nan, np.nan
    return (
        result.evidence,
        result.n_tiles,
        result.blur_length.value,
        result.blur_angle.value,
        result.defocus_probability,
    )


def collect(classifiers, number):
    """Truth, and what each model says: arrays by name."""
    truths, found = [], {name: [] for name in classifiers}
    for image, truth in exposures(number):
        truths.append(truth)
        for name, classifier in classifiers.items():
            found[name].append(judge(classifier, image))
    truth = {name: np.array([each[name] for each in truths]) for name in truths[0]}
    return truth, {
        name: dict(zip(_NUMBERS, np.array(rows, float).T, strict=True))
        for name, rows in found.items()
    }


def roc(evidence, positive):
    """
    False- and true-positive rates at every threshold, exactly.

    Not from a histogram: the published network's log odds go far beyond any range
    that one would have.
    """
    bad, good = np.sort(evidence[positive]), np.sort(evidence[~positive])
    # So many good exposures pass as are above the threshold, one of the values.
    thresholds = np.unique(evidence)[::-1]
    passed = [
        (len(values) - np.searchsorted(values, thresholds, side="right"))
        / max(len(values), 1)
        for values in (good, bad)
    ]
    return passed[0], passed[1]


def rates(evidence, positive):
    """Area under the ROC curve and the true-positive rate at `_RATE`."""
    bad, good = evidence[positive], evidence[~positive]
    if not (len(bad) and len(good)):
        return np.nan, np.nan
    area = mannwhitneyu(bad, good).statistic / (len(bad) * len(good))
    false_positive, true_positive = roc(evidence, positive)
    return area, true_positive[false_positive <= _RATE].max()


def print_roc(truth, found, number):
    """Tables of areas and rates, for all exposures and for parts of them."""
    enough = truth["n_stars"] >= FEWEST_STARS
    affected = truth["affected"] == 2
    clear = enough & (truth["affected"] != 1)
    ratio = truth["length"] / truth["fwhm"]
    parts = {f"all, {number} of each": clear}
    for low, high in ((3, 5), (5, 10), (10, 30), (30, np.inf)):
        stars = (truth["n_stars"] >= low) & (truth["n_stars"] < high)
        parts[f"{low} to {high - 1:g} stars"] = clear & stars
    for low, high in ((1.5, 2), (2, 4), (4, np.inf)):
        long = (ratio >= low) & (ratio < high)
        parts[f"blur of {low} to {high} widths"] = clear & (long | ~affected)
    for index, kind in enumerate(KINDS):
        parts[kind] = clear & ((truth["kind"] == index) | ~affected)
    parts["out of focus"] = clear & truth["defocused"]
    parts["in focus"] = clear & ~truth["defocused"]
    print(f"{'':26s} {'bad':>6s} {'good':>6s}", end="")
    for name in found:
        print(f"  {name:>18s}", end="")
    print(f"\n{'':40s}" + f"  {'AUC':>8s} {'TPR':>9s}" * len(found))
    for label, chosen in parts.items():
        bad, good = (chosen & affected).sum(), (chosen & ~affected).sum()
        print(f"{label:26s} {bad:6d} {good:6d} ", end="")
        for values in found.values():
            area, rate = rates(values["evidence"][chosen], affected[chosen])
            print(f"  {area:8.4f} {rate:9.4f}", end="")
        print()
    print(f"\nTPR: true-positive rate at a false-positive rate of {_RATE:g}.")
    print("Parts by length or kind of the blur are compared with all good exposures.")
    print(
        "Width: FWHM of a star that does not move, by seeing, defocus, coma and pixels."
    )
    print("\nUndecided, of exposures with             at least 3 stars, fewer")
    for name, values in found.items():
        undecided = values["judged"] == 0
        print(f"  {name:36s}   {undecided[enough].mean():8.4f}        ", end="")
        print(f"{undecided[~enough].mean():8.4f}  ({(~enough).sum()} exposures)")
    print("\nFalsely called affected at the default prior 0.05 and threshold 0.5, of")
    print("good exposures; found, of bad ones; called affected, of those between:")
    for name, values in found.items():
        called = (posterior_of(values["evidence"], 0.05) > 0.5) & (values["judged"] > 0)
        good, bad = clear & ~affected, clear & affected
        between = enough & (truth["affected"] == 1)
        shares = [called[part].mean() for part in (good, bad, between)]
        print(f"  {name:36s}   {shares[0]:.5f}  {shares[1]:.5f}  {shares[2]:.5f}")
    defocused = truth["defocused"]
    print("\nOut of focus, area under the ROC curve:")
    for name, values in found.items():
        if np.isfinite(values["defocused"]).any():
            known = enough & np.isfinite(values["defocused"])
            odds = np.log(values["defocused"][known])
            odds = odds - np.log1p(-values["defocused"][known])
            print(f"  {name:36s}   {rates(odds, defocused[known])[0]:.4f}")


def print_blur(truth, found):
    """Errors of length and angle."""
    seen = (truth["affected"] == 2) & (truth["n_stars"] >= FEWEST_STARS)
    seen &= truth["length"] > _LEAST
    print(f"Median errors for blurs over {_LEAST:g} pixels that show, 3 stars or more")
    print(f"{'':28s} {'number':>7s}  {'length':>8s}  {'angle':>8s}  {'undecided':>9s}")
    for name, values in found.items():
        if not np.isfinite(values["length"]).any():
            continue
        print(name)
        for label, chosen in (
            *((kind, seen & (truth["kind"] == i)) for i, kind in enumerate(KINDS)),
            ("all", seen),
        ):
            known = chosen & (values["judged"] > 0)
            error = values["length"][known] / truth["length"][known] - 1
            turned = values["angle"][known] - np.degrees(truth["angle"][known])
            turned = np.abs((turned + 90) % 180 - 90)
            undecided = (~known[chosen]).mean()
            print(f"  {label:26s} {chosen.sum():7d}  {np.median(np.abs(error)):8.1%}  "
                  f"{np.median(turned):6.2f} deg  {undecided:7.1%}")  # fmt: skip
    print("\nLength: that of a uniform drift with the same second moment along the")
    print("principal axis. For a rotation: of the blur in the middle of the exposure.")


def histogram_of(evidence, positive):
    """Counted log odds at a prior of one half."""
    histogram = ScoreHistogram(1)
    histogram.add(evidence[:, None], positive[:, None])
    return histogram


def print_calibration(truth, found):
    """Calibration errors, and what the prior update does."""
    clear = (truth["n_stars"] >= FEWEST_STARS) & (truth["affected"] != 1)
    affected = truth["affected"][clear] == 2
    random = np.random.default_rng(0)
    print("Expected calibration error (15 bins), with as many bad as good exposures,")
    print("and the mean posterior probability on sets drawn with a prior, for it")
    for name, values in found.items():
        evidence = values["evidence"][clear]
        result = reliability(histogram_of(evidence, affected), fractions=[0.5])
        print(f"\n{name}: {result.expected_calibration_error[0]:.4f}")
        for prior in PRIORS:
            good, bad = np.flatnonzero(~affected), np.flatnonzero(affected)
            number = round(len(good) * prior / (1 - prior))
            drawn = np.concatenate([good, random.permutation(bad)[:number]])
            posterior = posterior_of(evidence[drawn], prior)
            share = affected[drawn].mean()
            shifted = reliability(
                histogram_of(evidence, affected),
                fractions=[prior],
                log_factors=[log_prior_factor(0.5, prior)],
            )
            print(f"  prior {prior:4.2f}: {len(drawn)} exposures, {share:.4f} of them "
                  f"bad; mean posterior {posterior.mean():.4f}, calibration error "
                  f"{shifted.expected_calibration_error[0]:.4f}")  # fmt: skip


def draw(truth, found, path):
    """ROC curves and reliability diagrams."""
    from matplotlib import pyplot as plt

    clear = (truth["n_stars"] >= FEWEST_STARS) & (truth["affected"] != 1)
    affected = truth["affected"][clear] == 2
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    for color, (name, values) in shared.with_colors(found.items()):
        histogram = histogram_of(values["evidence"][clear], affected)
        false_positive, true_positive = roc(values["evidence"][clear], affected)
        left.plot(false_positive, true_positive, color=color, label=name)
        result = reliability(histogram, fractions=[0.5])
        full = result.weights[0] > 0
        right.plot(result.predicted[0][full], result.observed[0][full], ".-",
                   color=color, label=name)  # fmt: skip
    left.set(xscale="log", xlim=(1e-3, 1), ylim=(0, 1.02),
             xlabel="false-positive rate", ylabel="true-positive rate")  # fmt: skip
    right.plot([0, 1], [0, 1], ":", color="0.4")
    right.set(xlabel="probability, prior 0.5", ylabel="observed fraction")
    for ax in (left, right):
        ax.grid(alpha=0.3)
        ax.legend()
    shared.save_figure(figure, path)


def main(args):
    """Judge once, and write three reports."""
    classifiers = {}
    for model in args.models:
        classifier = TrackingClassifier(model)
        classifiers[classifier.model_card.name] = classifier
    truth, found = collect(classifiers, args.number)
    models = [classifier._model for classifier in classifiers.values()]
    for name, title, report in (
        ("roc", "Tracking errors", lambda: print_roc(truth, found, args.number)),
        ("blur", "Length and angle of blurs", lambda: print_blur(truth, found)),
        ("calibration", "Calibration", lambda: print_calibration(truth, found)),
    ):
        args.output = args.output_dir / f"{name}.txt"

        def write(_, title=title, report=report):
            shared.print_header(
                f"{title} on simulated exposures of {SHAPE[0]} x {SHAPE[1]} pixels",
                models,
            )
            report()

        shared.run(write, args)
    if args.figure is not None:
        draw(truth, found, args.figure)


if __name__ == "__main__":
    parser = shared.make_parser(__doc__, number=5000)
    parser.set_defaults(models=[DEFAULT_TRACKING_MODEL, PUBLISHED])
    parser.add_argument(
        "--output-dir", type=Path, default=Path("benchmarks/output/tracking")
    )
    sys.exit(main(parser.parse_args()))
