"""From what users say about classes to what the engine does with their logits."""

from maximask_astro.flags import rival_positions
from maximask_astro.inference import ClassDecision, log_prior_factor
from maximask_astro.masking.contaminant_map import ClassSettings
from maximask_astro.masking.settings import (
    resolve_classes,
    resolve_priors,
    resolve_thresholds,
)

__all__ = ["decide", "log_factor", "rivals_of", "settle"]


def settle(card, *, classes, priors, thresholds):
    """
    Complete what users say about classes.

    Parameters
    ----------
    card : `~maximask_astro.weights.ModelCard`
        Card of the model.

    classes, priors, thresholds : object
        As `ContaminantMasker` takes them.

    Returns
    -------
    settings : tuple of `ClassSettings`
        The classes, in the order of the model.
    """
    names = resolve_classes(classes, card.classes)
    new_priors = resolve_priors(priors, names, card)
    limits = resolve_thresholds(thresholds, names, card, new_priors)
    return tuple(
        ClassSettings(
            name, card.training_priors.get(name), new_priors[name], limits[name]
        )
        for name in names
    )


def log_factor(item):
    """
    Find by how much the network's logit of a class is lowered for its prior.

    Parameters
    ----------
    item : `ClassSettings`
        The class.

    Returns
    -------
    shift : float
        0 if its prior was not changed.
    """
    if item.prior is None:
        return 0.0
    return float(log_prior_factor(item.training_prior, item.prior))


def decide(card, settings):
    """
    Tell the engine how to judge classes.

    Parameters
    ----------
    card : `~maximask_astro.weights.ModelCard`
        Card of the model.

    settings : tuple of `ClassSettings`
        The classes.

    Returns
    -------
    decisions : tuple of `~maximask_astro.inference.ClassDecision`
        One a class.

    Raises
    ------
    ValueError
        The prior of a class cannot be changed.
    """
    for item in settings:
        if item.prior is not None and item.training_prior is None:
            raise ValueError(
                f"The model '{card.name}' has no training prior for {item.name}, "
                "so its prior cannot be changed; use None."
            )
    return tuple(
        ClassDecision(
            card.classes.index(item.name), log_factor(item), item.threshold, item.code
        )
        for item in settings
    )


def rivals_of(card, settings):
    """
    Find the pairs of classes of which only the likelier takes a pixel.

    Parameters
    ----------
    card : `~maximask_astro.weights.ModelCard`
        Card of the model.

    settings : tuple of `ClassSettings`
        The classes.

    Returns
    -------
    pairs : tuple of tuple of two int
        Positions in ``settings``; none for the published network, whose verdicts
        stay what they are.
    """
    if card.architecture == "maximask":
        return ()
    return rival_positions([item.name for item in settings])
