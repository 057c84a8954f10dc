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
    # A night has too few positives to count, and others are as hard to find.
    together = ScoreHistogram(len(ABBREVIATIONS))
    together.counts[:, 0] = night.histogram.counts[:, 0]
    together.counts[:, 1] = full.histogram.counts[:, 1]
    priors = model.card.training_priors
    thresholds = thresholds_of(together, priors)
    curves = {n: roc_points(together, i) for i, n in enumerate(ABBREVIATIONS)}
    return {
        "thresholds": thresholds,
        "roc": {name: curve for name, curve in curves.items() if curve},
        "spread": spread_tables(full, presented_factors(full, priors)),
        "figures": {
            "validation": _by_name(full.histogram.auc()),
            **_at_thresholds("night", together, thresholds, priors, default=True),
            **_at_thresholds("dirty", full.histogram, thresholds, priors),
        },
    }


def _by_name(values):
    pairs = zip(ABBREVIATIONS, values, strict=True)
    return {name: round(float(value), 5) for name, value in pairs if np.isfinite(value)}


def _at_thresholds(name, histogram, thresholds, priors, *, default=False):
    """Completeness and purity of each class at thresholds, of posteriors."""
    defaults = np.array([DEFAULT_PRIORS[n] for n in ABBREVIATIONS])
    trained = np.array([priors[n] for n in ABBREVIATIONS])
    logits = [
        logit(np.float64(thresholds.get(n, np.nan))) + factor
        for n, factor in zip(
            ABBREVIATIONS, log_prior_factor(trained, defaults), strict=True
        )
    ]
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
