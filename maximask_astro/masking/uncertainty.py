"""Where the uncertainty of probabilities comes from."""

from maximask_astro.weights import spread_of

__all__ = ["UNCERTAINTIES", "describe_uncertainty", "resolve_uncertainty"]

UNCERTAINTIES = ("default", "card", "dihedral", None)

_DESCRIPTIONS = {
    "card": "card (spread over skies)",
    "dihedral": "dihedral",
    None: "none (not estimated)",
}


def resolve_uncertainty(uncertainty, card, names):
    """
    Choose where the uncertainty comes from.

    Parameters
    ----------
    uncertainty : {'default', 'card', 'dihedral', None}
        As `ContaminantMasker` takes it.

    card : `~maximask_astro.weights.ModelCard`
        Card of the model.

    names : sequence of str
        The selected classes.

    Returns
    -------
    method : {'card', 'dihedral', None}
        The method.

    tables : dict of str to dict
        For ``'card'``, by abbreviation, see `~maximask_astro.weights.ModelCard`.

    Raises
    ------
    ValueError
        There is no such uncertainty.

    InputError
        The card has no tables.
    """
    if uncertainty not in UNCERTAINTIES:
        raise ValueError(
            f"There is no uncertainty {uncertainty!r}; there are "
            f"{', '.join(map(repr, UNCERTAINTIES))}."
        )
    if uncertainty == "default":
        uncertainty = "card" if any(name in card.spread for name in names) else None
    return uncertainty, spread_of(card, names) if uncertainty == "card" else {}


def describe_uncertainty(method):
    """
    Say for headers where the uncertainty comes from.

    Parameters
    ----------
    method : {'card', 'dihedral', None}
        From `resolve_uncertainty`.

    Returns
    -------
    text : str
        A few words.
    """
    return _DESCRIPTIONS[method]
