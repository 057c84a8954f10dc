import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from maximask_astro.simulation.masks import dilate, smooth
from maximask_astro.tests.helpers import quick_jit

SHAPE = (9, 14)
_dilate = quick_jit(dilate, static_argnums=1)
_smooth = quick_jit(smooth)


@pytest.mark.parametrize("size", [1, 3, 5])
@given(mask=arrays(bool, SHAPE))
def test_dilation_is_scipy_s(size, mask):
    square = np.ones((size, size), bool)
    expected = ndimage.binary_dilation(mask, square)
    dilated = np.asarray(_dilate(mask, size))
    assert dilated.dtype == bool
    assert np.array_equal(dilated, expected)


@pytest.mark.parametrize("sigma", [1.5, 3.0])
@given(seed=st.integers(0, 2**32 - 1))
def test_smoothing_is_scipy_s_on_a_torus(sigma, seed):
    image = np.random.RandomState(seed).standard_normal((32, 40)).astype(np.float32)
    expected = ndimage.gaussian_filter(image, sigma, mode="wrap", truncate=7)
    smoothed = np.asarray(_smooth(image, sigma))
    assert smoothed.shape == image.shape
    assert np.allclose(smoothed, expected, atol=2e-3)
    assert smoothed.mean() == pytest.approx(image.mean(), abs=1e-5)


def test_smoothing_by_nothing_changes_nothing():
    image = np.random.RandomState(1).standard_normal((16, 20)).astype(np.float32)
    assert np.allclose(_smooth(image, 0.0), image, atol=1e-5)
