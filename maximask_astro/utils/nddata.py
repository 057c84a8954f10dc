"""Take the data, mask, unit, WCS and header out of whatever users pass."""

import warnings
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.nddata import NDData
from astropy.utils.exceptions import AstropyWarning
from astropy.utils.masked import Masked
from astropy.wcs import WCS

from maximask_astro.utils.errors import MaximaskWarning
from maximask_astro.utils.quiet import quiet

__all__ = ["Exposure", "header_wcs", "unpack"]

_HDU_TYPES = (fits.PrimaryHDU, fits.ImageHDU, fits.CompImageHDU)


@dataclass(frozen=True)
class Exposure:
    """
    An exposure taken apart.

    Parameters
    ----------
    data : `~numpy.ndarray`
        Pixel values of any real dtype, two- or three-dimensional.

    mask : `~numpy.ndarray` of bool or None
        True where a pixel is masked.

    unit : `~astropy.units.Unit` or None
        Unit of the data.

    wcs : `~astropy.wcs.WCS` or None
        World coordinates.

    meta : mapping
        Header.
    """

    data: np.ndarray
    mask: np.ndarray | None = None
    unit: Any = None
    wcs: Any = None
    meta: Any = field(default_factory=dict)


def header_wcs(header, fobj=None):
    """
    The celestial coordinate system of a FITS header, distortions included.

    Parameters
    ----------
    header : `~astropy.io.fits.Header`
        Header of an image.

    fobj : `~astropy.io.fits.HDUList`, optional
        The file, for distortions that are kept in lookup tables.

    Returns
    -------
    wcs : `~astropy.wcs.WCS` or None
        None if the header has no coordinate system that astropy can read.
    """
    if "CTYPE1" not in header or "CTYPE2" not in header:
        return None
    try:
        # What astropy had to mend in a header is no concern here.
        with quiet(AstropyWarning):
            return WCS(header, fobj=fobj, naxis=2)
    except Exception as error:  # wcslib raises many kinds
        warnings.warn(
            f"The coordinate system of the header cannot be read and is left out: "
            f"{error}",
            MaximaskWarning,
            stacklevel=2,
        )
        return None


def _from_hdu(hdu):
    try:
        unit = u.Unit(hdu.header["BUNIT"])
    except (KeyError, ValueError, TypeError):
        unit = None
    return Exposure(hdu.data, None, unit, header_wcs(hdu.header), hdu.header)


def _take_apart(data):
    if isinstance(data, NDData):
        return Exposure(
            np.asarray(data.data), data.mask, data.unit, data.wcs, data.meta
        )
    if isinstance(data, _HDU_TYPES):
        return _from_hdu(data)
    if isinstance(data, Masked):
        return replace(_take_apart(data.unmasked), mask=data.mask)
    if isinstance(data, u.Quantity):
        return Exposure(data.value, unit=data.unit)
    if isinstance(data, np.ma.MaskedArray):
        return Exposure(data.data, mask=np.ma.getmaskarray(data))
    return Exposure(np.asarray(data))


def unpack(data, *, mask=None):
    """
    Take an exposure apart.

    Parameters
    ----------
    data : `~astropy.nddata.NDData`, `~astropy.nddata.CCDData`, \
            `~astropy.units.Quantity`, image HDU or array_like
        The exposure: two dimensions, or three for a cube of planes.

    mask : array_like of bool, optional
        True where a pixel is masked, for inputs that cannot bring their own.

    Returns
    -------
    exposure : `Exposure`
        Its parts; ``mask`` has the shape of ``data``.

    Raises
    ------
    TypeError
        The data are not real numbers.

    ValueError
        The data are empty or do not have two or three dimensions, the mask
        does not fit, or there are two masks.
    """
    exposure = _take_apart(data)
    values = exposure.data
    if values is None:
        raise ValueError("The HDU has no data; an image is needed.")
    if values.dtype.kind not in "biuf":
        raise TypeError(
            f"The image must hold real numbers, not the dtype '{values.dtype}'."
        )
    if values.ndim not in (2, 3):
        raise ValueError(
            "The image must have 2 dimensions, or 3 for a cube of planes, not "
            f"{values.ndim}."
        )
    if values.size == 0:
        raise ValueError(f"The image is empty: its shape is {values.shape}.")

    if mask is not None:
        if isinstance(data, NDData):
            raise ValueError(
                "Pass either an NDData object or mask=, not both: the object has "
                "its own mask."
            )
        own = exposure.mask
        mask = np.asarray(mask, dtype=bool)
        mask = mask if own is None else mask | own
    else:
        mask = exposure.mask
    if mask is not None:
        mask = np.asarray(mask)
        if mask.ndim and mask.shape != values.shape:
            raise ValueError(
                f"The mask has the shape {mask.shape}, the image {values.shape}."
            )
        # A mask of integers is a bit mask by astropy's convention: nonzero is bad.
        mask = np.broadcast_to(mask != 0, values.shape)
    return Exposure(values, mask, exposure.unit, exposure.wcs, exposure.meta)
