"""The sky of an exposure: its level and its noise, known by a few numbers."""

from dataclasses import dataclass

import numpy as np

from maximask_astro.background.surface import SplineSurface
from maximask_astro.background.view import FULL

__all__ = ["Sky", "array_reader"]


def array_reader(data, mask=None):
    """
    Read rows of an array.

    Parameters
    ----------
    data : array_like
        Two-dimensional, of any real dtype.

    mask : `~numpy.ndarray` of bool, optional
        True for pixels without a usable value, in addition to those that are not
        finite.

    Returns
    -------
    read : callable
        From the first row and the one after the last to the pixels there, a
        native float32 copy with zeros for invalid ones, and True for these, None if
        there are none.

    Raises
    ------
    ValueError
        The data do not have two dimensions.
    """
    data = np.asanyarray(data)
    if data.ndim != 2:
        raise ValueError(f"The image must have 2 dimensions, not {data.ndim}.")
    masks = [] if mask is None else [mask]
    if isinstance(data, np.ma.MaskedArray):
        masks.append(np.ma.getmaskarray(data))
        data = data.data
    data = np.asarray(data)

    def read(start, stop):
        with np.errstate(over="ignore"):
            image = np.array(data[start:stop], dtype=np.float32)
        invalid = ~np.isfinite(image)
        for each in masks:
            invalid |= each[start:stop]
        if not invalid.any():
            return image, None
        image[invalid] = 0.0
        return image, invalid

    return read


@dataclass(frozen=True, eq=False)
class Sky:
    """
    What to subtract from an exposure and what to divide it by.

    Parameters
    ----------
    level, noise : `SplineSurface`
        Of the sky, in units of the exposure. The noise is positive.

    low, high : float, optional
        Pixels are clipped to this range first.

    full : float, optional
        Pixels from this value on are full, and get the value ``FULL`` of
        `maximask_astro.background`.
    """

    level: SplineSurface
    noise: SplineSurface
    low: float = -np.inf
    high: float = np.inf
    full: float = np.inf

    def normalize(self, image, rows, columns):
        """
        Subtract the level and divide by the noise.

        Parameters
        ----------
        image : `~numpy.ndarray`
            float32, part of the exposure; changed in place.

        rows, columns : sequence of int
            Where it is.

        Returns
        -------
        image : `~numpy.ndarray`
            The same array.
        """
        if np.isfinite(self.low) or np.isfinite(self.high):
            np.clip(image, self.low, self.high, out=image)
        full = image >= self.full if np.isfinite(self.full) else None
        image -= self.level.values(rows, columns)
        image /= self.noise.values(rows, columns)
        if full is not None:
            image[full] = FULL
        return image
