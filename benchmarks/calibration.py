"""
Whether probabilities are what they say, before and after the prior update.

On the all-contaminant set of ``table7.py`` with a wide range of strengths::

    python benchmarks/calibration.py --models maximask-1.4.1 \
        --output benchmarks/output/calibration.txt \
        --figure docs/_static/benchmark_calibration.png

Three cases: the network's probabilities on the set as it is; the same on a sky
with the default priors (pixels that are of a class, and those that are not, are
weighted so that the class has its default prior); and, on that sky, the
probabilities updated to it from the training priors of the model's card
(equation 26 of Paillassa, Bertin & Bouy 2020, A&A 634, A48).
"""

import sys

import numpy as np
import shared
from curves import PRIORS, log_factors

from maximask_astro.evaluation import reliability
from maximask_astro.flags import ABBREVIATIONS

# Bins of a unit of log odds, for the diagram: rare classes live below 0.001.
_ODDS = np.arange(-16.0, 16.5)
LOG_EDGES = np.concatenate([[0], 1 / (1 + np.exp(-_ODDS)), [1]])

_LEAST = 50  # pixels of and not of the class, for a point of the diagram


def cases(histogram, factors, edges=None):
    """The three cases, each a `~maximask_astro.evaluation.Reliability`."""
    return (
        reliability(histogram, edges=edges),
        reliability(histogram, edges=edges, fractions=PRIORS),
        reliability(histogram, edges=edges, fractions=PRIORS, log_factors=factors),
    )


def print_model(evaluator, histogram):
    """One row a class."""
    factors = log_factors(evaluator.card)
    results = cases(histogram, factors)
    print(evaluator.card.name)
    print("         fraction of pixels           the set as it is   "
          "default priors,    default priors,")  # fmt: skip
    print("                                      raw                "
          "raw                updated")  # fmt: skip
    print("  class  set       training  default    ECE      excess  "
          "  ECE      excess    ECE      excess")  # fmt: skip
    for index, name in enumerate(ABBREVIATIONS):
        training = evaluator.card.training_priors[name]
        columns = "".join(
            f"  {result.expected_calibration_error[index]:>8.1e} "
            f"{result.excess[index]:>8.3g}"
            for result in results
        )
        print(f"  {name:<5s}  {histogram.fractions[index]:<8.2e}  {training:<8.1e}  "
              f"{PRIORS[index]:<8.1e}{columns}")  # fmt: skip
    means = "".join(
        f"  {np.nanmean(result.expected_calibration_error):>8.1e} {'':>8s}"
        for result in results
    )
    print(f"  mean{'':>31s}{means}\n")


def usable(histogram, index, shift):
    """Bins of the diagram in which enough pixels of both kinds were counted."""
    probability = 1 / (1 + np.exp(shift - histogram.centers))
    place = np.searchsorted(LOG_EDGES, probability, side="right") - 1
    place = np.clip(place, 0, len(LOG_EDGES) - 2)
    return np.all(
        [
            np.bincount(place, weights=counts, minlength=len(LOG_EDGES) - 1) >= _LEAST
            for counts in histogram.counts[index]
        ],
        axis=0,
    )


def draw(histograms, evaluators, path):
    """Reliability diagrams with axes of log odds."""
    figure, axes, legend = shared.class_panels(
        "Reliability: observed fraction against probability (axes of log odds); "
        "dashed: raw, the set as it is; solid: updated, default priors"
    )
    for color, (name, histogram) in shared.with_colors(histograms.items()):
        factors = log_factors(evaluators[name].card)
        before, _, after = cases(histogram, factors, LOG_EDGES)
        for style, shift, result in (
            ("--", 0 * factors, before),
            ("-", factors, after),
        ):
            for index, ax in enumerate(axes):
                good = usable(histogram, index, shift[index])
                x = np.where(good, result.predicted[index], np.nan)
                y = np.where(good, result.observed[index], np.nan)
                ax.plot(x, y, style, color=color, lw=1.3, marker=".", ms=4)
        legend.plot([], [], color=color, label=name)
    legend.plot([], [], ":", color="0.4", label="what they should be")
    line = 1 / (1 + np.exp(-_ODDS))
    ticks = [1e-6, 1e-4, 1e-2, 0.5, 0.99, 0.9999]
    for ax in axes:
        ax.plot(line, line, ":", color="0.4")
        ax.set(xscale="logit", yscale="logit", xlim=(1e-7, 1 - 1e-5),
               ylim=(1e-7, 1 - 1e-5))  # fmt: skip
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks], fontsize=7)
            axis.set_ticks([], minor=True)
    legend.legend(loc="center", frameon=False)
    shared.save_figure(figure, path)


def main(args):
    """Print the tables and draw the figure."""
    evaluators = shared.load_evaluators(args.models)
    shared.print_header(
        f"Calibration on {args.number} simulated exposures with all contaminants\n"
        "(ECE: expected calibration error, 15 bins; excess: pixels predicted over "
        "pixels there are)",
        [evaluator.model for evaluator in evaluators.values()],
    )
    everything = shared.ExposureSet("all contaminants", args.number)
    histograms = shared.score(evaluators, everything, args.cache)
    for name, histogram in histograms.items():
        print_model(evaluators[name], histogram)
    if args.figure is not None:
        draw(histograms, evaluators, args.figure)


if __name__ == "__main__":
    parser = shared.make_parser(__doc__, number=200)
    parser.add_argument("--cache", help="directory where counts are kept")
    sys.exit(shared.run(main, parser.parse_args()))
