"""Check and complete what users say about classes, priors and thresholds."""

from collections.abc import Mapping
from numbers import Real

from maximask_astro.flags import CLASSES, get_class
from maximask_astro.masking.rates import is_rate, parse_rate, threshold_at_rate

__all__ = [
    "resolve_classes",
    "resolve_grow",
    "resolve_priors",
    "resolve_thresholds",
    "with_other_priors",
]


def resolve_classes(classes, available):
    """
    Resolve a selection of classes.

    Parameters
    ----------
    classes : str or iterable of str
        ``'all'``, ``'unusable'`` (those that make a pixel unusable), or
        abbreviations, in one string with commas or one by one.

    available : sequence of str
        The classes of the model.

    Returns
    -------
    names : tuple of str
        Abbreviations in the order of the model.

    Raises
    ------
    ValueError
        A class is unknown, the model does not have it, or there is none.
    """
    if isinstance(classes, str):
        if classes == "all":
            return tuple(available)
        if classes == "unusable":
            unusable = {flag.abbreviation for flag in CLASSES if flag.unusable}
            return tuple(name for name in available if name in unusable)
        classes = [name for name in classes.split(",") if name.strip()]
    names = {get_class(name).abbreviation for name in classes}
    missing = names - set(available)
    if missing:
        raise ValueError(f"The model has no class {', '.join(sorted(missing))}.")
    if not names:
        raise ValueError("No class was selected; choose at least one.")
    return tuple(name for name in available if name in names)


def _by_class(values, what):
    """A mapping with checked abbreviations."""
    if not isinstance(values, Mapping):
        raise TypeError(
            f"{what} must be a mapping from class abbreviations to numbers, "
            f"not {type(values).__name__}."
        )
    return {get_class(name).abbreviation: value for name, value in values.items()}


def _number(value, low_open, what):
    in_range = isinstance(value, Real) and (
        0 < value < 1 if low_open else 0 <= value <= 1
    )
    if not in_range:
        interval = "between 0 and 1, both excluded" if low_open else "from 0 to 1"
        raise ValueError(f"{what} is {value!r}; it must be a number {interval}.")
    return float(value)


def resolve_priors(priors, names, card):
    """
    Resolve priors.

    Parameters
    ----------
    priors : str, mapping or None
        ``'default'``, None to keep the network's probabilities as they are,
        or a mapping from abbreviations to a prior in (0, 1) or None; classes
        that it leaves out get their default.

    names : sequence of str
        The selected classes.

    card : `~maximask_astro.weights.ModelCard`
        The model's card, with its default priors.

    Returns
    -------
    priors : dict of str to float or None
        One entry a selected class.

    Raises
    ------
    TypeError, ValueError
        A value or class is not as described.
    """
    if priors is None:
        return dict.fromkeys(names)
    given = {} if priors == "default" else _by_class(priors, "priors")
    resolved = {}
    for name in names:
        value = given.get(name, card.prior(name))
        if value is not None:
            value = _number(value, True, f"The prior of {name}")
        resolved[name] = value
    return resolved


def with_other_priors(priors, others, names):
    """
    Change some priors of those that users gave.

    Parameters
    ----------
    priors : str, mapping or None
        As `resolve_priors` takes them.

    others : sequence of mapping
        New ones of some of the selected classes; the last one counts.

    names : sequence of str
        The selected classes.

    Returns
    -------
    priors : dict
        For `resolve_priors`.

    Raises
    ------
    TypeError, ValueError
        They are no mappings, or a class is unknown or not selected.
    """
    others = {
        name: value
        for each in others
        for name, value in _by_class(each, "priors").items()
    }
    missing = sorted(others.keys() - set(names))
    if missing:
        raise ValueError(
            f"This masker has no class {', '.join(missing)}; it has {', '.join(names)}."
        )
    if priors is None:
        kept = dict.fromkeys(names)
    else:
        kept = {} if priors == "default" else _by_class(priors, "priors")
    return {**kept, **others}


def resolve_thresholds(thresholds, names, card, priors):
    """
    Resolve thresholds.

    Parameters
    ----------
    thresholds : str, float or mapping
        ``'default'``, one number in [0, 1] or one false-positive rate such as
        ``'fpr=1e-3'`` for all classes, or a mapping from abbreviations to
        these; classes that it leaves out get their default.

    names : sequence of str
        The selected classes.

    card : `~maximask_astro.weights.ModelCard`
        The model's card, with its thresholds and ROC curves; the table of
        classes is used for thresholds that it leaves out.

    priors : mapping of str to float or None
        What `resolve_priors` returned.

    Returns
    -------
    thresholds : dict of str to float
        One entry a selected class.

    Raises
    ------
    TypeError, ValueError
        A value or class is not as described.

    InputError
        The card has no ROC curve for a false-positive rate.
    """
    if isinstance(thresholds, Real) or is_rate(thresholds):
        given = dict.fromkeys(names, thresholds)
    elif isinstance(thresholds, str) and thresholds == "default":
        given = {}
    else:
        given = _by_class(thresholds, "thresholds")
    resolved = {}
    for name in names:
        value = given.get(name, card.thresholds.get(name, get_class(name).threshold))
        if is_rate(value):
            value = threshold_at_rate(card, name, parse_rate(value), priors[name])
        resolved[name] = _number(value, False, f"The threshold of {name}")
    return resolved


def resolve_grow(grow, names):
    """
    Resolve the radii by which classes are grown.

    Parameters
    ----------
    grow : float or mapping
        One radius in pixels for all selected classes that make a pixel
        unusable, or a mapping from abbreviations to radii.

    names : sequence of str
        The selected classes.

    Returns
    -------
    radii : dict of str to float
        One entry a selected class, 0 for those that are not grown.

    Raises
    ------
    TypeError, ValueError
        A value or class is not as described.
    """
    if isinstance(grow, Mapping):
        given = _by_class(grow, "grow")
    else:
        given = {name: grow for name in names if get_class(name).unusable}
    for name, radius in given.items():
        if not (isinstance(radius, Real) and 0 <= radius < 1000):
            raise ValueError(
                f"The radius by which {name} is grown is {radius!r}; it must be a "
                "number of pixels from 0 to 1000."
            )
    return {name: float(given.get(name, 0)) for name in names}
