"""Read the ROC curves that model cards have."""

import numpy as np

from maximask_astro.utils.errors import InputError

__all__ = ["logit_at_rate"]


def logit_at_rate(card, name, rate):
    """
    Find the logit that a given fraction of negative pixels exceeds.

    Between the points of the card's ROC curve the logit is interpolated
    linearly in the logarithm of the false-positive rate.

    Parameters
    ----------
    card : `ModelCard`
        The model's card.

    name : str
        Abbreviation of the class.

    rate : float
        False-positive rate: the fraction of the pixels that are not of the
        class, but counted as such.

    Returns
    -------
    logit : float
        Log odds of the network, before any update to a prior.

    Raises
    ------
    InputError
        The card has no curve of the class, or the curve does not reach so far.
    """
    curve = card.roc.get(name)
    if not curve:
        raise InputError(
            f"The card of the model '{card.name}' has no ROC curve of {name}, so its "
            "threshold cannot be given as a false-positive rate; give a number."
        )
    rates = np.asarray(curve["fpr"], dtype=float)
    if not rates[0] <= rate <= rates[-1]:
        raise InputError(
            f"The ROC curve of {name} on the card of the model '{card.name}' reaches "
            f"from {rates[0]:.2g} to {rates[-1]:.2g}, not to the false-positive rate "
            f"{rate:g}."
        )
    return float(np.interp(np.log(rate), np.log(rates), curve["logit"]))
