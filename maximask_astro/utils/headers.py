"""Carry FITS headers over to what is derived from an exposure, and add to them."""

from astropy.io import fits

from maximask_astro.utils.quiet import quiet

__all__ = ["card_text", "derived_header", "set_card"]

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
        with quiet(fits.verify.VerifyWarning):
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


def card_text(value, comment):
    """
    Make a text that fits on a card.

    Parameters
    ----------
    value : object
        What is to be said.

    comment : str
        The comment that goes with it.

    Returns
    -------
    text : str
        Printable ASCII, short enough for a card with the comment.
    """
    text = "".join(sign if " " <= sign <= "~" else "?" for sign in str(value))
    room = 80 - len("KEYWORD = '' / ") - len(comment)
    return text[: room - text.count("'")]


def set_card(meta, keyword, value, comment):
    """
    Set a keyword, with its comment where the header can hold one.

    Parameters
    ----------
    meta : mapping
        A `~astropy.io.fits.Header` or another mapping; it is changed.

    keyword : str
        At most eight characters.

    value : bool, int, float or str
        Its value.

    comment : str
        What it means.
    """
    meta[keyword] = value
    if hasattr(meta, "comments"):
        meta.comments[keyword] = comment
