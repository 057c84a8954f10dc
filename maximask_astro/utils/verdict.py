"""Whether there is anything in an image to judge."""

import numpy as np

__all__ = ["why_no_verdict"]


def why_no_verdict(data, mask=None):
    """
    Why an image has nothing to judge, if that is so.

    Parameters
    ----------
    data : array_like
        Two-dimensional image.

    mask : `~numpy.ndarray` of bool, optional
        True where a pixel is masked.

    Returns
    -------
    reason : str or None
        None if there is something to judge.
    """
    values = np.asarray(data)
    valid = np.isfinite(values)
    if mask is not None:
        valid &= ~mask
    if not valid.all():
        values = values[valid]
    if values.size == 0:
        return "every pixel is masked, NaN or infinite"
    low = values.min()
    if low == values.max():
        return f"every pixel with a value is {low:g}"
    return None
