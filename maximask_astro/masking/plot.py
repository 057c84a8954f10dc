"""Draw contaminant maps with matplotlib."""

import numpy as np

from maximask_astro.flags import get_class
from maximask_astro.utils.plot import draw_exposure, plane_of

__all__ = ["draw_map"]


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
    ax = draw_exposure(data, plane=plane, ax=ax)
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Patch

    if classes is None:
        classes = [name for name in cmap.classes if name not in ("BG", "BBG")]
    overlay = np.zeros((*cmap.shape[-2:], 4))
    handles = []
    # The most frequent first, so that rare classes end on top.
    masks = {name: plane_of(cmap.class_mask(name), plane) for name in classes}
    for name in sorted(masks, key=lambda key: -masks[key].sum()):
        flag = get_class(name)
        chosen = masks[name]
        if chosen.any():
            overlay[chosen] = (*to_rgb(flag.color), alpha)
            label = f"{flag.abbreviation}  {flag.name}: {chosen.sum():,}"
            handles.append(Patch(color=flag.color, label=label))
    no_data = plane_of(cmap.invalid, plane)
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
    return ax
