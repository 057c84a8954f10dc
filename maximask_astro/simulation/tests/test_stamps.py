import jax.numpy as jnp
import numpy as np
import pytest

from maximask_astro.simulation.stamps import add_stamps, in_groups, stamp_grid


def test_grids_are_about_their_sources():
    x, y = np.array([10.2, 20.7]), np.array([5.0, 8.4])
    dx, dy, top, left = stamp_grid(5, x, y)
    assert np.array_equal(left, [8, 19])
    assert np.array_equal(top, [3, 6])
    assert dx.shape == (2, 1, 5)
    assert dy.shape == (2, 5, 1)
    assert np.allclose(left[:, None] + np.arange(5) - x[:, None], dx[:, 0], atol=1e-5)
    assert np.allclose(top[:, None] + np.arange(5) - y[:, None], dy[:, :, 0], atol=1e-5)


def test_stamps_add_up():
    canvas = np.ones((6, 8), np.float32)
    values = np.arange(18, dtype=np.float32).reshape(2, 3, 3)
    image = add_stamps(canvas, values, jnp.array([1, 2]), jnp.array([0, 1]))
    expected = canvas.copy()
    expected[1:4, 0:3] += values[0]
    expected[2:5, 1:4] += values[1]
    assert np.array_equal(image, expected)


@pytest.mark.parametrize("group", [1, 3, 7, 10])
@pytest.mark.parametrize(("first", "last"), [(0, 10), (2, 9), (4, 4), (9, 10), (0, 1)])
def test_each_source_is_added_once(group, first, last):
    def add(canvas, some, there):
        return canvas.at[some].add(jnp.where(there, 1, 0))

    added = in_groups(add, jnp.zeros(10, int), jnp.arange(10), first, last, group)
    expected = np.zeros(10)
    expected[first:last] = 1
    assert np.array_equal(added, expected)
