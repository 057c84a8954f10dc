"""Whether probabilities are what they say: reliability and calibration error."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Reliability", "reliability"]

_N_BINS = 15


@dataclass(frozen=True)
class Reliability:
    """
    Predicted probabilities against observed fractions.

    Parameters
    ----------
    predicted : `~numpy.ndarray`
        Shape (classes, bins): mean probability of the pixels in each bin; NaN
        for bins without pixels.

    observed : `~numpy.ndarray`
        Of the same shape: fraction of these pixels that are of the class.

    weights : `~numpy.ndarray`
        Of the same shape: fraction of all pixels that are in the bin; a class
        sums to 1, or is NaN if it has no positives or negatives to reweight.
    """

    predicted: np.ndarray
    observed: np.ndarray
    weights: np.ndarray

    @property
    def expected_calibration_error(self):
        r"""
        Mean distance between probability and observed fraction, one a class.

        .. math:: ECE = \sum_b w_b\,|p_b - o_b|

        for the weights, probabilities and observed fractions of the bins
        (Naeini, Cooper & Hauskrecht 2015, AAAI; Guo et al. 2017, ICML).
        """
        distance = np.abs(np.nan_to_num(self.predicted - self.observed))
        return (self.weights * distance).sum(axis=1)

    @property
    def excess(self):
        """Number of pixels predicted over the number observed, one a class."""
        weighted = (
            np.where(self.weights > 0, self.weights * values, 0.0).sum(axis=1)
            for values in (self.predicted, self.observed)
        )
        predicted, observed = weighted
        with np.errstate(invalid="ignore", divide="ignore"):
            return predicted / observed


def reliability(histogram, *, edges=None, fractions=None, log_factors=0.0):
    """
    Compare probabilities with the fraction of pixels that are of the class.

    With ``fractions`` and ``log_factors`` this is done for an update to new
    priors (equation 26 of Paillassa et al. 2020, A&A 634, A48): the logits are
    shifted, and the pixels that are of the class, and those that are not, are
    weighted so that the class has its new fraction.

    Parameters
    ----------
    histogram : `ScoreHistogram`
        Counted pixels.

    edges : array_like of float, optional
        Rising limits of the bins of probability, from 0 to 1; by default 15
        bins of the same width.

    fractions : array_like of float, optional
        Fraction of pixels that are of each class, one a class; by default that
        of the counted pixels.

    log_factors : array_like of float, optional
        What is subtracted from the logit of each class, from
        `maximask_astro.inference.log_prior_factor`.

    Returns
    -------
    result : `Reliability`
        One row a class, one column a bin.

    Raises
    ------
    ValueError
        The edges do not rise from 0 to 1.
    """
    edges = np.linspace(0, 1, _N_BINS + 1) if edges is None else np.asarray(edges)
    if edges[0] != 0 or edges[-1] != 1 or np.any(np.diff(edges) <= 0):
        raise ValueError("The edges of bins of probability must rise from 0 to 1.")
    n_classes, n_bins = len(histogram.counts), len(edges) - 1
    shifts = np.broadcast_to(np.asarray(log_factors, float), n_classes)
    if fractions is None:
        fractions = histogram.fractions
    fractions = np.broadcast_to(np.asarray(fractions, float), n_classes)

    sums = np.zeros((3, n_classes, n_bins))  # all, of the class, probability
    for index, (no, yes) in enumerate(histogram.counts):
        with np.errstate(invalid="ignore"):
            no = no / no.sum() * (1 - fractions[index])
            yes = yes / yes.sum() * fractions[index]
        if fractions[index] in (0, 1):  # nothing to weight on one side
            no, yes = np.nan_to_num(no), np.nan_to_num(yes)
        probability = 1 / (1 + np.exp(shifts[index] - histogram.centers))
        place = np.searchsorted(edges, probability, side="right") - 1
        place = np.clip(place, 0, n_bins - 1)
        for target, values in zip(
            sums, (no + yes, yes, (no + yes) * probability), strict=True
        ):
            target[index] = np.bincount(place, weights=values, minlength=n_bins)
    weights, observed, predicted = sums
    with np.errstate(invalid="ignore"):
        return Reliability(predicted / weights, observed / weights, weights)
