"""Turn bit masks back into class names and boolean masks."""

import numpy as np

from maximask_astro.flags.table import CLASSES, NO_DATA, get_class

__all__ = ["decode", "select"]

_FLAGS = tuple(flag for flag in (*CLASSES, NO_DATA) if flag.bit)


def _checked(bitmask):
    bitmask = np.asarray(bitmask)
    if bitmask.dtype.kind not in "iu":
        raise TypeError(
            f"A bit mask must have an integer dtype, not '{bitmask.dtype}'."
        )
    return bitmask


def decode(value):
    """
    Name the classes whose bits are set.

    Parameters
    ----------
    value : int or array_like of int
        One value of a bit mask, or several.

    Returns
    -------
    names : tuple of str, or list of tuples
        Abbreviations, in the order of the table of classes; for several
        values a list (of lists ...) in the shape of ``value``. No bit at all
        gives an empty tuple: background or no verdict of any class.

    Raises
    ------
    TypeError
        ``value`` is not of an integer type.

    ValueError
        A bit is set that no class has.

    Examples
    --------
    >>> from maximask_astro.flags import decode
    >>> decode(1 + 64)
    ('CR', 'TRL')
    >>> decode([0, 512])
    [(), ('SAT',)]
    """
    values = _checked(value)
    known = sum(flag.bit for flag in _FLAGS)
    for number in np.unique(values).tolist():
        if number & ~known:
            raise ValueError(f"Bit mask value {number} has bits that no class has.")

    def names(number):
        return tuple(flag.abbreviation for flag in _FLAGS if number & flag.bit)

    if values.ndim == 0:
        return names(int(values))
    decoded = np.empty(values.shape, dtype=object)
    for index in np.ndindex(values.shape):
        decoded[index] = names(int(values[index]))
    return decoded.tolist()


def select(bitmask, classes):
    """
    Select the pixels of some classes from a bit mask.

    Parameters
    ----------
    bitmask : array_like of int
        Bit mask of any shape.

    classes : str or iterable of str
        Abbreviations of classes with a bit (not BG), or ``NO_DATA``; one
        string may list several, with commas.

    Returns
    -------
    mask : `~numpy.ndarray` of bool
        True where a bit of any of these classes is set.

    Raises
    ------
    ValueError
        There is no such class, or it has no bit.

    Examples
    --------
    >>> from maximask_astro.flags import select
    >>> select([0, 1, 512, 513], "SAT")
    array([False, False,  True,  True])
    """
    if isinstance(classes, str):
        classes = classes.split(",")
    bits = 0
    for name in classes:
        no_data = str(name).strip().upper() == NO_DATA.abbreviation
        flag = NO_DATA if no_data else get_class(name)
        if not flag.bit:
            raise ValueError("BG has no bit: background is where no other bit is set.")
        bits |= flag.bit
    bitmask = _checked(bitmask)
    # Bits beyond a narrow dtype cannot be set in it.
    return (bitmask & (bits & np.iinfo(bitmask.dtype).max)) != 0
