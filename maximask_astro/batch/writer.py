"""Write FITS files HDU by HDU, and their images part by part."""

import os
import shutil
import tempfile

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from maximask_astro.utils.quiet import quiet

__all__ = ["FITSWriter", "ImageWriter"]

_BLOCK = 2880
_VERIFY = "silentfix+ignore"


def _bytes(header):
    """A header as it is in a file, whatever astropy has to say about its cards."""
    with quiet(AstropyWarning):
        return header.tostring().encode("ascii")


class FITSWriter:
    """
    A FITS file that is written from its beginning to its end.

    It never holds more than a part of an image. To be used with ``with``.

    Parameters
    ----------
    path : path-like
        The file; what is in it is lost.

    n_hdus : int
        How many HDUs it will have; a primary HDU says whether there are more.
    """

    def __init__(self, path, n_hdus):
        self._path, self._n_hdus = path, n_hdus
        self._file = open(path, "wb")  # noqa: SIM115 (closed by __exit__)
        self._end = 0

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._file.close()

    def copy(self, hdu):
        """
        Write an HDU as it is.

        Parameters
        ----------
        hdu : HDU
            Of any kind.
        """
        # Beside the file rather than in the memory.
        with (
            tempfile.TemporaryFile(dir=os.path.dirname(self._path)) as beside,
            # What astropy mends in a source's header is no news here.
            quiet(AstropyWarning),
        ):
            before = [fits.PrimaryHDU()] if self._end else []
            hdus = fits.HDUList([*before, hdu])
            if not before and self._n_hdus > 1 and "EXTEND" not in hdu.header:
                hdu.header.set(
                    "EXTEND", True, after=f"NAXIS{hdu.header['NAXIS'] or ''}"
                )
            hdus.writeto(beside, output_verify=_VERIFY)
            beside.seek(_BLOCK * len(before))
            self._file.seek(self._end)
            shutil.copyfileobj(beside, self._file)
            self._end = self._file.tell()

    def image(self, header, shape, dtype):
        """
        Begin an image.

        Parameters
        ----------
        header : `~astropy.io.fits.Header`
            Its header, without what describes the array.

        shape : tuple of int
            Its shape.

        dtype : dtype
            Its type: a signed integer of at least two bytes, ``uint8``, or a float.

        Returns
        -------
        image : `ImageWriter`
            Takes its pixels, in any order; those that it never gets are 0.
        """
        kind = fits.ImageHDU if self._end else fits.PrimaryHDU
        # As large as the image, but without any memory.
        nothing = np.broadcast_to(np.zeros((), dtype), shape)
        with quiet(AstropyWarning):
            hdu = kind(nothing, header)
            if kind is fits.PrimaryHDU and self._n_hdus > 1:
                hdu.header.set("EXTEND", True, after=f"NAXIS{len(shape)}")
            hdu.verify(_VERIFY)
        start = self._end
        text = _bytes(hdu.header)
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        self._end = start + len(text) + -(-size // _BLOCK) * _BLOCK
        self._file.seek(start)
        self._file.write(text)
        self._file.truncate(self._end)
        return ImageWriter(self._file, start, hdu.header, shape, dtype)


class ImageWriter:
    """
    An image of a `FITSWriter`.

    Parameters
    ----------
    file : file object
        The file.

    start : int
        Where the HDU begins.

    header : `~astropy.io.fits.Header`
        Its complete header.

    shape : tuple of int
        Of the image.

    dtype : dtype
        Of the image.
    """

    def __init__(self, file, start, header, shape, dtype):
        self._file, self._start, self._header = file, start, header
        self._shape, self._dtype = shape, np.dtype(dtype).newbyteorder(">")
        self._length = len(_bytes(header))

    def write(self, rows, values, place=()):
        """
        Write some rows.

        Parameters
        ----------
        rows : slice
            Which rows.

        values : `~numpy.ndarray`
            Their pixels, shape (rows, width).

        place : tuple of int, optional
            Which image, where there are more than two dimensions.
        """
        height, width = self._shape[-2:]
        number = np.ravel_multi_index(place, self._shape[:-2]) if place else 0
        first = (int(number) * height + rows.start) * width * self._dtype.itemsize
        self._file.seek(self._start + self._length + first)
        self._file.write(np.ascontiguousarray(values, self._dtype))

    def set(self, keyword, value):
        """
        Change a value in the header.

        Parameters
        ----------
        keyword : str
            One that the header has.

        value : int or str
            Its value, not too long for one card.
        """
        self._header[keyword] = value
        self._file.seek(self._start)
        self._file.write(_bytes(self._header))
