"""Tell exposures from what else is in FITS files."""

__all__ = ["AUXILIARY_HDUS", "why_no_exposure"]

# HDUs that are about an exposure rather than exposures themselves, by the names
# that observatories give them (EXTNAME, or EXTTYPE in LSST-style files).
AUXILIARY_HDUS = frozenset(
    (
        *("ERR", "ERROR", "VAR", "VARIANCE", "VARPOISSON", "VARRNOISE", "UNCERT"),
        *("SIGMA", "RMS", "WHT", "WEIGHT", "WGT", "IVAR", "INVVAR"),
        *("DQ", "DQMASK", "MASK", "BPM", "FLAG", "FLAGS", "CON", "CONTEXT", "CTX"),
        *("SAMP", "TIME", "EXP", "D2IMARR", "WCSDVARR", "WCSCORR", "AREA"),
    )
)


def why_no_exposure(hdu, *, chosen=False):
    """
    Why an HDU is not an exposure, if that is so.

    Parameters
    ----------
    hdu : HDU
        An HDU of an open file.

    chosen : bool, optional
        Whether the user asked for this very HDU: its name then does not count.

    Returns
    -------
    reason : str or None
        None if it is an image or a cube of images.
    """
    if not getattr(hdu, "is_image", False):
        return "it is not an image"
    shape = hdu.shape
    if not shape or 0 in shape:
        return "it has no data"
    if len(shape) not in (2, 3):
        return f"it has {len(shape)} dimension{'s' * (len(shape) > 1)}, not 2 or 3"
    for name in (hdu.name, str(hdu.header.get("EXTTYPE", ""))):
        if name.strip().upper() in AUXILIARY_HDUS and not chosen:
            return f"it is auxiliary by its name, {name}"
    return None
