import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.background import NORMALIZATIONS, estimate_background, normalize

INTEGERS = ["bool", "uint8", ">i2", "int16", ">u2", "int32", ">i8"]
FLOATS = ["float16", ">f4", "float32", "float64", ">f8"]
METHODS = pytest.mark.parametrize("method", NORMALIZATIONS)


def image_of(kind, shape, random):
    if kind == "noise":
        return random.normal(100, 10, shape)
    if kind == "stars":
        return 100 + random.pareto(0.5, shape).clip(max=1e9)
    if kind == "two values":
        return np.where(random.uniform(size=shape) < 0.01, 1e30, 3.0)
    return np.full(shape, {"zero": 0.0, "constant": 77.7}[kind])


@st.composite
def exposures(draw):
    """Data of any dtype and size, with values that are not finite, and a mask."""
    shape = draw(st.tuples(st.integers(1, 450), st.integers(1, 450)))
    random = np.random.RandomState(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["noise", "stars", "two values", "zero", "constant"]))
    dtype = np.dtype(draw(st.sampled_from(INTEGERS + FLOATS)))
    data = image_of(kind, shape, random)
    if dtype.kind == "f":
        for value in draw(st.sets(st.sampled_from([np.nan, np.inf, -np.inf]))):
            data[random.uniform(size=shape) < 0.2] = value
    else:
        data = data.clip(0, 1 if dtype.kind == "b" else np.iinfo(dtype).max // 2)
    mask = draw(st.sampled_from([None, 0.0, 0.3, 0.97, 1.0]))
    if mask is not None:
        mask = random.uniform(size=shape) < mask
    with np.errstate(over="ignore"):
        return data.astype(dtype), mask


@METHODS
@given(exposure=exposures(), as_masked_array=st.booleans())
def test_result_is_finite_and_says_what_was_invalid(method, exposure, as_masked_array):
    data, mask = exposure
    before = data.tobytes()
    with np.errstate(over="ignore"):
        bad = ~np.isfinite(data.astype(np.float32))
    if mask is not None:
        bad |= mask
    if as_masked_array:
        image, invalid = normalize(np.ma.array(data, mask=mask), method=method)
    else:
        image, invalid = normalize(data, mask=mask, method=method)
    assert image.shape == data.shape
    assert image.dtype == np.float32
    assert type(image) is np.ndarray
    assert np.isfinite(image).all()
    assert (invalid is None) == (not bad.any())
    assert invalid is None or np.array_equal(invalid, bad)
    assert data.tobytes() == before


@METHODS
def test_noise_becomes_standard(method):
    """Away from the corners, where the published recipe's sky drops."""
    data = np.random.RandomState(0).normal(5000, 25, (1220, 1220))
    image, _ = normalize(data, method=method)
    inside = image[400:-400, 400:-400]
    assert abs(inside.mean()) < 0.02
    assert abs(inside.std() - 1) < 0.02


@METHODS
@pytest.mark.parametrize("dtype", [">i2", ">f4", ">f8", "int32", "float64"])
def test_byte_order_and_width_do_not_matter(method, dtype):
    data = np.random.RandomState(0).poisson(500, (90, 110)).astype(np.float32)
    expected, _ = normalize(data, method=method)
    image, _ = normalize(data.astype(dtype), method=method)
    assert np.array_equal(image, expected)


@METHODS
def test_level_and_noise_are_those_that_normalize(method):
    data = np.random.RandomState(0).normal(5000, 25, (250, 150)).astype(np.float32)
    level, rms = estimate_background(data, method=method)
    image, invalid = normalize(data, method=method)
    assert invalid is None
    np.testing.assert_allclose(image, (data - level) / rms, rtol=1e-6)


@METHODS
def test_invalid_pixels_do_not_change_the_level(method):
    data = np.random.RandomState(0).normal(5000, 25, (250, 250))
    mask = np.zeros(data.shape, bool)
    mask[20:60, 100:220] = True
    expected = estimate_background(data, mask=mask, method=method)
    for garbage in (np.nan, -np.inf, 1e30):
        changed = np.where(mask, garbage, data)
        level, rms = estimate_background(changed, mask=mask, method=method)
        assert np.array_equal(level, expected[0])
        assert np.array_equal(rms, expected[1])


def test_published_range_is_kept():
    """The published networks saw values from -500 to 80000 only."""
    data = np.random.RandomState(0).normal(1000, 10, (60, 60))
    data[5, 5], data[7, 7] = 1e6, -1e6
    level, rms = estimate_background(data, method="maximask")
    image, _ = normalize(data, method="maximask")
    np.testing.assert_allclose(
        image[5, 5], (80000 - level[5, 5]) / rms[5, 5], rtol=1e-6
    )
    np.testing.assert_allclose(image[7, 7], (-500 - level[7, 7]) / rms[7, 7], rtol=1e-6)


@METHODS
def test_all_invalid_gives_level_0_and_noise_1(method):
    level, rms = estimate_background(np.full((30, 40), np.nan), method=method)
    assert np.all(level == 0)
    assert np.all(rms == 1)


@pytest.mark.parametrize("function", [normalize, estimate_background])
def test_bad_arguments(function):
    with pytest.raises(ValueError, match="no normalization 'median'"):
        function(np.zeros((5, 5)), method="median")
    with pytest.raises(ValueError, match="2 dimensions, not 3"):
        function(np.zeros((5, 5, 5)))
