"""Images that are unlike exposures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maximask_astro.background import array_reader
from maximask_astro.inference import (
    PATCH,
    Patches,
    PatchReader,
    image_features,
    image_score,
    likeness_of,
)
from maximask_astro.networks import likeness_shapes
from maximask_astro.tests.helpers import (
    knows_noise,
    likeness_weights,
    with_bright_pixels,
)
from maximask_astro.weights import load_model

SHAPE = (300, 420)


def noise(seed=1, shape=SHAPE):
    return np.random.RandomState(seed).normal(500, 20, shape).astype(np.float32)


def patches_of(image, mask=None, chunk=None):
    reader = PatchReader(array_reader(image, mask), image.shape)
    for start in range(0, len(image), chunk or len(image) + 1) if chunk else ():
        reader(start, min(start + chunk, len(image)))
    return reader.patches()


@pytest.fixture(scope="module")
def weights():
    return likeness_weights()


@settings(max_examples=8)
@given(st.integers(0, 9), st.sampled_from([40, 64, 100, 192, 1000]))
def test_patches_do_not_depend_on_how_it_is_read(seed, chunk):
    image = noise(seed)
    first, second = patches_of(image), patches_of(image, chunk=chunk)
    orders = [np.argsort(patches.levels[:, 0]) for patches in (first, second)]
    for values, others in zip(first, second, strict=True):
        assert np.array_equal(values[orders[0]], others[orders[1]])


def test_patches_are_spread_over_the_image():
    # Nowhere is one pixel in two patches.
    image = np.arange(700 * 900, dtype=np.float32).reshape(700, 900)
    for part, number in (
        (image, 8 * 8),
        (image[:130, :200], 2 * 3),
        (image[: PATCH - 1], 0),
    ):
        pixels, levels = patches_of(part)
        assert pixels.shape == (number, PATCH, PATCH)
        assert levels.shape == (number, 3)


@settings(max_examples=8)
@given(st.floats(1e-3, 1e4), st.floats(-1e5, 1e5))
def test_level_and_unit_do_not_matter(weights, factor, offset):
    image = noise().astype(np.float64)
    first, second = (
        PatchReader(lambda a, b, i=i: (i[a:b], None), SHAPE).patches()
        for i in (image, factor * image + offset)
    )
    assert second.pixels == pytest.approx(first.pixels, abs=1e-3)
    assert image_features(weights, second) == pytest.approx(
        image_features(weights, first), abs=1e-2
    )


def test_levels_are_those_of_sky_and_noise():
    image = noise() + 1000 * (np.arange(SHAPE[1]) // PATCH)
    median, spread, sigma = np.sort(patches_of(image).levels, axis=0).T
    assert median[::4] == pytest.approx(500 + 1000 * np.arange(6), abs=5)
    assert spread == pytest.approx(20, rel=0.1)
    assert sigma == pytest.approx(20, rel=0.1)
    smooth = np.add.outer(np.arange(SHAPE[0]), np.arange(SHAPE[1])).astype(float)
    _, spread, sigma = patches_of(smooth).levels.T
    # The sum of two numbers below 64.
    assert spread == pytest.approx(PATCH * (1 - np.sqrt(2 * 0.159)), rel=0.02)
    assert sigma == pytest.approx(1e-3 * spread)


def test_what_has_no_value_does_not_count():
    image, mask = noise(), np.zeros(SHAPE, bool)
    mask[:PATCH] = True
    mask[PATCH + 5] = True
    with_holes = image.copy()
    with_holes[mask] = np.nan
    patches = patches_of(with_holes)
    for values, others in zip(patches, patches_of(image, mask), strict=True):
        assert np.isfinite(values).all()
        assert np.array_equal(values, others)
    number = len(patches.pixels)
    assert number == len(patches_of(image).pixels) - SHAPE[1] // PATCH
    constant = image.copy()
    constant[:PATCH] = 7.0
    assert len(patches_of(constant).pixels) == number


def test_patches_of_two_values_count():
    image = np.zeros(SHAPE, np.float32)
    image[::9, ::9] = 1.0
    pixels, levels = patches_of(image)
    assert np.isfinite(pixels).all()
    assert np.isfinite(levels).all()
    assert len(pixels) > 4


def test_an_image_is_described_by_its_patches(weights):
    patches = patches_of(noise())
    assert len(patches.pixels) == 24
    means = [
        image_features(
            weights, Patches(*(np.repeat(v[i][None], 16, 0) for v in patches))
        )
        for i in range(24)
    ]
    # Of the same patch many times there is no range.
    for mean, *quantiles, _, noise_range, spread_range, span in means:
        assert quantiles == pytest.approx([mean] * 2, abs=1e-5)
        assert (noise_range, spread_range) == (0, 0)
        assert span == pytest.approx(np.log(1e-2))
    features = image_features(weights, patches)
    assert features[0] == pytest.approx(np.mean(means, axis=0)[0], abs=1e-5)
    assert features[3] == pytest.approx(np.median([m[3] for m in means]), abs=1e-5)
    many = Patches(*(np.tile(v, (5, *[1] * (v.ndim - 1))) for v in patches))
    assert image_features(weights, many)[0] == pytest.approx(features[0], abs=1e-5)
    few = Patches(*(values[:15] for values in patches))
    assert image_features(weights, few) is None
    assert image_score(weights, few) is None


def test_a_model_knows_what_is_unlike_its_exposures(tiny_model, tmp_path):
    tiny = load_model(tiny_model)
    assert likeness_of(tiny, patches_of(noise())) is None
    model = load_model(knows_noise(tiny, tmp_path / "knows"))
    assert model.likeness.keys() == {*likeness_shapes(), "scores"}
    assert model.weights.keys() == tiny.weights.keys()
    assert model.network is not None

    ordinary = likeness_of(model, patches_of(noise(77)))
    assert 0 <= ordinary <= 1
    assert likeness_of(model, patches_of(with_bright_pixels(noise()))) == 1.0
    flat = np.tile(np.array([[0.0, 1.0], [1.0, 0.0]], np.float32), (150, 210))
    assert likeness_of(model, patches_of(flat)) < 0.05
    assert likeness_of(model, patches_of(noise(shape=(60, 500)))) is None
