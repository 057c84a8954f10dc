"""What all reduction steps ask of their input."""

from astropy.nddata import CCDData

__all__ = ["require_ccd"]


def require_ccd(ccd):
    """
    Refuse anything but CCDData.

    Parameters
    ----------
    ccd : object
        The exposure.

    Raises
    ------
    TypeError
        It is not CCDData.
    """
    if not isinstance(ccd, CCDData):
        raise TypeError(f"ccd must be a CCDData object, not {type(ccd).__name__}.")
