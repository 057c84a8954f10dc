"""Adapt probabilities to other class proportions than those of the training."""

import numpy as np

__all__ = ["log_prior_factor", "update_probability"]


def log_prior_factor(training_prior, prior):
    r"""
    Logarithm of the odds ratio between two priors.

    In terms of the network's logit :math:`z` (the log odds of its
    probability), equation 26 of Paillassa et al. (2020, A&A 634, A48) for a
    class and its complement is a shift: the posterior probability is the
    sigmoid of :math:`z - \ln f` with

    .. math:: f = \frac{t}{1 - t}\,\frac{1 - n}{n}

    for the training prior :math:`t` and the new prior :math:`n`.

    Parameters
    ----------
    training_prior, prior : array_like of float
        In (0, 1).

    Returns
    -------
    log_factor : `~numpy.ndarray`
        float64; 0 where both are equal.

    Raises
    ------
    ValueError
        A prior is not between 0 and 1.
    """
    training_prior, prior = np.asarray(training_prior, float), np.asarray(prior, float)
    for values in (training_prior, prior):
        if not np.all((values > 0) & (values < 1)):
            raise ValueError(f"A prior must be between 0 and 1 (exclusive): {values}.")
    # Like terms first, so that equal priors give exactly 0.
    return (np.log(training_prior) - np.log(prior)) + (
        np.log1p(-prior) - np.log1p(-training_prior)
    )


def update_probability(probability, training_prior, prior):
    """
    Update probabilities to a new prior.

    Equation 26 of Paillassa et al. (2020, A&A 634, A48).

    Parameters
    ----------
    probability : array_like of float
        As the network gives them, in [0, 1].

    training_prior, prior : float
        Fraction of the class in the training set, and the one expected now.

    Returns
    -------
    posterior : `~numpy.ndarray`
        In [0, 1], of the shape of ``probability``.

    Raises
    ------
    ValueError
        A prior is not between 0 and 1.

    Examples
    --------
    >>> from maximask_astro.inference import update_probability
    >>> float(update_probability(0.5, training_prior=0.5, prior=0.01))
    0.01
    """
    probability = np.asarray(probability)
    factor = np.exp(log_prior_factor(training_prior, prior))
    return probability / (probability + factor * (1 - probability))
