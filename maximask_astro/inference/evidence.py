"""What all tiles of an exposure say together."""

import numpy as np
from scipy.special import expit

__all__ = ["combine_evidence", "posterior_of"]


def combine_evidence(evidence, weights, correlation):
    r"""
    Combine what tiles say about the exposure they are parts of.

    Independent evidence adds up: the logarithms of Bayes factors do. That of tiles
    of one exposure is not independent, since what deceives the network, such as
    astigmatism, is in all of them alike. With a correlation :math:`\rho` between
    tiles and the weights :math:`w_i`, the evidence is

    .. math:: \ln B = n\,\frac{\sum_i w_i \ln B_i}{\sum_i w_i}, \qquad
        n = \frac{W}{1 + \max(W - 1, 0)\,\rho}, \qquad W = \sum_i w_i

    where :math:`n` is the number of independent tiles: the sample size that a
    correlation within clusters leaves (Kish 1965, Survey Sampling, section 5.4).
    Tiles without stars have a weight near 0 and say nothing.

    Parameters
    ----------
    evidence : array_like
        Natural logarithm of each tile's Bayes factor, shape (..., tiles).

    weights : array_like
        How well each tile can be judged, in [0, 1], of the same shape.

    correlation : float
        Between the tiles of an exposure, in [0, 1]: 0 adds up, 1 takes the mean.

    Returns
    -------
    total : float or `~numpy.ndarray`
        Natural logarithm of the Bayes factor, shape (...); 0 if there is nothing to
        judge.

    error : float or `~numpy.ndarray`
        Standard error of it from the scatter of the tiles; NaN if fewer than
        two tiles can be judged.

    number : float or `~numpy.ndarray`
        Number of independent tiles.
    """
    evidence, weights = np.asarray(evidence, float), np.asarray(weights, float)
    total = weights.sum(-1)
    share = weights / np.where(total > 0, total, 1.0)[..., None]
    mean = (share * evidence).sum(-1)
    number = total / (1 + np.maximum(total - 1, 0.0) * correlation)
    variance = (share * (evidence - mean[..., None]) ** 2).sum(-1)
    # The scatter of a mean of so many tiles, times the number it stands for.
    judged = ((weights > 0.5).sum(-1) >= 2) & (total > 1)
    error = number * np.sqrt(variance / np.where(judged, total - 1, np.nan))
    return number * mean, error, number


def posterior_of(evidence, prior):
    """
    Turn evidence into a probability.

    Equation 26 of Paillassa et al. (2020, A&A 634, A48), for evidence instead of
    the probability of a network with another prior.

    Parameters
    ----------
    evidence : array_like
        Natural logarithm of the Bayes factor.

    prior : float
        In (0, 1).

    Returns
    -------
    probability : `~numpy.ndarray`
        In [0, 1].
    """
    return expit(np.asarray(evidence, float) + np.log(prior) - np.log1p(-prior))
