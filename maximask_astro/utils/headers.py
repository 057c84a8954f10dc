"""Carry FITS headers from an exposure over to what is derived from it."""

import warnings

from astropy.io import fits

__all__ = ["derived_header"]

# Beyond what `astropy.io.fits.Header.strip` takes out: keywords that describe
# the pixel values of the source.
_VALUE_KEYWORDS = (
    *("BLANK", "BSCALE", "BZERO", "BUNIT", "DATAMIN", "DATAMAX"),
    *("CHECKSUM", "DATASUM", "ZHECKSUM", "ZDATASUM"),
)


def derived_header(meta, wcs=None):
    """
    Header for an image on the same pixels with other values.

    Parameters
    ----------
    meta : mapping
        Header of the source, a `~astropy.io.fits.Header` or another mapping.
        What FITS cannot hold is left out.

    wcs : `~astropy.wcs.WCS`, optional
        World coordinates, used if the header has none.

    Returns
    -------
    header : `~astropy.io.fits.Header`
        The source's cards, except those about its array and its values.
    """
    if isinstance(meta, fits.Header):
        header = meta.copy(strip=True)
    else:
        header = fits.Header()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", fits.verify.VerifyWarning)
            for key, value in dict(meta or {}).items():
                if not isinstance(key, str):
                    continue
                try:
                    fits.Header([(key, value)]).tostring()
                    header[key] = value
                except (ValueError, TypeError):
                    continue
    for keyword in _VALUE_KEYWORDS:
        header.remove(keyword, ignore_missing=True, remove_all=True)
    if wcs is not None and "CTYPE1" not in header and hasattr(wcs, "to_header"):
        header.update(wcs.to_header(relax=True))
    return header
