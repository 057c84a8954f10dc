"""Types of command-line arguments; each says in its error what would be right."""

import argparse

from maximask_astro.flags import get_class
from maximask_astro.masking.rates import is_rate, parse_rate
from maximask_astro.masking.saturation import resolve_saturation

__all__ = [
    "boolean",
    "class_and_number",
    "class_list",
    "number_within",
    "positive_integer",
    "radius",
    "saturation",
]

_TRUE, _FALSE = ("yes", "true", "t", "y", "1"), ("no", "false", "f", "n", "0")


def boolean(text):
    """
    Take a truth value in any of the original's spellings.

    Parameters
    ----------
    text : str
        Such as ``True``, ``yes`` or ``0``.

    Returns
    -------
    value : bool
        The value.
    """
    if text.lower() in _TRUE + _FALSE:
        return text.lower() in _TRUE
    raise argparse.ArgumentTypeError(f"'{text}' is neither True nor False")


def positive_integer(text):
    """
    Take a positive whole number.

    Parameters
    ----------
    text : str
        The argument.

    Returns
    -------
    number : int
        At least 1.
    """
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive whole number")
    return int(text)


def number_within(interval):
    """
    Make a type for numbers from 0 to 1.

    Parameters
    ----------
    interval : {'(0, 1)', '(0, 1]', '[0, 1]'}
        Which ends belong to it.

    Returns
    -------
    parse : callable
        From str to float.
    """

    def parse(text):
        number = _number(text)
        inside = number is not None and 0 <= number <= 1
        if (
            not inside
            or (number == 0 and interval[0] == "(")
            or (number == 1 and interval[-1] == ")")
        ):
            raise argparse.ArgumentTypeError(f"'{text}' is not a number in {interval}")
        return number

    return parse


def radius(text):
    """
    Take a radius in pixels.

    Parameters
    ----------
    text : str
        The argument.

    Returns
    -------
    number : float
        From 0 to 1000.
    """
    number = _number(text)
    if number is None or not 0 <= number < 1000:
        raise argparse.ArgumentTypeError(f"'{text}' is not a radius from 0 to 1000")
    return number


def saturation(text):
    """
    Take the level of saturation, or where it is in headers.

    Parameters
    ----------
    text : str
        A number, ``header``, ``none``, or keywords with commas.

    Returns
    -------
    source : float, str, tuple of str or None
        As `~maximask_astro.masking.ContaminantMasker` takes it.
    """
    if text.strip().lower() in ("none", "header"):
        return None if text.strip().lower() == "none" else "header"
    number = _number(text)
    source = tuple(text.split(",")) if number is None else number
    try:
        resolve_saturation(source)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from None
    return source


def class_list(text):
    """
    Take a selection of classes.

    Parameters
    ----------
    text : str
        ``all``, ``unusable``, or abbreviations with commas.

    Returns
    -------
    classes : str or list of str
        The word, or the abbreviations.
    """
    if text in ("all", "unusable"):
        return text
    return [_class(name) for name in text.split(",")]


def class_and_number(kind):
    """
    Make a type for arguments of the form CLASS=NUMBER.

    Parameters
    ----------
    kind : {'prior', 'threshold'}
        A prior is between 0 and 1, both excluded, or ``none``; a threshold is
        from 0 to 1, or a false-positive rate such as ``fpr=1e-3``, which may
        also stand alone, for all classes.

    Returns
    -------
    parse : callable
        From str to (abbreviation, float, str or None); the abbreviation is
        None for a rate that stands alone.
    """
    prior = kind == "prior"
    interval = "between 0 and 1, both excluded" if prior else "from 0 to 1"

    def parse(text):
        if not prior and is_rate(text):
            return None, _rate(text)
        name, equals, value = text.partition("=")
        if not equals:
            raise argparse.ArgumentTypeError(f"'{text}' must be CLASS=NUMBER")
        name = _class(name)
        if prior and value.lower() == "none":
            return name, None
        if not prior and is_rate(value):
            return name, _rate(value)
        number = _number(value)
        if number is None or not (0 < number < 1 if prior else 0 <= number <= 1):
            raise argparse.ArgumentTypeError(
                f"'{text}': the {kind} must be a number {interval}"
            )
        return name, number

    return parse


def _class(name):
    try:
        return get_class(name).abbreviation
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from None


def _rate(text):
    try:
        parse_rate(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from None
    return text


def _number(text):
    try:
        return float(text)
    except ValueError:
        return None
