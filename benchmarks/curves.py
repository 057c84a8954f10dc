"""
ROC, Matthews' coefficient and purity of each class (figures A.1 to A.3).

On the all-contaminant set of ``table7.py`` with a wide range of strengths::

    python benchmarks/curves.py --models maximask-1.4.1 \
        --output benchmarks/output/curves.txt --figure docs/_static/benchmark.png

The figure's name gets ``_roc``, ``_mcc`` and ``_purity`` before its suffix. The
coefficient is that after the update to the default priors, with the pixels
weighted so that each class has its default prior; rates do not depend on it.
Purity is that of the set as it is.
"""

import sys

import numpy as np
import shared

from maximask_astro.evaluation import (
    best_thresholds,
    completeness_at,
    matthews_coefficient,
    purity,
)
from maximask_astro.flags import ABBREVIATIONS, CLASSES
from maximask_astro.inference import log_prior_factor

PRIORS = np.array([flag.prior for flag in CLASSES])


def log_factors(card, priors=PRIORS):
    """Shift of each class's logit to other priors."""
    training = [card.training_priors[name] for name in ABBREVIATIONS]
    return log_prior_factor(training, priors)


def at_threshold(histogram, index, logit):
    """Coefficient, completeness and purity of a class above a logit."""
    column = int(np.argmin(np.abs(histogram.thresholds - logit)))
    completeness, _ = histogram.rates()
    return (
        matthews_coefficient(histogram, PRIORS)[index, column],
        completeness[index, column],
        purity(histogram, PRIORS)[index, column],
    )


def print_model(evaluator, histogram):
    """One row a class."""
    card = evaluator.card
    factors = log_factors(card)
    # Its thresholds are for its own default priors.
    own_factors = log_factors(card, [card.prior(name) for name in ABBREVIATIONS])
    thresholds, best = best_thresholds(histogram, PRIORS, factors)
    rates = [completeness_at(histogram, rate) for rate in (1e-2, 1e-3, 1e-4)]
    print(f"{card.name}")
    print("             completeness at FP rates of  at the best MCC           "
          "    at the card's threshold")  # fmt: skip
    print("  class  AUC      1e-2   1e-3   1e-4   threshold  MCC   compl. purity"
          "   threshold  MCC   compl. purity")  # fmt: skip
    area = histogram.auc()
    for index, name in enumerate(ABBREVIATIONS):
        own = card.thresholds.get(name, CLASSES[index].threshold)
        columns = []
        for threshold, factor in (
            (thresholds[index], factors[index]),
            (own, own_factors[index]),
        ):
            with np.errstate(divide="ignore"):
                odds = np.log(threshold) - np.log1p(-threshold)
            values = at_threshold(histogram, index, odds + factor)
            columns.append(
                f"{threshold:>9.4f} {values[0]:>6.3f} {values[1]:>6.3f} "
                f"{values[2]:>6.3f}"
            )
        at_rates = "".join(f"{rate[index]:>7.3f}" for rate in rates)
        print(f"  {name:<4s}{area[index]:>9.5f}{at_rates}   {'   '.join(columns)}")
    mean = np.nanmean(best)
    print(f"  mean{np.mean(area):>9.5f}{'':>33s}{mean:>6.3f}\n")


def draw(histograms, evaluators, path):
    """The three figures."""
    curves = {
        "roc": "ROC: completeness against false positive rate",
        "mcc": "Matthews' coefficient against threshold (default priors)",
        "purity": "Purity against completeness (proportions of the test set)",
    }
    for kind, title in curves.items():
        figure, axes, legend = shared.class_panels(title)
        for color, (name, histogram) in shared.with_colors(histograms.items()):
            completeness, false_positive = histogram.rates()
            area = histogram.auc()
            pure = purity(histogram)
            matthews = matthews_coefficient(histogram, PRIORS)
            factors = log_factors(evaluators[name].card)
            for index, ax in enumerate(axes):
                if kind == "roc":
                    x, y = false_positive[index, 1:], completeness[index, 1:]
                    ax.set(xscale="log", xlim=(1e-5, 1), ylim=(0, 1.02))
                    label = f"{area[index]:.4f}"
                elif kind == "mcc":
                    x = 1 / (1 + np.exp(factors[index] - histogram.thresholds))
                    y = matthews[index]
                    best = int(np.argmax(np.nan_to_num(y, nan=-2)))
                    ax.plot(x[best], y[best], "o", color=color, ms=4)
                    ax.set(xlim=(0, 1), ylim=(0, 1.02))
                    label = f"{y[best]:.3f} at {x[best]:.2f}"
                else:
                    x, y = completeness[index], pure[index]
                    ax.set(xlim=(0, 1), ylim=(0, 1.02))
                    label = None
                ax.plot(x, y, color=color, lw=1.4, label=label)
                if label:
                    ax.legend(fontsize=8, loc="lower right" if kind == "roc" else None)
            legend.plot([], [], color=color, label=name)
        legend.legend(loc="center", frameon=False)
        shared.save_figure(figure, path.with_name(f"{path.stem}_{kind}{path.suffix}"))


def main(args):
    """Print the tables and draw the figures."""
    evaluators = shared.load_evaluators(args.models)
    shared.print_header(
        f"Curves on {args.number} simulated exposures with all contaminants "
        "(MCC, purity: default priors)",
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
