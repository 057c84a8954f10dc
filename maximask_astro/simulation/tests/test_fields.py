import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.simulation.fields import (
    larger_period,
    make_grid,
    periodic_field,
    polynomial_field,
    power_law_field,
)
from maximask_astro.tests.helpers import quick_jit

SHAPE = (48, 64)
SEEDS = st.integers(0, 2**31 - 1)
SLOPES = st.floats(0.0, 5.0)

_power_law = quick_jit(lambda key, slope: power_law_field(key, SHAPE, slope))
_polynomial = quick_jit(polynomial_field, static_argnums=(1, 2))


def power_law(seed, slope):
    return np.asarray(_power_law(jax.random.key(seed), slope))


def roughness(field):
    """Mean square of the steps between neighbors."""
    return np.mean(np.diff(field, axis=0) ** 2) + np.mean(np.diff(field, axis=1) ** 2)


@given(SEEDS, SLOPES)
def test_power_law_fields_are_normalized(seed, slope):
    field = power_law(seed, slope)
    assert field.shape == SHAPE
    assert abs(field.mean()) < 1e-4
    assert field.std() == pytest.approx(1, abs=1e-3)


@given(SEEDS, SLOPES)
def test_steeper_power_laws_are_smoother(seed, slope):
    fields = [power_law(seed, s) for s in (slope, slope + 1)]
    assert roughness(fields[1]) < roughness(fields[0])


def test_opposite_sides_differ():
    fields = np.array([power_law(seed, 4.0) for seed in range(12)])
    for sides in (fields, fields.transpose(0, 2, 1)):
        across = np.mean((sides[:, 0] - sides[:, -1]) ** 2)
        assert across > 20 * np.mean((sides[:, 0] - sides[:, 1]) ** 2)


@pytest.mark.parametrize("degree", [1, 2, 3])
@given(seed=SEEDS)
def test_polynomials_fill_their_range(degree, seed):
    field = np.asarray(_polynomial(jax.random.key(seed), SHAPE, degree))
    assert field.shape == SHAPE
    assert field.min() == pytest.approx(-1, abs=1e-4)
    assert field.max() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_polynomials_have_their_degree(degree):
    field = np.asarray(_polynomial(jax.random.key(1), SHAPE, degree), dtype=float)
    y, x = (np.linspace(-1, 1, size) for size in SHAPE)
    fit = np.polynomial.polynomial.polyvander2d
    grid = np.meshgrid(y, x, indexing="ij")

    def residual(n):
        table = fit(*(g.ravel() for g in grid), (n, n))
        total = np.add.outer(np.arange(n + 1), np.arange(n + 1)).ravel()
        table = table[:, total <= n]
        return field.ravel() - table @ np.linalg.lstsq(table, field.ravel())[0]

    assert np.abs(residual(degree)).max() < 1e-4
    assert np.abs(residual(degree - 1)).max() > 0.01


@pytest.mark.parametrize("shape", [(62, 77), (64, 96)])
@pytest.mark.parametrize("factor", [2, 4, 8])
def test_grids_pass_parabolas_unchanged(shape, factor):
    grid = make_grid(shape, factor)

    def parabola(y, x):
        return 3 + 0.2 * y - 0.01 * y * x + 0.002 * x**2

    large = np.asarray(grid.enlarge(parabola(*grid.coordinates())))
    assert large.shape == shape
    assert large == pytest.approx(parabola(*np.indices(shape)), abs=1e-3)


def test_grids_average_in_cells():
    shape = (62, 77)
    grid = make_grid(shape, 4)
    x = np.indices(shape)[1].astype(np.float32)
    averages = np.asarray(grid.average(x))
    assert averages.shape == grid.shape
    assert grid.inside(averages)[:, :19] == pytest.approx(
        np.broadcast_to(np.asarray(grid.coordinates()[1])[:, 2:21], (16, 19))
    )


def test_stretched_fields_are_smoother_along_the_stretch():
    field = np.asarray(
        periodic_field(jax.random.key(1), (128, 128), 3.0, 2.0, stretch=6.0, angle=0.0)
    )
    along, across = (np.mean(np.diff(field, axis=axis) ** 2) for axis in (1, 0))
    assert across > 3 * along
    assert np.mean((field[0] - field[-1]) ** 2) < 0.2


def test_periods_are_fast():
    assert larger_period((388, 97), 1.5) == (600, 150)
