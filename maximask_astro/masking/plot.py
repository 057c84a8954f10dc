"""Draw contaminant maps with matplotlib."""

import numpy as np
from scipy.special import logit

from maximask_astro.flags import get_class
from maximask_astro.utils.plot import draw_exposure, plane_of

__all__ = ["draw_map"]


def _one_each(cmap, masks, plane):
    """The pixels of each class, but those of several only for the likeliest."""
    if cmap.probability_planes is None or not masks:
        # The rarest, which would be lost among others: it is drawn last.
        return masks
    names = list(masks)
    order = {item.name: index for index, item in enumerate(cmap.settings)}
    likeliest = np.full(cmap.shape[-2:], -1)
    best = np.full(cmap.shape[-2:], -np.inf)
    with np.errstate(divide="ignore"):
        for number, name in enumerate(names):
            index = order[get_class(name).abbreviation]
            values = plane_of(cmap.probability_planes[index], plane)
            # Relative to the threshold, as among rivals; certain beyond any limit.
            odds = logit(values) - logit(np.float32(cmap.settings[index].threshold))
            wins = masks[name] & ((odds > best) | (likeliest < 0))
            best[wins], likeliest[wins] = odds[wins], number
    return {name: likeliest == number for number, name in enumerate(names)}


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
    masks = {name: plane_of(cmap.class_mask(name), plane) for name in classes}
    painted = _one_each(cmap, masks, plane)
    for name in sorted(masks, key=lambda key: -masks[key].sum()):
        flag = get_class(name)
        if masks[name].any():
            overlay[painted[name]] = (*to_rgb(flag.color), alpha)
            label = f"{flag.abbreviation}  {flag.name}: {masks[name].sum():,}"
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
