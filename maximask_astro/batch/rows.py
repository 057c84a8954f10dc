"""Read images of FITS files row by row."""

import numpy as np
from astropy.utils.exceptions import AstropyWarning

from maximask_astro.background import array_reader
from maximask_astro.batch.fits_files import read_image, unreadable
from maximask_astro.utils.quiet import quiet

__all__ = ["image_readers"]

# Images of no more pixels are read as a whole.
_WHOLE = 1 << 24


class _Rows:
    """
    Rows of an image that stays in its file.

    Those read last are kept, since bands overlap: a compressed file is expensive to
    read twice.
    """

    def __init__(self, hdu, plane, path, index):
        self._hdu, self._plane = hdu, plane
        self._path, self._index = path, index
        self._kept = (0, 0, None)

    def _section(self, start, stop):
        try:
            with quiet(AstropyWarning):
                return self._hdu.section[*self._plane, start:stop]
        except Exception as error:  # damage makes the readers raise nearly anything
            raise unreadable(error, self._path, self._index) from error

    def __call__(self, start, stop):
        first, last, kept = self._kept
        if first <= start < last < stop:
            rows = np.concatenate([kept[start - first :], self._section(last, stop)])
        else:
            rows = self._section(start, stop)
        self._kept = (start, stop, rows)
        return array_reader(rows)(0, stop - start)


def image_readers(hdu, path, index):
    """
    Make readers of the planes of an image.

    Parameters
    ----------
    hdu : HDU
        An image HDU of an open file, with two or three dimensions.

    path : path-like
        The file's name, for errors.

    index : int
        The HDU's index, for errors.

    Returns
    -------
    readers : list of callable
        One a plane: from the first row and the one after the last to these rows,
        as of `~maximask_astro.background.array_reader`.

    Raises
    ------
    InputError
        The data cannot be read.

    TypeError
        They are not real numbers.
    """
    shape = hdu.shape
    if np.prod(shape) > _WHOLE:
        planes = [()] if len(shape) == 2 else [(number,) for number in range(shape[0])]
        return [_Rows(hdu, plane, path, index) for plane in planes]
    data = read_image(hdu, path, index)
    return [array_reader(plane) for plane in data.reshape(-1, *shape[-2:])]
