import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import BSpline, RectBivariateSpline
from scipy.ndimage import zoom

from maximask_astro.background.surface import (
    constant_surface,
    interpolated_surface,
    zoomed_surface,
)

grids = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99)).map(
    lambda drawn: np.random.RandomState(drawn[2]).normal(100, 5, drawn[:2])
)


@given(grid=grids, height=st.integers(2, 60), width=st.integers(2, 60))
def test_zoomed_as_scipy_does(grid, height, width):
    expected = zoom(grid, (height, width), order=3, mode="reflect", grid_mode=True)
    surface = zoomed_surface(grid, (height, width))
    found = surface.values(*(range(size) for size in expected.shape))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@given(grid=grids)
def test_interpolated_as_fitpack_does(grid):
    grid = np.pad(grid, 1, mode="edge")
    nodes = [np.arange(size) * 20.0 + 7 for size in grid.shape]
    degrees = (min(3, size - 1) for size in grid.shape)
    where = [np.arange(axis[0], axis[-1]) for axis in nodes]
    expected = RectBivariateSpline(
        *nodes, grid, **dict(zip(("kx", "ky"), degrees, strict=True))
    )(*where)
    found = interpolated_surface(grid, nodes).values(*where)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@given(grid=grids, step=st.integers(2, 300), seed=st.integers(0, 99))
def test_the_basis_is_that_of_splines(grid, step, seed):
    surface = zoomed_surface(grid, (step, step))
    for axis, number in enumerate(grid.shape):
        positions = np.random.RandomState(seed).randint(0, step * number, 7)
        expected = BSpline.design_matrix(positions, surface.knots[axis], 3).toarray()
        first, values = surface.basis(axis, positions)
        found = np.zeros_like(expected)
        found[:, first : first + values.shape[1]] = values
        np.testing.assert_allclose(found, expected, atol=1e-12)


@given(
    grid=grids,
    start=st.integers(0, 70),
    length=st.integers(1, 60),
    columns=st.lists(st.integers(0, 80), min_size=1, max_size=9),
)
def test_a_part_is_part_of_the_whole(grid, start, length, columns):
    surface = zoomed_surface(grid, (200, 200), low=grid.min(), high=grid.max())
    rows = np.arange(start, start + length)
    whole = surface.values(range(200 * len(grid)), range(200))
    found = surface.values(rows, columns)
    np.testing.assert_allclose(found, whole[rows][:, columns], rtol=1e-6)


def test_values_are_clipped_and_replaced():
    surface = zoomed_surface(
        np.array([[-4.0, 2.0, 8.0]]), (1, 50), high=3.0, replacement=1.5
    )
    values = surface.values([0], range(150))
    assert values.max() == 3.0
    assert values[0, 0] == pytest.approx(1.5)
    assert values.min() > 0


def test_a_constant_is_the_same_everywhere():
    values = constant_surface(7.5).values([0, 5, 10**6], [3, 10**5])
    assert values.tolist() == [[7.5, 7.5]] * 3
