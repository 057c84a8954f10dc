from itertools import product

import numpy as np
import pytest
from scipy.interpolate import make_interp_spline

from maximask_astro.background import array_reader
from maximask_astro.background.mesh import mesh_sky


def mesh_background(image, invalid=None):
    found = mesh_sky(array_reader(image, invalid), image.shape)
    where = range(image.shape[0]), range(image.shape[1])
    return found.level.values(*where), found.noise.values(*where)


def clipped(values):
    """Sky and noise of one mesh: the recipe of MaxiMask 1.4.1, step by step."""
    values = np.sort(np.ravel(values).astype(float))
    if not values.any():
        return 0.0, 1.0
    first = values.std()
    while True:
        inside = np.abs(values - np.median(values)) <= 3 * values.std()
        if inside.all():
            break
        values = values[inside]
    mean, median, last = values.mean(), np.median(values), values.std()
    sky = mean if abs(last / first - 1) < 0.2 else 2.5 * median - 1.5 * mean
    return sky, last


def without_outliers(grid):
    """Replace meshes that stand out by the mean of their neighbors, in order."""
    keep = np.ones(grid.shape, bool)
    for _ in range(5):
        center, spread = np.median(grid[keep]), grid[keep].std()
        keep &= np.abs(grid - center) <= 3 * spread
    grid = np.where(keep, grid, np.nan)
    for row, column in np.argwhere(~keep):
        rows, columns = range(row - 1, row + 2), range(column - 1, column + 2)
        near = [
            grid[r, c]
            for r, c in product(rows, columns)
            if 0 <= r < grid.shape[0] and 0 <= c < grid.shape[1]
        ]
        grid[row, column] = np.nanmean(near)
    return grid


def smooth_map(grid, shape):
    """Median of 3 by 3 with zeros outside, then cubic splines along both axes."""
    padded = np.pad(grid, 1, mode="edge")
    outside = np.pad(padded, 1)
    filtered = np.empty_like(padded)
    for row, column in np.ndindex(padded.shape):
        filtered[row, column] = np.median(outside[row : row + 3, column : column + 3])
    for axis, size in enumerate(shape):
        nodes = 200 * np.arange(-1, grid.shape[axis] + 1) + 100 + (size % 200) // 2
        filtered = make_interp_spline(nodes, filtered, axis=axis)(np.arange(size))
    return filtered


def slow_background(image):
    n_rows, n_columns = (size // 200 for size in image.shape)
    top, left = (size % 200 // 2 for size in image.shape)
    grids = np.empty((2, n_rows, n_columns))
    for row, column in np.ndindex(n_rows, n_columns):
        y, x = top + 200 * row, left + 200 * column
        grids[:, row, column] = clipped(image[y : y + 200, x : x + 200])
    return [smooth_map(without_outliers(grid), image.shape) for grid in grids]


def sky(shape, seed=0):
    """A sloping sky with noise and a few stars."""
    random = np.random.RandomState(seed)
    rows, columns = np.indices(shape)
    image = random.normal(1000 + 0.05 * rows + 0.02 * columns, 10.0)
    for row, column in zip(*random.uniform(0, min(shape), (2, 20)), strict=True):
        image += 3e4 * np.exp(-0.5 * ((rows - row) ** 2 + (columns - column) ** 2) / 9)
    return image.astype(np.float32)


def sky_with_an_outlier():
    image = sky((900, 1111))
    image[250:450, 455:655] += 30000 * np.random.RandomState(1).uniform(size=(200, 200))
    return image


def sky_with_a_dead_amplifier():
    image = sky((850, 850))
    image[:430, :430] = 0
    return image


@pytest.mark.parametrize(
    "image",
    [sky((850, 1050)), sky_with_an_outlier(), sky_with_a_dead_amplifier()],
    ids=["sky", "outlier", "dead amplifier"],
)
def test_recipe_of_maximask(image):
    level, rms = mesh_background(image)
    slow_level, slow_rms = slow_background(image)
    assert level.dtype == rms.dtype == np.float32
    np.testing.assert_allclose(level, slow_level, rtol=1e-5, atol=1e-3)
    assert np.all(rms > 0)  # where the spline of the original falls below, too
    positive = slow_rms > 0
    np.testing.assert_allclose(rms[positive], slow_rms[positive], rtol=1e-5, atol=1e-3)


def test_invalid_pixels_do_not_matter():
    image = sky((430, 610))
    invalid = np.random.RandomState(2).uniform(size=image.shape) < 0.3
    invalid[:215, :204] = True  # a whole mesh
    maps = []
    for value in (0.0, 5e4, -500.0):
        changed = np.where(invalid, np.float32(value), image)
        maps.append(np.array(mesh_background(changed, invalid)))
    assert np.array_equal(maps[0], maps[1])
    assert np.array_equal(maps[0], maps[2])


def test_mask_without_pixels_changes_nothing():
    image = sky((410, 420))
    with_mask = mesh_background(image, np.zeros(image.shape, bool))
    np.testing.assert_allclose(with_mask, mesh_background(image), rtol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (150, 90), (700, 199), (401, 200)])
def test_image_with_one_mesh_along_an_axis_has_a_sky_without_edges(shape):
    """Where the original has no answer: levels stay within those of the meshes."""
    image = np.random.RandomState(3).normal(1000, 10, shape).astype(np.float32)
    level, rms = mesh_background(image)
    assert np.abs(level - 1000).max() < (2 if image.size > 1000 else 40)
    assert np.all(rms > 0)


@pytest.mark.parametrize("value", [0.0, 1234.5])
@pytest.mark.parametrize("shape", [(7, 9), (450, 450), (850, 850)])
def test_constant_image_has_a_positive_noise(value, shape):
    level, rms = mesh_background(np.full(shape, value, np.float32))
    assert np.all(np.isfinite(level))
    assert np.all(rms > 0)


def test_image_without_a_valid_pixel_has_level_0_and_noise_1():
    image = np.zeros((300, 200), np.float32)
    level, rms = mesh_background(image, np.ones(image.shape, bool))
    assert np.all(level == 0)
    assert np.all(rms == 1)
