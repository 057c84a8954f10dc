"""Images that are unlike exposures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maximask_astro.background import array_reader
from maximask_astro.inference import PATCH, PatchReader, image_score, likeness_of
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
    orders = [np.argsort(patches[:, 0, 0]) for patches in (first, second)]
    assert np.array_equal(first[orders[0]], second[orders[1]])


def test_patches_are_spread_over_the_image():
    # Nowhere is one pixel in two patches.
    image = np.arange(700 * 900, dtype=np.float32).reshape(700, 900)
    assert len(patches_of(image)) == 8 * 8
    assert len(patches_of(image[:130, :200])) == 2 * 3
    assert len(patches_of(image[: PATCH - 1])) == 0


@settings(max_examples=8)
@given(st.floats(1e-3, 1e4), st.floats(-1e5, 1e5))
def test_level_and_unit_do_not_matter(factor, offset):
    image = noise().astype(np.float64)
    first, second = (
        PatchReader(lambda a, b, i=i: (i[a:b], None), SHAPE).patches()
        for i in (image, factor * image + offset)
    )
    assert second == pytest.approx(first, abs=1e-3)


def test_what_has_no_value_does_not_count():
    image, mask = noise(), np.zeros(SHAPE, bool)
    mask[:PATCH] = True
    mask[PATCH + 5] = True
    with_holes = image.copy()
    with_holes[mask] = np.nan
    patches = patches_of(with_holes)
    assert np.isfinite(patches).all()
    assert np.array_equal(patches, patches_of(image, mask))
    assert len(patches) == len(patches_of(image)) - SHAPE[1] // PATCH
    constant = image.copy()
    constant[:PATCH] = 7.0
    assert len(patches_of(constant)) == len(patches)


def test_patches_of_two_values_count():
    image = np.zeros(SHAPE, np.float32)
    image[::9, ::9] = 1.0
    assert np.isfinite(patches_of(image)).all()
    assert len(patches_of(image)) > 4


def test_the_score_is_the_mean_of_the_patches(weights):
    patches = patches_of(noise())
    scores = [image_score(weights, np.repeat(p[None], 4, 0)) for p in patches]
    assert image_score(weights, patches) == pytest.approx(np.mean(scores), abs=1e-5)
    assert image_score(weights, patches[:3]) is None
    many = np.tile(patches, (5, 1, 1))
    assert image_score(weights, many) == pytest.approx(np.mean(scores), abs=1e-5)


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
