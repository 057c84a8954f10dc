"""What the card of a masker says: priors, tiles, ROC points and thresholds."""

import numpy as np
from scipy.special import logit

from maximask_astro.evaluation import ScoreHistogram, purity
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.inference import log_prior_factor
from maximask_astro.training.nights import (
    count_exposures,
    presented_factors,
    spread_tables,
)
from maximask_astro.training.operating_points import roc_points, thresholds_of
from maximask_astro.training.priors import DEFAULT_PRIORS
from maximask_astro.training.reach import measure_reach

__all__ = ["describe", "measure"]

# So often thresholds of rivals are found anew, each with the other's.
_ROUNDS = 5


def describe(recipe, network, groups):
    """
    Tell what the network takes and gives.

    Parameters
    ----------
    recipe : `Recipe`
        The recipe.

    network : `keras.Model`
        Its network.

    groups : dict of str to list of array
        From the checkpoint.

    Returns
    -------
    entries : dict
        Of the card.
    """
    (presented,) = groups["priors"]
    stride, halo = measure_reach(recipe.architecture, recipe.options)
    # The frame itself is of any size.
    block = (recipe.crop or recipe.size) // stride * stride
    return {
        "classes": ABBREVIATIONS,
        "normalization": "photutils",
        "input": {"block": block, "stride": stride, "halo": halo},
        "priors": dict(DEFAULT_PRIORS),
        "training_priors": {
            name: float(f"{value:.4g}")
            for name, value in zip(ABBREVIATIONS, presented, strict=True)
        },
    }


def measure(model, recipe, number, progress_bar, *, fractions, skies=None):
    """
    Measure how good a model is on exposures that training has not seen.

    Parameters
    ----------
    model : `~maximask_astro.weights.LoadedModel`
        The model.

    recipe : `Recipe`
        Its recipe.

    number : int
        How many exposures are simulated, for a night and for exposures that are full
        of contaminants.

    progress_bar : bool
        Whether to show a progress bar over exposures.

    fractions : mapping of str to float
        Fraction of the pixels of the latter that have each class.

    skies : list of `~maximask_astro.training.skies.Sky`, optional
        Real skies that training has not seen, for half of the exposures.

    Returns
    -------
    entries : dict
        Of the card.
    """
    options = {"skies": skies, "progress_bar": progress_bar}
    full = count_exposures(model, recipe, number, **options)
    night = count_exposures(model, recipe, number, fractions=fractions, **options)
    priors = model.card.training_priors
    together, dirty, thresholds = _with_rivals(night, full, priors)
    curves = {n: roc_points(together, i) for i, n in enumerate(ABBREVIATIONS)}
    return {
        "thresholds": thresholds,
        "roc": {name: curve for name, curve in curves.items() if curve},
        "spread": spread_tables(full, presented_factors(full, priors)),
        "figures": {
            "validation": _by_name(full.histogram.auc()),
            **_at_thresholds("night", together, thresholds, priors, default=True),
            **_at_thresholds("dirty", dirty, thresholds, priors),
        },
    }


def _by_name(values):
    pairs = zip(ABBREVIATIONS, values, strict=True)
    return {name: round(float(value), 5) for name, value in pairs if np.isfinite(value)}


def _with_rivals(night, full, priors):
    """
    Find thresholds for what is called after rivals have been compared.

    Gives the histograms of a night and of exposures full of contaminants for these, and
    the thresholds. Those of rivals depend on each other.
    """
    histograms = night.histogram, full.histogram
    for _ in range(_ROUNDS):
        thresholds = thresholds_of(_together(*histograms), priors)
        limits = _limits(thresholds, priors)
        histograms = [
            counts.rivals.applied(counts.histogram, limits) for counts in (night, full)
        ]
    # What these thresholds give, whether or not the next would differ.
    return _together(*histograms), histograms[1], thresholds


def _together(night, full):
    """A night, but for its positives: too few to count, and others are as hard."""
    together = ScoreHistogram(len(ABBREVIATIONS))
    together.counts[:, 0], together.counts[:, 1] = night.counts[:, 0], full.counts[:, 1]
    return together


def _limits(thresholds, priors):
    """Thresholds of posteriors at the default priors as those of logits."""
    defaults = np.array([DEFAULT_PRIORS[n] for n in ABBREVIATIONS])
    trained = np.array([priors[n] for n in ABBREVIATIONS])
    posteriors = np.array([thresholds.get(n, np.nan) for n in ABBREVIATIONS])
    return logit(posteriors) + log_prior_factor(trained, defaults)


def _at_thresholds(name, histogram, thresholds, priors, *, default=False):
    """Completeness and purity of each class at thresholds, of posteriors."""
    defaults = np.array([DEFAULT_PRIORS[n] for n in ABBREVIATIONS])
    logits = _limits(thresholds, priors)
    complete, _ = histogram.rates()
    pure = purity(histogram, defaults if default else None)
    # Thresholds fall; the last that is not below what is wanted.
    places = [
        min(np.searchsorted(-histogram.thresholds, -value), len(pure[0]) - 1)
        for value in logits
    ]
    return {
        f"{name}_{what}": _by_name(
            [row[i] for row, i in zip(rows, places, strict=True)]
        )
        for what, rows in (("completeness", complete), ("purity", pure))
    }
