import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import label

from maximask_astro.datasets.detector import (
    bleed,
    make_cosmic_rays,
    make_hot_pixels,
    read_out,
)

FULL = 100.0
IMAGES = hnp.arrays(
    float,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=20),
    elements=st.floats(0, 1000),
)


@pytest.fixture
def random():
    return np.random.default_rng(7)


@given(IMAGES)
def test_bleeding_fills_and_never_creates(image):
    before = image.copy()
    after = bleed(image, FULL)
    assert np.array_equal(image, before)
    assert after.max() <= FULL * (1 + 1e-12)
    assert np.all(after >= np.minimum(image, FULL) - 1e-9)
    assert np.all(after.sum(axis=0) <= image.sum(axis=0) + 1e-6)
    untouched = (image <= FULL).all(axis=0)
    assert np.array_equal(after[:, untouched], image[:, untouched])


def test_bleeding_keeps_the_charge_that_stays_inside():
    image = np.zeros((101, 3))
    image[50, 1] = 20 * FULL
    after = bleed(image, FULL)
    assert after.sum() == pytest.approx(image.sum())
    assert np.count_nonzero(after[:, 1] == FULL) in (19, 20)
    assert np.allclose(after, after[::-1])
    assert not after[:, [0, 2]].any()


def test_cosmic_rays_are_short_and_scattered(random):
    image = make_cosmic_rays((400, 500), random)
    assert image.shape == (400, 500)
    assert image.min() == 0
    assert 5e-4 < (image > 0).mean() < 2e-2
    patches, number = label(image > 0, np.ones((3, 3)))
    assert number > 10
    assert np.bincount(patches.flat)[1:].max() < 400


def test_hot_pixels_are_single(random):
    image = make_hot_pixels((400, 500), random)
    assert np.count_nonzero(image) == 10
    assert image[image > 0].min() > 1000


def test_reading_out_adds_noise_and_bias(random):
    raw = read_out(
        np.full((200, 200), 500.0), random, gain=2.0, read_noise=8.0, bias=300.0
    )
    assert raw.dtype == np.uint16
    assert raw.mean() == pytest.approx(550, abs=0.2)
    assert raw.std() == pytest.approx(4.0, rel=0.05)


def test_reading_out_stays_in_range(random):
    raw = read_out(np.array([[-1e6, 1e6]]), random, gain=1.0, read_noise=1.0, bias=10.0)
    assert raw.tolist() == [[0, 65535]]
