"""Draw tracking results with matplotlib."""

import numpy as np

from maximask_astro.utils.plot import draw_exposure

__all__ = ["draw_result"]


def draw_result(result, *, data=None, image=0, ax=None):
    """
    See `TrackingResult.imshow`.

    Parameters
    ----------
    result : `TrackingResult`
        The result.

    data : array_like, optional
        The image.

    image : int, optional
        Its index.

    ax : `~matplotlib.axes.Axes`, optional
        Where to draw.

    Returns
    -------
    ax : `~matplotlib.axes.Axes`
        Where it was drawn.
    """
    ax = draw_exposure(data, ax=ax)
    shown = ax.imshow(
        result.probability_map(image),
        cmap="RdYlGn_r",
        vmin=0,
        vmax=1,
        alpha=0.35 if data is not None else 1.0,
        origin="lower",
    )
    ax.figure.colorbar(shown, ax=ax, label="probability of a tracking error")
    for tile in result.tiles:
        if tile.image == image and tile.usable > 0.5:
            _draw_blur(ax, tile)
    ax.set_title(f"{result.verdict}: {result.probability:.3f}")
    return ax


def _draw_blur(ax, tile):
    """The blur as a line in the middle of its tile, four times as long."""
    from matplotlib.patheffects import withStroke

    if not np.isfinite(tile.length):
        return
    y, x = tile.top + tile.height / 2, tile.left + tile.width / 2
    angle, half = np.radians(tile.angle), 2 * tile.length
    dy, dx = half * np.sin(angle), half * np.cos(angle)
    # With an outline, it can be told from any exposure.
    outline = [withStroke(linewidth=4, foreground="white")]
    ax.plot(
        [x - dx, x + dx],
        [y - dy, y + dy],
        color="#0d47a1",
        lw=2,
        path_effects=outline,
    )
