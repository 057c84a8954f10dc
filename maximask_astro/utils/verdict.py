"""Whether there is anything in an image to judge."""

import numpy as np

__all__ = ["why_no_verdict"]


def why_no_verdict(parts):
    """
    Why an image has nothing to judge, if that is so.

    Parameters
    ----------
    parts : iterable of (`~numpy.ndarray`, `~numpy.ndarray` of bool or None)
        Pixels, part by part, and True for those without a usable value (also
        those that are not finite count as such). No more parts are taken than
        are needed.

    Returns
    -------
    reason : str or None
        None if there is something to judge.
    """
    only = None
    for values, invalid in parts:
        valid = np.isfinite(values)
        if invalid is not None:
            valid &= ~invalid
        if not valid.all():
            values = values[valid]
        if values.size == 0:
            continue
        only = values.flat[0] if only is None else only
        if (values != only).any():
            return None
    if only is None:
        return "every pixel is masked, NaN or infinite"
    return f"every pixel with a value is {only:g}"
