"""Draw contaminant maps with matplotlib."""

import numpy as np
from astropy.visualization import AsinhStretch, ImageNormalize, ZScaleInterval

from maximask_astro.flags import get_class
from maximask_astro.utils.nddata import unpack

__all__ = ["draw_map"]


def _plane_of(array, plane):
    return array[plane] if np.ndim(array) == 3 else array


def draw_map(cmap, *, data=None, ax=None, classes=None, plane=0, alpha=0.6):
    """
    See `ContaminantMap.imshow`.

    Parameters
    ----------
    cmap : `ContaminantMap`
        The map.

    data : array_like, optional
        The exposure.

    ax : `~matplotlib.axes.Axes`, optional
        Where to draw.

    classes : iterable of str, optional
        Which classes.

    plane : int, optional
        Which plane of a cube.

    alpha : float, optional
        Opacity of the overlay.

    Returns
    -------
    ax : `~matplotlib.axes.Axes`
        Where it was drawn.
    """
    try:
        import matplotlib.pyplot as plt
        from matplotlib.colors import to_rgb
        from matplotlib.patches import Patch
    except ImportError as error:
        raise ImportError(
            "Drawing needs matplotlib: install maximask_astro[plot]."
        ) from error

    if ax is None:
        _, ax = plt.subplots(figsize=(9, 7), layout="constrained")
    if data is not None:
        values = np.asarray(_plane_of(unpack(data).data, plane), dtype=float)
        finite = values[np.isfinite(values)]
        interval = ZScaleInterval().get_limits(finite) if finite.size else (0, 1)
        low, high = interval
        # Room above zscale's limit keeps bright objects visible.
        norm = ImageNormalize(
            vmin=low, vmax=low + 4 * max(high - low, 1e-12), stretch=AsinhStretch(0.2)
        )
        ax.imshow(values, origin="lower", cmap="gray", norm=norm)

    if classes is None:
        classes = [name for name in cmap.classes if name not in ("BG", "BBG")]
    overlay = np.zeros((*cmap.shape[-2:], 4))
    handles = []
    # The most frequent first, so that rare classes end on top.
    masks = {name: _plane_of(cmap.class_mask(name), plane) for name in classes}
    for name in sorted(masks, key=lambda key: -masks[key].sum()):
        flag = get_class(name)
        chosen = masks[name]
        if chosen.any():
            overlay[chosen] = (*to_rgb(flag.color), alpha)
            label = f"{flag.abbreviation}  {flag.name}: {chosen.sum():,}"
            handles.append(Patch(color=flag.color, label=label))
    no_data = _plane_of(cmap.invalid, plane)
    if no_data.any():
        overlay[no_data] = (0.5, 0.5, 0.5, alpha)
        label = f"no verdict: {no_data.sum():,}"
        handles.append(Patch(color="0.5", label=label))
    ax.imshow(overlay, origin="lower", interpolation="auto")
    if handles:
        ax.legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=(1.01, 1),
            fontsize="small",
        )
    ax.set_xlabel("x (pixels)")
    ax.set_ylabel("y (pixels)")
    return ax
