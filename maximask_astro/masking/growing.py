"""Grow the pixels of classes."""

from collections import deque
from dataclasses import replace

import numpy as np
from scipy.ndimage import distance_transform_edt

__all__ = ["grow_bands", "grow_codes"]


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


def grow_bands(bands, settings, radii):
    """
    Grow the pixels of each class in an image that comes in bands.

    Parameters
    ----------
    bands : iterable of `~maximask_astro.inference.Band`
        From the first rows to the last.

    settings : iterable of `ClassSettings`
        The classes.

    radii : mapping of str to float
        Radius in pixels by abbreviation.

    Yields
    ------
    band : `~maximask_astro.inference.Band`
        The same with the pixels around, also those of other bands.
    """
    reach = int(max(radii.values(), default=0))
    if not reach:
        yield from bands
        return
    # Bands not yet done, and before them enough rows of those that are.
    waiting, before = deque(), np.zeros((0, 0), np.uint32)

    def finish():
        band = waiting.popleft()
        rows = [before, band.codes, *(other.codes for other in waiting)]
        codes = np.concatenate([part for part in rows if part.size])
        first = len(before)
        # Rows that are too far away make no difference.
        grown = grow_codes(codes[: first + len(band.codes) + reach], settings, radii)
        rest = codes[: first + len(band.codes)][-reach:].copy()
        return replace(band, codes=grown[first : first + len(band.codes)]), rest

    for band in bands:
        waiting.append(band)
        while sum(len(other.codes) for other in list(waiting)[1:]) >= reach:
            done, before = finish()
            yield done
    while waiting:
        done, before = finish()
        yield done
