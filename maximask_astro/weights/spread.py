"""Read what model cards say of how uncertain probabilities are."""

import numpy as np
from scipy.special import expit

from maximask_astro.utils.errors import InputError, ModelIntegrityError

__all__ = ["look_up_uncertainty", "spread_of"]

# No distribution between 0 and 1 has a larger standard deviation.
_LARGEST = 0.5


def look_up_uncertainty(posterior_logit, table, log_factor=0.0):
    r"""
    Look up the standard deviation of posterior probabilities.

    Where a network gives the probability :math:`p`, a fraction :math:`p` of the
    pixels is of the class, over all skies; on a single sky the fraction is another.
    The table has the standard deviation :math:`\sigma(z)` of its logit over skies,
    at the network's own logit :math:`z`. A change of the prior moves both logits
    alike, so that for any prior

    .. math:: \sigma_p = p\,(1 - p)\,\sigma(z),

    the first order of the transformation between logit and probability.

    Parameters
    ----------
    posterior_logit : array_like
        Log odds of the posterior probability, of any shape. NaN stays NaN.

    table : mapping of str to sequence of float
        Of a class, from the ``spread`` of a `ModelCard`: ``logit``, in ascending
        order, and ``sigma``. Between them it is interpolated linearly, and constant
        beyond.

    log_factor : float, optional
        By how much the network's logit was lowered for a new prior, see
        `maximask_astro.inference.log_prior_factor`.

    Returns
    -------
    std : `~numpy.ndarray`
        float32, of the shape of ``posterior_logit``, from 0 to 0.5.

    Examples
    --------
    >>> from maximask_astro.weights import look_up_uncertainty
    >>> table = {"logit": [-5.0, 0.0, 5.0], "sigma": [1.0, 0.4, 0.2]}
    >>> look_up_uncertainty([0.0, 20.0], table).tolist()
    [0.10000000149011612, 4.122307197812713e-10]
    """
    posterior_logit = np.asarray(posterior_logit)
    sigma = np.interp(posterior_logit + log_factor, table["logit"], table["sigma"])
    # Each odd, so that neither side of a half is rounded to 0 or 1 too early.
    spread = expit(posterior_logit) * expit(-posterior_logit) * sigma
    return np.minimum(spread, _LARGEST).astype(np.float32)


def spread_of(card, names):
    """
    Take tables of uncertainties out of a model card.

    Parameters
    ----------
    card : `ModelCard`
        The card.

    names : iterable of str
        Abbreviations of classes.

    Returns
    -------
    tables : dict of str to dict
        For `look_up_uncertainty`, by abbreviation; classes that the card has no
        table of are left out.

    Raises
    ------
    InputError
        It has none of any class.

    ModelIntegrityError
        A table is not as it must be.
    """
    tables = {}
    for name in names:
        if name not in card.spread:
            continue
        try:
            table = {
                key: tuple(float(value) for value in card.spread[name][key])
                for key in ("logit", "sigma")
            }
            logit, sigma = table["logit"], np.array(table["sigma"])
            good = len(logit) == len(sigma) > 0 and np.all(np.diff(logit) > 0)
            good = good and np.all(np.isfinite(sigma) & (sigma >= 0))
        except (LookupError, TypeError, ValueError):
            good = False
        if not good:
            raise ModelIntegrityError(
                f"The card of the model '{card.name}' has a table of uncertainties of "
                f"{name} that is damaged: it must have as many numbers 'sigma', not "
                "negative, as 'logit', in ascending order."
            )
        tables[name] = table
    if not tables:
        raise InputError(
            f"The card of the model '{card.name}' has no table of uncertainties; use "
            "'dihedral' or None."
        )
    return tables
