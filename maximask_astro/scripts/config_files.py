"""Read the three configuration files of the original ``maximask``."""

from pathlib import Path

from maximask_astro.flags import CLASSES, get_class
from maximask_astro.utils.errors import InputError

__all__ = ["read_config_file", "read_config_files"]


def read_config_file(path, kind):
    """
    Read one configuration file.

    Parameters
    ----------
    path : path-like
        A file with two columns, the abbreviation of a class and a number, and
        a row for each of the 14 classes in their usual order.

    kind : {'flag', 'prior', 'threshold'}
        What the numbers are: 0 or 1, between 0 and 1, or from 0 to 1.

    Returns
    -------
    values : dict of str to float
        Number by abbreviation.

    Raises
    ------
    InputError
        The file cannot be read or is not as described.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"The configuration file {path} cannot be read: {reason}."
        ) from error
    rows = [line.split() for line in lines if line.strip()]
    if len(rows) != len(CLASSES):
        raise InputError(
            f"The configuration file {path} has {len(rows)} rows; it must have one "
            f"for each of the {len(CLASSES)} classes."
        )
    values = {}
    for number, (row, flag) in enumerate(zip(rows, CLASSES, strict=True), start=1):
        where = f"Row {number} of the configuration file {path}"
        name = flag.abbreviation
        try:
            found = get_class(row[0]).abbreviation
        except ValueError:
            found = None
        if found != name:
            raise InputError(f"{where} is about '{row[0]}'; it must be about {name}.")
        if len(row) != 2:
            raise InputError(f"{where} must be a class and a number, not {row}.")
        try:
            value = float(row[1])
        except ValueError:
            raise InputError(
                f"{where} has '{row[1]}' where a number must be."
            ) from None
        allowed, what = {
            "flag": (value in (0, 1), "0 or 1"),
            "prior": (0 < value < 1, "between 0 and 1, both excluded"),
            "threshold": (0 <= value <= 1, "from 0 to 1"),
        }[kind]
        if not allowed:
            raise InputError(f"{where} has {row[1]}; a {kind} must be {what}.")
        values[name] = value
    return values


def read_config_files(directory, *, priors=True, thresholds=True):
    """
    Read the configuration files of a directory.

    Parameters
    ----------
    directory : path-like
        Where ``classes.flags``, ``classes.priors`` and ``classes.thresh`` are.

    priors, thresholds : bool, optional
        Whether these two are needed.

    Returns
    -------
    classes : list of str
        Abbreviations of the selected classes.

    priors, thresholds : dict of str to float, or None
        By abbreviation; None if not needed.

    Raises
    ------
    InputError
        A file is not as it must be, or no class is selected.
    """
    directory = Path(directory)
    flags = read_config_file(directory / "classes.flags", "flag")
    classes = [name for name, value in flags.items() if value]
    if not classes:
        raise InputError(
            f"The configuration file {directory / 'classes.flags'} selects no class; "
            "at least one must be 1."
        )
    return (
        classes,
        read_config_file(directory / "classes.priors", "prior") if priors else None,
        read_config_file(directory / "classes.thresh", "threshold")
        if thresholds
        else None,
    )
