"""Open FITS files, and tell what is in them, without trusting them."""

import zlib
from contextlib import contextmanager

from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from maximask_astro.utils.errors import InputError
from maximask_astro.utils.quiet import quiet, recorded

__all__ = ["find_hdu", "lookup_tables", "open_fits", "read_image", "unreadable"]

# Keywords for distortions in lookup tables (Paper IV and HST's), and the HDUs that
# hold the tables.
_DISTORTIONS = ("CPDIS1", "CPDIS2", "CQDIS1", "CQDIS2", "D2IMDIS1", "D2IMDIS2")
_LOOKUP_HDUS = ("D2IMARR", "WCSDVARR")

_OPEN_ERRORS = (OSError, TypeError, ValueError, IndexError, EOFError, zlib.error)


def _open(path):
    """Open strictly, or tolerate records after the last HDU."""
    try:
        # Not mapped into the memory: large images are read in parts.
        file = fits.open(path, memmap=False)
        len(file)  # reads all headers
        return file
    except OSError as error:
        if "END" not in str(error):
            raise
    file = fits.open(path, memmap=False, ignore_missing_end=True)
    len(file)
    # FITS allows "special records" after the last HDU; what starts like an
    # extension is one that was cut off.
    last = file[-1]
    if len(file) < 2 or "XTENSION" in last.header:
        file.close()
        raise OSError("its last header has no end")
    del file[-1]
    return file


@contextmanager
def open_fits(path):
    """
    Open a FITS file for reading.

    Parameters
    ----------
    path : path-like
        The file, compressed or not.

    Yields
    ------
    file : `~astropy.io.fits.HDUList`
        The file; closed in the end.

    Raises
    ------
    InputError
        The file cannot be read, is not FITS, or is truncated.
    """
    with recorded(AstropyWarning) as caught:
        try:
            if path.stat().st_size == 0:
                raise InputError(f"{path} is empty; it must be a FITS file.")
            file = _open(path)
        except InputError:
            raise
        except _OPEN_ERRORS as error:
            if getattr(error, "strerror", None):  # from the system, not from astropy
                raise InputError(f"{path} cannot be read: {error.strerror}.") from error
            text = str(error).split("\n")[0].split(". If this is")[0].rstrip(".")
            raise InputError(
                f"{path} is not a FITS file, or is damaged: {text}."
            ) from error
    try:
        for warning in caught:
            text = str(warning.message)
            if "truncated" in text:
                raise InputError(f"{path} is truncated: {text.split(': ')[-1]}.")
            if "Error validating header" in text:
                raise InputError(f"{path} is truncated, or damaged within a header.")
        yield file
    finally:
        file.close()


def find_hdu(file, hdu, path):
    """
    Index of an HDU.

    Parameters
    ----------
    file : `~astropy.io.fits.HDUList`
        The open file.

    hdu : int or str
        Index or name.

    path : path-like
        The file's name, for the error.

    Returns
    -------
    index : int
        Its index.

    Raises
    ------
    InputError
        There is no such HDU.
    """
    try:
        index = hdu if isinstance(hdu, int) else file.index_of(hdu)
        if 0 <= index < len(file):
            return index
    except KeyError:
        pass
    raise InputError(
        f"{path} has no HDU {hdu}; it has {len(file)}, numbered from 0 to "
        f"{len(file) - 1}."
    )


def lookup_tables(file, hdu):
    """
    Find the tables of distortions that an image's coordinates refer to.

    Parameters
    ----------
    file : `~astropy.io.fits.HDUList`
        The open file.

    hdu : HDU
        An image HDU of it.

    Returns
    -------
    hdus : list of `~astropy.io.fits.ImageHDU`
        They must be in every file that the image's coordinates are copied to.
    """
    kinds = [str(hdu.header.get(keyword, "")).lower() for keyword in _DISTORTIONS]
    if "lookup" not in kinds:
        return []
    return [table for table in file if table.name in _LOOKUP_HDUS]


def read_image(hdu, path, index):
    """
    Read the pixels of an HDU, which does not keep them.

    Parameters
    ----------
    hdu : HDU
        An image HDU of an open file.

    path : path-like
        The file's name, for the error.

    index : int
        The HDU's index, for the error.

    Returns
    -------
    data : `~numpy.ndarray`
        Its data, scaled as its header says.

    Raises
    ------
    InputError
        The data cannot be read.
    """
    try:
        with quiet(AstropyWarning):
            data = hdu.data
            # Otherwise an open file would keep those of all its HDUs.
            del hdu.data
            return data
    except Exception as error:  # damage makes the readers raise nearly anything
        raise unreadable(error, path, index) from error


def unreadable(error, path, index):
    """
    Say that pixels cannot be read.

    Parameters
    ----------
    error : Exception
        What the reader raised.

    path : path-like
        The file's name.

    index : int
        The HDU's index.

    Returns
    -------
    error : InputError
        The same in a sentence.
    """
    text = str(error).rstrip(".")
    return InputError(
        f"HDU {index} of {path} cannot be read, it may be truncated or damaged: "
        f"{type(error).__name__}: {text}."
    )
