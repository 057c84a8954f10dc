import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maximask_astro.models import LocalSky

RANDOM = np.random.default_rng(1)
NOISE = RANDOM.standard_normal((160, 230)).astype("f4")


def normalize(image):
    return np.asarray(LocalSky()(np.asarray(image, "f4")[None, ..., None]))[0, ..., 0]


@pytest.mark.parametrize("shape", [(160, 224), (153, 230), (101, 99)])
def test_noise_on_a_slope_becomes_standard(shape):
    y, x = np.indices(shape)
    image = 500 + 0.15 * x + 0.1 * y + 5 * NOISE[: shape[0], : shape[1]]
    found = normalize(image)
    assert found.shape == shape
    assert abs(np.median(found)) < 0.15
    assert found.std() == pytest.approx(1, abs=0.1)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(-30_000, 30_000),
    st.sampled_from([0.5, 1, 4, 64]),
    st.integers(0, 2**32 - 1),
)
def test_units_and_offsets_make_no_difference(offset, factor, seed):
    bright = np.random.default_rng(seed).uniform(size=(64, 96)) > 0.99
    # All in numbers that are exact in 32 bits: rounding a value across the limit of
    # the clipping changes the noise.
    image = np.round(64 * NOISE[:64, :96]) / 64 + 50 * bright
    other = factor * image + offset
    assert np.array_equal(other.astype("f4"), other)
    assert np.allclose(normalize(other), normalize(image), atol=0.05)


def test_the_pattern_of_color_filters_goes():
    pattern = np.tile([[0.0, 40.0], [40.0, 90.0]], (80, 115))
    found = normalize(1000 + pattern + NOISE)
    assert np.abs(found - normalize(1000 + NOISE)).max() < 0.3


def test_bright_stars_and_charge_that_bled_do_not_raise_the_noise():
    image = 100 + NOISE
    expected = normalize(image)
    image[:, 60:75] = 50_000  # bleeding
    image[::40, ::40] += 1000
    found = normalize(image)
    assert abs(np.median(found[:, 120:] - expected[:, 120:])) < 0.1
    assert found[:, 120:].std() > 1
    assert np.percentile(found[:, 120:], 84) == pytest.approx(1, abs=0.15)
    assert found[40, 120] > 900


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((64, 64)),
        np.full((64, 64), 7.0),
        np.where(NOISE[:64, :64] > 2, 3e38, -3e38),
        np.where(NOISE[:64, :64] > 0, 1e-30, 0.0),
        np.arange(8.0 * 8).reshape(8, 8),
    ],
)
def test_anything_gives_finite_numbers(image):
    assert np.isfinite(normalize(image)).all()
