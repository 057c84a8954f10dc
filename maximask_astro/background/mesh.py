"""
Sky and noise of an exposure as MaxiMask and MaxiTrack estimate them.

The recipe is that of MaxiMask 1.4.1: a variant of SExtractor's (Bertin &
Arnouts 1996, A&AS 117, 393) on meshes of 200 pixels. The published networks
were trained on images normalized so.
"""

import numpy as np
from astropy.stats import sigma_clipped_stats
from scipy.ndimage import median_filter

from maximask_astro.background.sky import Sky
from maximask_astro.background.surface import constant_surface, interpolated_surface

__all__ = ["mesh_sky"]

# What MaxiMask clips raw values to before it does anything else.
_RANGE = (-500.0, 80000.0)

_MESH = 200
_SIGMA = 3.0
_MAX_ROUNDS = 5


def _meshes(array, n_columns, width):
    """Cut the centered whole meshes out of a row of them, one a row."""
    left = (array.shape[1] % width) // 2
    used = array[:, left : left + n_columns * width]
    blocks = used.reshape(len(array), n_columns, width).swapaxes(0, 1)
    return blocks.reshape(n_columns, -1)


def _mesh_statistics(values, invalid):
    """
    Sky level and noise of each mesh, NaN where a mesh has no valid pixel.

    The sky is the clipped mean where clipping changed the standard deviation
    by less than 20%, else the mode estimate 2.5 median - 1.5 mean.
    """
    if invalid is None:
        first_rms = np.std(values, axis=1, dtype=np.float64)
        constant = np.ptp(values, axis=1) == 0
    else:
        values = np.where(invalid, np.nan, values)
        empty = invalid.all(axis=1)
        values[empty] = 0.0
        first_rms = np.nanstd(values, axis=1, dtype=np.float64)
        constant = np.nanmax(values, axis=1) == np.nanmin(values, axis=1)

    mean, median, rms = sigma_clipped_stats(
        values,
        mask=None if invalid is None else invalid & ~empty[:, None],
        sigma=_SIGMA,
        maxiters=None,
        axis=1,
    )
    little_change = (rms > 0.8 * first_rms) & (rms < 1.2 * first_rms)
    level = np.where(little_change, mean, 2.5 * median - 1.5 * mean)
    # A mesh without any noise has no scale of its own.
    rms = np.where(constant, np.where(median == 0, 1.0, rms), rms)
    if invalid is not None:
        level[empty] = rms[empty] = np.nan
    return level, rms


def _replace_outliers(grid):
    """Replace the meshes that stand out by the mean of their neighbors."""
    good = np.isfinite(grid)
    for _ in range(_MAX_ROUNDS):
        center, spread = np.median(grid[good]), np.std(grid[good])
        outside = good & (np.abs(grid - center) > _SIGMA * spread)
        if not outside.any():
            break
        good &= ~outside

    grid = np.where(good, grid, np.nan)
    # One after another in row-major order, as in the original: a mesh that was
    # just filled helps to fill the next.
    while np.isnan(grid).any():
        for row, column in np.argwhere(~good):
            near = grid[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
            if np.isfinite(near).any():
                grid[row, column] = np.nanmean(near)
    return grid


def _axis_nodes(size, mesh, n_meshes):
    """Positions of the mesh centers, with one more on either side."""
    return np.arange(-1, n_meshes + 1) * mesh + mesh / 2 + (size % mesh) // 2


def _surface(grid, shape, mesh, **options):
    """Median filter the grid of meshes and draw cubic splines through it."""
    # The original's median filter takes zeros outside the (padded) grid. On
    # the small images that it did not process, that would make most of the
    # map wrong, so there the edge is repeated.
    small = min(grid.shape) < 2
    padded = median_filter(
        np.pad(grid, 1, mode="edge"), size=3, mode="nearest" if small else "constant"
    )
    nodes = [
        _axis_nodes(size, step, count)
        for size, step, count in zip(shape, mesh, grid.shape, strict=True)
    ]
    return interpolated_surface(padded, nodes, **options)


def mesh_sky(read, shape):
    """
    Estimate the sky level and the sky noise of an image.

    Parameters
    ----------
    read : callable
        Gives rows of the image, see `array_reader`.

    shape : tuple of two int
        Size of the image.

    Returns
    -------
    sky : `Sky`
        Level and noise.

    Notes
    -----
    Pixels are clipped to the range from -500 to 80000 before anything else. Meshes
    are 200 by 200 pixels, the remainder of the image split between its
    sides. Each is clipped at 3 sigma around its median until nothing changes.
    Meshes more than 3 sigma from the others' median are replaced by the mean
    of their neighbors, the grid is median filtered (3 by 3), and a bicubic
    spline is drawn through the centers. An image with fewer than 200 pixels
    along an axis has one mesh along it. The original had no answer for images
    with a single mesh along an axis: they get a constant along that axis.
    """
    mesh = tuple(min(_MESH, size) for size in shape)
    n_rows, n_columns = (size // step for size, step in zip(shape, mesh, strict=True))
    top = (shape[0] % mesh[0]) // 2
    statistics = []
    for row in range(n_rows):
        start = top + row * mesh[0]
        image, invalid = read(start, start + mesh[0])
        np.clip(image, *_RANGE, out=image)
        values = _meshes(image, n_columns, mesh[1])
        if invalid is not None:
            invalid = _meshes(invalid, n_columns, mesh[1])
        statistics.append(_mesh_statistics(values, invalid))
    level, rms = np.array(statistics).swapaxes(0, 1)
    if not np.isfinite(level).any():
        return Sky(constant_surface(0.0), constant_surface(1.0), *_RANGE)
    positive = rms[rms > 0]
    instead = np.median(positive) if positive.size else 1.0
    return Sky(
        _surface(_replace_outliers(level), shape, mesh),
        _surface(_replace_outliers(rms), shape, mesh, replacement=float(instead)),
        *_RANGE,
    )
