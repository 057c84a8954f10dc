"""
Normalize exposures for the networks: subtract the sky, divide by its noise.

Each model card names the normalization its network was trained with.
"""

from functools import partial

import numpy as np
from astropy.stats import mad_std
from photutils.background import Background2D

from maximask_astro.background.fill import fill_invalid
from maximask_astro.background.mesh import mesh_background

__all__ = ["NORMALIZATIONS", "estimate_background", "normalize"]

# What MaxiMask clips raw values to before it does anything else.
_MAXIMASK_RANGE = (-500.0, 80000.0)

_BOX_SIZE = 200

# Pixels that the level of a whole image is taken from.
_SAMPLE = 100_000


def _maximask(image, invalid):
    np.clip(image, *_MAXIMASK_RANGE, out=image)
    return mesh_background(image, invalid)


def _photutils(image, invalid):
    if invalid is not None and invalid.all():
        return np.zeros_like(image), np.ones_like(image)
    estimate = partial(
        Background2D,
        image,
        box_size=[min(_BOX_SIZE, size) for size in image.shape],
        mask=invalid,
        filter_size=3,
    )
    try:
        background = estimate(exclude_percentile=90)
    except ValueError:  # no box has a tenth of its pixels: take what there is
        background = estimate(exclude_percentile=100)
    level = np.asarray(background.background, dtype=np.float32)
    rms = np.asarray(background.background_rms, dtype=np.float32)
    return level, np.where(rms > 0, rms, np.float32(1))


def _global(image, invalid):
    values = image if invalid is None else image[~invalid]
    if values.size > _SAMPLE:
        values = values.ravel()
        values = values[np.random.default_rng(0).integers(0, values.size, _SAMPLE)]
    level, rms = (np.median(values), mad_std(values)) if values.size else (0.0, 0.0)
    rms = rms if rms > 0 else 1.0
    return tuple(
        np.broadcast_to(np.float32(value), image.shape) for value in (level, rms)
    )


# Name to function of (float32 image that may be changed, invalid or None).
NORMALIZATIONS = {
    "global": _global,
    "maximask": _maximask,
    "photutils": _photutils,
}


def _prepared(data, mask):
    """Copy to native float32 and find the invalid pixels (None if there are none)."""
    data = np.asanyarray(data)
    if data.ndim != 2:
        raise ValueError(f"The image must have 2 dimensions, not {data.ndim}.")
    with np.errstate(over="ignore"):
        image = np.array(data, dtype=np.float32)
    invalid = ~np.isfinite(image)
    if mask is not None:
        invalid |= mask
    if isinstance(data, np.ma.MaskedArray):
        invalid |= np.ma.getmaskarray(data)
    if not invalid.any():
        return np.asarray(image), None
    image = np.asarray(image)
    image[invalid] = 0.0
    return image, invalid


def _method(name):
    try:
        return NORMALIZATIONS[name]
    except KeyError:
        raise ValueError(
            f"There is no normalization '{name}'; there are "
            f"{', '.join(NORMALIZATIONS)}."
        ) from None


def estimate_background(data, *, mask=None, method="photutils"):
    """
    Estimate the sky level and the sky noise of an image.

    Parameters
    ----------
    data : array_like
        Two-dimensional image of any real dtype.

    mask : `~numpy.ndarray` of bool, optional
        True for pixels to leave out, in addition to those that are not finite.

    method : {'photutils', 'maximask', 'global'}, optional
        ``'maximask'`` is the recipe of MaxiMask 1.4.1, ``'photutils'`` is
        `photutils.background.Background2D` in boxes of 200 pixels, ``'global'``
        the median of the whole image and its median absolute deviation as a
        standard deviation, from 100,000 of its pixels.

    Returns
    -------
    level, rms : `~numpy.ndarray`
        float32 maps of the shape of ``data``, in its unit; ``rms`` is
        positive. They are 0 and 1 where there is no valid pixel at all.
    """
    function = _method(method)
    return function(*_prepared(data, mask))


def normalize(data, *, mask=None, method="photutils"):
    """
    Subtract the sky and divide by its noise.

    Parameters
    ----------
    data : array_like
        Two-dimensional image of any real dtype.

    mask : `~numpy.ndarray` of bool, optional
        True for pixels to leave out, in addition to those that are not finite.

    method : {'photutils', 'maximask', 'global'}, optional
        As in `estimate_background`.

    Returns
    -------
    image : `~numpy.ndarray`
        float32, of the shape of ``data``, without units: multiples of the sky
        noise above the sky. Invalid pixels are filled.

    invalid : `~numpy.ndarray` of bool or None
        True for pixels that were masked or not finite; None if there are none.
    """
    function = _method(method)
    image, invalid = _prepared(data, mask)
    level, rms = function(image, invalid)
    image -= level
    image /= rms
    if invalid is not None:
        fill_invalid(image, invalid)
    return image, invalid
