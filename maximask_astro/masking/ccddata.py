"""Put a contaminant map into the flags, mask and header of CCDData."""

import numpy as np
from astropy.nddata import CCDData

from maximask_astro.flags import NO_DATA, decode
from maximask_astro.masking.header import provenance_cards
from maximask_astro.utils.headers import set_card

__all__ = ["flag_ccddata"]

# Header keyword: which bits of the flags this library has set.
_OWN_BITS = "MM_BITS"


def _merged_flags(ccd, cmap):
    """The exposure's flags ORed with those of the map."""
    if ccd.flags is None:
        return cmap.bitmask.copy()
    flags = np.asarray(ccd.flags)
    if flags.dtype.kind not in "iu":
        raise TypeError(
            f"The exposure's flags must be integers, not '{flags.dtype}', to add "
            "contaminants to them."
        )
    own = int(ccd.meta.get(_OWN_BITS, 0))
    used = int(np.bitwise_or.reduce(flags, axis=None)) & ~own
    colliding = used & (sum(s.bit for s in cmap.settings) | NO_DATA.bit)
    if colliding:
        raise ValueError(
            "The exposure's flags already use the bits of "
            f"{', '.join(decode(colliding))} for something else; move them to "
            "other bits or drop them (ccd.flags = None)."
        )
    # Promote as numpy does for two arrays, but never to float.
    dtype = np.result_type(flags.dtype, cmap.bitmask.dtype)
    return flags.astype(dtype) | cmap.bitmask.astype(dtype)


def flag_ccddata(ccd, cmap, *, update_mask=True):
    """
    See `ContaminantMap.to_ccddata`.

    Parameters
    ----------
    ccd : `~astropy.nddata.CCDData`
        The exposure.

    cmap : `ContaminantMap`
        Its map.

    update_mask : bool, optional
        Whether the map's mask is ORed into the exposure's.

    Returns
    -------
    flagged : `~astropy.nddata.CCDData`
        A copy.
    """
    if not isinstance(ccd, CCDData):
        raise TypeError(
            f"The exposure must be a CCDData object, not {type(ccd).__name__}."
        )
    if ccd.shape != cmap.shape:
        raise ValueError(
            f"The exposure has the shape {ccd.shape}, the contaminant map {cmap.shape}."
        )
    flags = _merged_flags(ccd, cmap)
    flagged = ccd.copy()
    flagged.flags = flags
    if update_mask:
        old = False if ccd.mask is None else np.asarray(ccd.mask) != 0
        flagged.mask = cmap.mask | old
    for keyword, value, comment in provenance_cards(
        cmap.provenance, cmap.invalid.sum()
    ):
        set_card(flagged.meta, keyword, value, comment)
    bits = int(ccd.meta.get(_OWN_BITS, 0)) if ccd.flags is not None else 0
    bits |= sum(s.bit for s in cmap.settings) | NO_DATA.bit
    set_card(flagged.meta, _OWN_BITS, bits, "bits of the flags set by maximask_astro")
    return flagged
