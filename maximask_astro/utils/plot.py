"""Draw exposures with matplotlib, below what is drawn over them."""

import numpy as np
from astropy.visualization import AsinhStretch, ImageNormalize, ZScaleInterval

from maximask_astro.utils.nddata import unpack

__all__ = ["draw_exposure", "plane_of"]


def plane_of(array, plane):
    """
    Pick a plane of a cube.

    Parameters
    ----------
    array : `~numpy.ndarray`
        Two- or three-dimensional.

    plane : int
        Which one.

    Returns
    -------
    image : `~numpy.ndarray`
        The plane, or the array itself if it is an image.
    """
    return array[plane] if np.ndim(array) == 3 else array


def draw_exposure(data=None, *, plane=0, ax=None):
    """
    Draw an exposure in gray.

    Parameters
    ----------
    data : array_like, optional
        The exposure; without it there are only axes.

    plane : int, optional
        Which plane of a cube.

    ax : `~matplotlib.axes.Axes`, optional
        Where to draw; new axes by default.

    Returns
    -------
    ax : `~matplotlib.axes.Axes`
        Where it was drawn, with labels.

    Raises
    ------
    ImportError
        Matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Drawing needs matplotlib: install maximask_astro[plot]."
        ) from error
    if ax is None:
        _, ax = plt.subplots(figsize=(9, 7), layout="constrained")
    if data is not None:
        values = np.asarray(plane_of(unpack(data).data, plane), dtype=float)
        finite = values[np.isfinite(values)]
        low, high = ZScaleInterval().get_limits(finite) if finite.size else (0, 1)
        # Room above zscale's limit keeps bright objects visible.
        norm = ImageNormalize(
            vmin=low, vmax=low + 4 * max(high - low, 1e-12), stretch=AsinhStretch(0.2)
        )
        ax.imshow(values, origin="lower", cmap="gray", norm=norm)
    ax.set_xlabel("x (pixels)")
    ax.set_ylabel("y (pixels)")
    return ax
