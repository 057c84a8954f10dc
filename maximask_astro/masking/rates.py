"""Thresholds that are given as false-positive rates."""

import re
from collections.abc import Mapping

import numpy as np
from scipy.special import expit

from maximask_astro.inference import log_prior_factor
from maximask_astro.weights import logit_at_rate

__all__ = ["has_rates", "is_rate", "parse_rate", "threshold_at_rate"]

_PATTERN = re.compile(r"\s*fpr\s*=\s*(?P<number>\S+)\s*", re.IGNORECASE)

# The engine compares in single precision, where more would round to 1.
_HIGHEST = float(np.nextafter(np.float32(1), np.float32(0)))


def is_rate(value):
    """
    Whether a threshold is meant as a false-positive rate.

    Parameters
    ----------
    value : object
        What was given as a threshold.

    Returns
    -------
    rate : bool
        Whether it is a str of the form ``'fpr=...'``.
    """
    return isinstance(value, str) and _PATTERN.fullmatch(value) is not None


def has_rates(thresholds):
    """
    Whether any threshold is meant as a false-positive rate.

    Parameters
    ----------
    thresholds : object
        What was given as thresholds: one, or a mapping.

    Returns
    -------
    found : bool
        Whether there is one.
    """
    if isinstance(thresholds, Mapping):
        return any(is_rate(value) for value in thresholds.values())
    return is_rate(thresholds)


def parse_rate(text):
    """
    Read a false-positive rate.

    Parameters
    ----------
    text : str
        Such as ``'fpr=1e-3'``.

    Returns
    -------
    rate : float
        In (0, 1].

    Raises
    ------
    ValueError
        It is no such number.
    """
    try:
        rate = float(_PATTERN.fullmatch(text)["number"])
    except ValueError:
        rate = np.nan
    if not 0 < rate <= 1:
        raise ValueError(
            f"The threshold {text!r} must be fpr= and a number from 0 (excluded) to 1."
        )
    return rate


def threshold_at_rate(card, name, rate, prior=None):
    """
    Find the threshold at which a class has a false-positive rate.

    Parameters
    ----------
    card : `~maximask_astro.weights.ModelCard`
        Card of the model, with a ROC curve of the class.

    name : str
        Abbreviation of the class.

    rate : float
        False-positive rate, in (0, 1].

    prior : float, optional
        Prior that probabilities are updated to; by default they are those of
        the network.

    Returns
    -------
    threshold : float
        Of the posterior probability, in [0, 1).

    Raises
    ------
    InputError
        The card has no such curve, or it does not reach so far.
    """
    logit = logit_at_rate(card, name, rate)
    trained = card.training_priors.get(name)
    if prior is not None and trained is not None:
        logit -= float(log_prior_factor(trained, prior))
    return min(float(expit(logit)), _HIGHEST)
