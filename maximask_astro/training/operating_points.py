"""Where on its ROC curve a model works: points and thresholds for its card."""

import numpy as np

from maximask_astro.evaluation import best_thresholds
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.inference import log_prior_factor
from maximask_astro.training.priors import DEFAULT_PRIORS

__all__ = ["roc_points", "thresholds_of"]

_RATES = np.logspace(-6, 0, 37)

# Least purity in a night: a user looks at what is found, and leaves what is called
# wrongly too often. Lines and single pixels are so rare that a half is much.
_LEAST_PURITY = {
    "BBG": 0.0,
    "BG": 0.0,
    **dict.fromkeys(("HCL", "DCL", "HP", "DP"), 0.5),
}
_USUAL_PURITY = 0.8

# Thresholds are compared in single precision, where more would round to 1.
_HIGHEST = float(np.nextafter(np.float32(1), np.float32(0)))


def roc_points(histogram, number):
    """
    Pick points of a ROC curve for a model card.

    Parameters
    ----------
    histogram : `~maximask_astro.evaluation.ScoreHistogram`
        Counted pixels.

    number : int
        Number of the class.

    Returns
    -------
    points : dict of str to list of float
        ``fpr``, ``tpr`` and ``logit`` from the lowest false-positive rate that
        ten pixels or more stand for, at least 1e-6, to 1. None if the class has
        no positives or no negatives.
    """
    true_positive, false_positive = (rates[number] for rates in histogram.rates())
    negatives = histogram.counts[number, 0].sum()
    if np.isnan(true_positive[-1] + false_positive[-1]):
        return None
    # The lowest threshold at which no more than this rate passes.
    wanted = _RATES[10 / negatives <= _RATES]
    index = np.searchsorted(false_positive, wanted, side="right") - 1
    index = np.unique(index[false_positive[index] > 0])
    index = index[np.unique(false_positive[index], return_index=True)[1]]
    finite = np.clip(histogram.thresholds, *histogram.centers[[0, -1]])
    return {
        "fpr": [float(f"{value:.4g}") for value in false_positive[index]],
        "tpr": [round(float(value), 5) for value in true_positive[index]],
        "logit": [round(float(value), 3) for value in finite[index]],
    }


def thresholds_of(histogram, priors):
    """
    Find the thresholds for the default priors, to which probabilities are updated.

    Those with the largest Matthews coefficient in a sky where each class has its
    default prior, among those with which at least 80% of the pixels that are called so
    are right, or 50% for lines and single pixels; if there are none, the purest.

    Parameters
    ----------
    histogram : `~maximask_astro.evaluation.ScoreHistogram`
        Counted pixels; those without a class are to be of nights, in which what
        resembles it is as rare as in the sky.

    priors : dict of str to float
        Training priors.

    Returns
    -------
    thresholds : dict of str to float
        Of the posterior probability; classes without positives or negatives
        are left out.
    """
    defaults = np.array([DEFAULT_PRIORS[name] for name in ABBREVIATIONS])
    trained = np.array([priors[name] for name in ABBREVIATIONS])
    factors = log_prior_factor(trained, defaults)
    least = [_LEAST_PURITY.get(name, _USUAL_PURITY) for name in ABBREVIATIONS]
    best, _ = best_thresholds(histogram, defaults, factors, least)
    return {
        name: float(f"{min(value, _HIGHEST):.8g}")
        for name, value in zip(ABBREVIATIONS, best, strict=True)
        if np.isfinite(value)
    }
