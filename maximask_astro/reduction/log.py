"""Log a reduction step in an exposure's header as ccdproc's own steps do."""

import ccdproc
from astropy.io import fits

__all__ = ["log_step"]


def log_step(ccd, step, short_name, arguments, add_keyword):
    """
    Log a step in the header of its result.

    Parameters
    ----------
    ccd : `~astropy.nddata.CCDData`
        The result; its ``meta`` is changed.

    step, short_name : str
        Name of the function, and one of at most eight characters that a FITS
        keyword can have.

    arguments : dict
        Arguments of the call, by name; they are logged by their `repr`.

    add_keyword : bool, None, str, `~ccdproc.Keyword` or dict
        As for ccdproc's functions: True logs the arguments (unless
        ``ccdproc.conf.auto_logging`` is off), False or None nothing, anything
        else is added instead.
    """
    if add_keyword is True:
        if not ccdproc.conf.auto_logging:
            return
        # A long keyword and a long value do not fit on one FITS card, so the
        # long keyword points to a short one.
        if isinstance(ccd.meta, fits.Header):
            comment = f"Shortened name for {step}"
            ccd.meta[f"HIERARCH {step.upper()}"] = (short_name, comment)
        else:
            ccd.meta[step] = short_name
        ccd.meta[short_name] = ", ".join(
            f"{name}={value!r}" for name, value in arguments.items()
        )
    elif not add_keyword:
        return
    elif isinstance(add_keyword, str):
        ccd.meta[add_keyword] = None
    elif isinstance(add_keyword, ccdproc.Keyword):
        ccd.meta[add_keyword.name] = add_keyword.value
    else:
        for key, value in add_keyword.items():
            ccd.meta[key] = value
