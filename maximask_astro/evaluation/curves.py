r"""
Curves that follow from a `ScoreHistogram`, for any class proportions.

A test set rarely has the class proportions of the sky. True and false positive
rates do not depend on them; purity and Matthews' coefficient do, and follow
from the rates. With :math:`n` the fraction of pixels that are of the class,
and :math:`r_t, r_f` the rates,

.. math::

    TP = n\,r_t,\quad FN = n\,(1 - r_t),\quad
    FP = (1 - n)\,r_f,\quad TN = (1 - n)\,(1 - r_f)

are the fractions of true positives, false negatives and so on among all pixels.
"""

import numpy as np

__all__ = ["best_thresholds", "completeness_at", "matthews_coefficient", "purity"]


# Pixels of a class that must be found before it counts how pure they are.
_FEWEST = 100


def _rates_and_fractions(histogram, fractions):
    completeness, false_positive = histogram.rates()
    if fractions is None:
        fractions = histogram.fractions
    fractions = np.broadcast_to(np.asarray(fractions, float), len(completeness))
    if np.any((fractions < 0) | (fractions > 1)):
        raise ValueError(f"Fractions must be between 0 and 1, not {fractions}.")
    return completeness, false_positive, fractions[:, None]


def purity(histogram, fractions=None):
    r"""
    Purity of each class at all thresholds.

    Equation 21 of Paillassa et al. (2020, A&A 634, A48):

    .. math:: PUR = \frac{TP}{TP + FP}

    Parameters
    ----------
    histogram : `ScoreHistogram`
        Counted pixels.

    fractions : array_like of float, optional
        Fraction of pixels that are of each class, where purity is wanted; by
        default that of the counted pixels.

    Returns
    -------
    purity : `~numpy.ndarray`
        Shape (classes, thresholds), from the highest threshold to the lowest,
        as `ScoreHistogram.rates` and `ScoreHistogram.thresholds` are; NaN
        where no pixel is above the threshold.

    Raises
    ------
    ValueError
        A fraction is not between 0 and 1.
    """
    completeness, false_positive, n = _rates_and_fractions(histogram, fractions)
    right, wrong = n * completeness, (1 - n) * false_positive
    with np.errstate(invalid="ignore"):
        return right / (right + wrong)


def matthews_coefficient(histogram, fractions=None):
    r"""
    Matthews' correlation coefficient of each class at all thresholds.

    Equation 22 of Paillassa et al. (2020, A&A 634, A48), after Matthews (1975,
    Biochim. Biophys. Acta 405, 442):

    .. math::

        MCC = \frac{TP \cdot TN - FP \cdot FN}
              {\sqrt{(TP + FP)(TP + FN)(TN + FP)(TN + FN)}}

    Parameters
    ----------
    histogram : `ScoreHistogram`
        Counted pixels.

    fractions : array_like of float, optional
        Fraction of pixels that are of each class, where the coefficient is
        wanted; by default that of the counted pixels.

    Returns
    -------
    coefficient : `~numpy.ndarray`
        In [-1, 1], shape (classes, thresholds), from the highest threshold to
        the lowest; 0 where all pixels or none are above the threshold, NaN for
        classes without positives or negatives.

    Raises
    ------
    ValueError
        A fraction is not between 0 and 1.
    """
    completeness, false_positive, n = _rates_and_fractions(histogram, fractions)
    above = n * completeness + (1 - n) * false_positive
    below = n * (1 - completeness) + (1 - n) * (1 - false_positive)
    # What is left of the definition when the fractions are put in.
    difference = np.sqrt(n * (1 - n)) * (completeness - false_positive)
    spread = np.sqrt(above * below)
    empty = spread == 0
    return np.where(empty, 0.0 * difference, difference / np.where(empty, 1, spread))


def best_thresholds(histogram, fractions=None, log_factors=0.0, least_purity=0.0):
    """
    Threshold of each class at which Matthews' coefficient is largest.

    Among those that are pure enough; if none is, that with the largest purity.

    Parameters
    ----------
    histogram : `ScoreHistogram`
        Counted pixels.

    fractions : array_like of float, optional
        Fraction of pixels that are of each class, where the thresholds are to
        be used; by default that of the counted pixels.

    log_factors : array_like of float, optional
        What is subtracted from the logit of each class to get the posterior
        probability to which the threshold is applied; from
        `maximask_astro.inference.log_prior_factor`.

    least_purity : array_like of float, optional
        In [0, 1]: what is pure enough, for all classes or one a class.

    Returns
    -------
    thresholds : `~numpy.ndarray`
        Posterior probabilities, one a class; NaN for classes without positives
        or negatives.

    coefficients : `~numpy.ndarray`
        Matthews' coefficient there.

    Raises
    ------
    ValueError
        A fraction is not between 0 and 1.
    """
    coefficients = matthews_coefficient(histogram, fractions)
    pure = np.nan_to_num(purity(histogram, fractions))
    # The purity of a few pixels is chance.
    right = np.pad(np.cumsum(histogram.counts[:, 1, ::-1], axis=1), ((0, 0), (1, 0)))
    pure = np.where(right >= _FEWEST, pure, 0.0)
    least = np.broadcast_to(least_purity, len(pure))[:, None]
    least = np.minimum(least, pure.max(axis=1, keepdims=True))
    allowed = np.where(pure >= least, coefficients, np.nan)
    best = np.argmax(np.nan_to_num(allowed, nan=-2.0), axis=1)
    found = np.take_along_axis(coefficients, best[:, None], axis=1)[:, 0]
    with np.errstate(over="ignore"):
        shifted = histogram.thresholds[best] - log_factors
        thresholds = 1 / (1 + np.exp(-shifted))
    return np.where(np.isnan(found), np.nan, thresholds), found


def completeness_at(histogram, false_positive_rates):
    """
    Completeness (true positive rate) at given false positive rates.

    Parameters
    ----------
    histogram : `ScoreHistogram`
        Counted pixels.

    false_positive_rates : array_like of float
        In [0, 1]: one for all classes, or one a class.

    Returns
    -------
    completeness : `~numpy.ndarray`
        One a class, linear between thresholds; NaN for classes without
        positives or negatives.
    """
    completeness, false_positive = histogram.rates()
    wanted = np.broadcast_to(false_positive_rates, len(completeness))
    return np.array(
        [
            _last_interpolated(rate, x, y)
            for rate, x, y in zip(wanted, false_positive, completeness, strict=True)
        ]
    )


def _last_interpolated(value, x, y):
    """Interpolate in a curve that may rise vertically: the highest point counts."""
    if np.isnan(x).any() or np.isnan(y).any():
        return np.nan
    after = np.searchsorted(x, value, side="right")
    if after == len(x):
        return y[-1]
    before = after - 1
    share = (value - x[before]) / (x[after] - x[before])
    return y[before] + share * (y[after] - y[before])
