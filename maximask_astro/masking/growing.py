"""Grow the pixels of classes."""

import numpy as np
from scipy.ndimage import distance_transform_edt

__all__ = ["grow_codes"]


def grow_codes(codes, settings, radii):
    """
    Grow the pixels of each class by its radius.

    Parameters
    ----------
    codes : `~numpy.ndarray` of uint32
        Verdicts of an image.

    settings : iterable of `ClassSettings`
        The classes.

    radii : mapping of str to float
        Radius in pixels by abbreviation.

    Returns
    -------
    grown : `~numpy.ndarray` of uint32
        Verdicts with the pixels around.
    """
    grown = codes.copy()
    for item in settings:
        radius = radii[item.name]
        chosen = (codes & np.uint32(item.code)) != 0
        if radius and chosen.any():
            near = distance_transform_edt(~chosen) <= radius
            grown[near] |= np.uint32(item.code)
    return grown
