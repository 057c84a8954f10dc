import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.background import fill_invalid


def noise(shape, seed=0):
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def square_hole(shape):
    invalid = np.zeros(shape, bool)
    invalid[50:250, 50:250] = True
    return invalid


def filled(image, invalid):
    return fill_invalid(image.copy(), invalid)


def test_single_pixel_gets_the_mean_of_its_neighbors():
    image = np.arange(25, dtype=np.float32).reshape(5, 5) ** 2
    invalid = np.zeros((5, 5), bool)
    invalid[2, 3] = invalid[0, 0] = True
    result = filled(image, invalid)
    near = image[1:4, 2:5][~invalid[1:4, 2:5]]
    assert result[2, 3] == np.float32(near.mean())
    assert np.array_equal(result[~invalid], image[~invalid])


@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(width=32))
def test_filling_depends_on_valid_pixels_only(seed, fraction, garbage):
    random = np.random.RandomState(seed)
    shape = random.randint(1, 40, 2)
    image = noise(shape, seed)
    invalid = random.uniform(size=shape) < fraction
    result = filled(np.where(invalid, np.float32(garbage), image), invalid)
    assert np.array_equal(result, filled(image, invalid))
    assert np.array_equal(result[~invalid], image[~invalid])
    assert np.isfinite(result).all()


def test_wide_holes_look_like_sky():
    """Within a hole of 200 by 200 pixels: zero mean, unit noise, no pattern."""
    image, invalid = noise((300, 300)), square_hole((300, 300))
    hole = filled(image, invalid)[60:240, 60:240]
    assert abs(hole.mean()) < 0.03
    assert abs(hole.std() - 1) < 0.03
    assert abs(np.corrcoef(hole[:, 1:].ravel(), hole[:, :-1].ravel())[0, 1]) < 0.03


@pytest.mark.parametrize("level", [-40.0, -2.0, 3.0, 1000.0])
def test_holes_take_the_level_around_them_but_not_that_of_stars(level):
    image, invalid = np.full((300, 300), level, np.float32), square_hole((300, 300))
    pattern = filled(np.zeros_like(image), invalid)
    rim = (filled(image, invalid) - pattern)[52:248, 52:248][:5]
    expected = np.clip(level, -5, 5)
    np.testing.assert_allclose(rim, expected, rtol=1e-5)


def test_filling_looks_12_pixels_far():
    image, invalid = noise((300, 300)), square_hole((300, 300))
    changed = image.copy()
    changed[30:38, :] += 3
    rows, _ = np.nonzero(filled(changed, invalid) != filled(image, invalid))
    assert rows.max() == 37
    changed[49, 200] += 3
    rows, columns = np.nonzero(filled(changed, invalid) != filled(image, invalid))
    assert rows.max() == 49 + 12
    assert np.abs(columns[rows >= 50] - 200).max() == 12


def test_filling_is_the_same_every_time():
    invalid = np.ones((20, 30), bool)
    first = filled(np.zeros((20, 30), np.float32), invalid)
    assert np.array_equal(first, filled(np.ones((20, 30), np.float32), invalid))
