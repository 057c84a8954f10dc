import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from maximask_astro.models import PoolWithPositions, Unpool

# Few sizes, since each is compiled; few values, so that ties are common.
SIZES = st.sampled_from([(1, 1), (2, 2), (3, 4), (4, 5), (7, 3)])
VALUES = st.sampled_from(np.float32([-2, -1, 0, 0.5, 1]).tolist())
MAPS = SIZES.flatmap(
    lambda size: hnp.arrays(np.float32, (2, *size, 3), elements=VALUES)
)


def windows(x):
    """Each 2 by 2 window of a map: its slice and its values, channel by channel."""
    for batch, row, column, channel in np.ndindex(x.shape):
        if row % 2 == column % 2 == 0:
            where = np.s_[batch, row : row + 2, column : column + 2, channel]
            yield (batch, row // 2, column // 2, channel), where, x[where]


@given(MAPS)
def test_pooling_takes_the_maximum_of_each_window(x):
    pooled = np.asarray(PoolWithPositions()(x)[0])
    assert pooled.shape == (2, -(-x.shape[1] // 2), -(-x.shape[2] // 2), 3)
    for index, _, window in windows(x):
        assert pooled[index] == window.max()


@given(MAPS)
def test_unpooling_puts_maxima_back_and_the_first_of_equals_wins(x):
    pooled, *positions = PoolWithPositions()(x)
    unpooled = np.asarray(Unpool()(pooled, *positions, x))
    expected = np.zeros_like(x)
    for _, where, window in windows(x):
        first = np.unravel_index(window.argmax(), window.shape)  # row-major order
        expected[where][first] = window.max()
    assert np.array_equal(unpooled, expected)


def test_unpooling_takes_new_values_to_the_old_places():
    x = np.float32([[0, 1, 5], [2, 0, 4]]).reshape(1, 2, 3, 1)
    _, *positions = PoolWithPositions()(x)
    new = np.float32([[10, 20]]).reshape(1, 1, 2, 1)
    unpooled = np.asarray(Unpool()(new, *positions, x))
    assert unpooled[0, ..., 0].tolist() == [[0, 0, 20], [10, 0, 0]]


@pytest.mark.parametrize("size", [(None, None), (5, 8)])
def test_symbolic_shapes_are_those_of_the_arrays(size):
    import keras

    x = keras.KerasTensor((None, *size, 3))
    pooled, *positions = PoolWithPositions()(x)
    half = tuple(None if n is None else -(-n // 2) for n in size)
    assert pooled.shape == (None, *half, 3)
    assert {position.dtype for position in positions} == {"bool"}
    assert Unpool()(pooled, *positions, x).shape == x.shape
