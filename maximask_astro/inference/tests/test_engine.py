import gc
import weakref
from itertools import product

import numpy as np
import pytest

from maximask_astro.background import (
    Sky,
    array_reader,
    constant_surface,
    fill_invalid,
)
from maximask_astro.inference import (
    ClassDecision,
    TileEngine,
    log_prior_factor,
    update_probability,
)
from maximask_astro.inference.tests.test_symmetry import undone, views
from maximask_astro.weights import load_model, make_test_block

ALL = [ClassDecision(channel, 0.0, 0.5, 1 << channel) for channel in range(14)]
SOME = [ALL[6], ALL[0], ALL[12]]


@pytest.fixture(scope="module")
def model(tiny_model):
    return load_model(tiny_model)


def image_of(height, width):
    return make_test_block(max(height, width))[:height, :width]


@pytest.fixture(scope="module")
def one_pass(model):
    """An image that is not a multiple of the stride, and its result in one tile."""
    image = image_of(440, 475)
    engine = TileEngine(model)
    assert len(engine.plan(image.shape)[1]) == 1
    return image, engine.run(image, SOME)


def same(first, second):
    return all(
        np.array_equal(getattr(first, name), getattr(second, name))
        for name in ("codes", "probabilities")
    )


@pytest.mark.parametrize(("tile_size", "batch_size"), [(416, 1), (440, 4), (448, 3)])
def test_result_does_not_depend_on_tiles_or_batches(
    model, one_pass, tile_size, batch_size
):
    """
    Rows give what one tile gives, to rounding.

    They are two programs, whose last bits agree on some processors only.
    """
    image, expected = one_pass
    engine = TileEngine(model, tile_size=tile_size, batch_size=batch_size)
    assert len(engine.plan(image.shape)[1]) > 1
    found = engine.run(image, SOME)
    difference = np.abs(found.probabilities - expected.probabilities)
    assert difference.max() < 1e-5
    clear = [
        np.abs(plane - decision.threshold) > 1e-5
        for plane, decision in zip(expected.probabilities, SOME, strict=True)
    ]
    assert np.array_equal(*(r.codes[np.all(clear, axis=0)] for r in (found, expected)))
    # The same program gives the same, to the last bit.
    assert same(found, engine.run(image, SOME))


@pytest.mark.parametrize("tile_size", [None, 416])
def test_an_image_is_forgotten_at_once(model, tile_size):
    """Not when somebody looks for garbage, which may be many images later."""
    image = image_of(440, 475)
    engine = TileEngine(model, tile_size=tile_size)
    sky = Sky(constant_surface(0.0), constant_surface(1.0))
    read = array_reader(image)
    kept = weakref.ref(read)
    gc.disable()
    try:
        list(engine.stream(read, image.shape, sky, SOME))
        del read
        assert kept() is None
    finally:
        gc.enable()


def test_a_pixel_changes_nothing_beyond_the_halo(model, one_pass):
    """Nothing at all beyond 192 pixels, but something beyond 160."""
    image, before = one_pass
    changed = image.copy()
    row, column = 231, 239
    changed[row, column] += 1e4
    after = TileEngine(model).run(changed, SOME)
    different = (before.probabilities != after.probabilities).any(axis=0)
    different |= before.codes != after.codes
    rows, columns = np.nonzero(different)
    distance = np.maximum(np.abs(rows - row), np.abs(columns - column))
    assert 160 < distance.max() <= model.card.input["halo"]


def test_a_hole_changes_nothing_beyond_the_halo(model, one_pass):
    """An exposure's NaN do not spread once its sky is known."""
    image, before = one_pass
    hole = np.zeros(image.shape, bool)
    hole[215:235, 229:249] = True
    holed = fill_invalid(np.where(hole, np.float32(np.nan), image), hole)
    after = TileEngine(model).run(holed, SOME)
    far = np.ones(image.shape, bool)
    far[215 - 192 : 235 + 192, 229 - 192 : 249 + 192] = False
    assert np.array_equal(after.probabilities[:, far], before.probabilities[:, far])
    assert np.array_equal(after.codes[far], before.codes[far])
    assert np.mean(after.probabilities[:, ~far] != before.probabilities[:, ~far]) > 0.1


def test_codes_say_where_probabilities_are_above_thresholds(one_pass):
    _, output = one_pass
    expected = np.zeros_like(output.codes)
    for decision, probability in zip(SOME, output.probabilities, strict=True):
        chosen = probability > decision.threshold
        assert 0 < chosen.mean() < 1
        expected |= np.where(chosen, np.uint32(decision.code), np.uint32(0))
    assert output.codes.dtype == np.uint32
    assert np.array_equal(output.codes, expected)


def test_channels_are_those_of_the_decisions(model, one_pass):
    image, output = one_pass
    everything = TileEngine(model).run(image, ALL)
    assert output.probabilities.shape == (3, *image.shape)
    for decision, probability in zip(SOME, output.probabilities, strict=True):
        other = everything.probabilities[decision.channel]
        np.testing.assert_allclose(probability, other, rtol=1e-5, atol=1e-6)


def test_shift_of_the_logit_is_an_update_of_the_prior(model):
    image = image_of(64, 64)
    engine = TileEngine(model)
    decision = ClassDecision(3, log_prior_factor(0.126, 0.001), 0.5, 1)
    before = engine.run(image, [ALL[3]]).probabilities.astype(float)
    after = engine.run(image, [decision]).probabilities
    expected = update_probability(before, 0.126, 0.001)
    np.testing.assert_allclose(after, expected, rtol=1e-4)


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_verdicts_need_more_than_the_threshold(model, threshold):
    """At 0 everything above it, at 1 nothing: a probability is at most 1."""
    decision = ClassDecision(0, -200.0 if threshold else 0.0, threshold, 4)
    output = TileEngine(model).run(image_of(64, 64), [decision])
    if threshold:
        assert output.probabilities.max() == 1
        assert np.all(output.codes == 0)
    else:
        assert np.all(output.codes == 4)


def test_only_what_was_asked_for_comes_back(model):
    image = image_of(64, 64)
    output = TileEngine(model).run(image, SOME, probabilities=False)
    assert output.probabilities is None
    assert output.uncertainties is None
    assert np.array_equal(output.codes, TileEngine(model).run(image, SOME).codes)


def blocks_of(length, block):
    """Starts of the original's blocks along an axis, and which part it keeps."""
    starts = [*range(0, length - block + 1, block // 2)]
    if length % block:
        starts.append(length - block)
    for start in starts:
        first = 0 if start == 0 else block // 4
        last = block if start == length - block else block - block // 4
        yield start, slice(first, last)


def test_original_tiling_is_that_of_blocks_one_by_one(model):
    image = image_of(100, 150)
    block = model.card.input["block"]
    output = TileEngine(model, tiling="original", batch_size=3).run(image, SOME)
    alone = TileEngine(model, tiling="original")
    expected = np.full_like(output.probabilities, np.nan)
    for (top, rows), (left, columns) in product(
        blocks_of(100, block), blocks_of(150, block)
    ):
        part = np.s_[top : top + block, left : left + block]
        result = alone.run(image[part], SOME).probabilities
        expected[:, *part][:, rows, columns] = result[:, rows, columns]
    assert np.array_equal(output.probabilities, expected)


@pytest.mark.parametrize("tiling", ["seamless", "original"])
@pytest.mark.parametrize("shape", [(1, 1), (33, 7)])
def test_images_smaller_than_anything(model, tiling, shape):
    output = TileEngine(model, tiling=tiling).run(image_of(*shape), SOME)
    assert output.codes.shape == shape
    assert output.probabilities.shape == (3, *shape)
    assert np.isfinite(output.probabilities).all()


@pytest.mark.optimized
def test_uncertainty_is_the_spread_of_eight_views(model):
    """Measured: equal within 2e-6, for standard deviations up to 0.5."""
    image = image_of(64, 96)
    engine = TileEngine(model)
    output = engine.run(image, SOME, uncertainties=True)
    planes = []
    for view, how in views(image[None]):
        result = engine.run(view[0], SOME).probabilities
        planes.append(undone(result, *how))
    spread = np.std(np.float64(planes), axis=0)
    assert spread.max() > 0.3
    np.testing.assert_allclose(output.uncertainties, spread, atol=1e-5)
    np.testing.assert_allclose(output.probabilities, planes[0], atol=1e-6)


def test_uncertainty_does_not_depend_on_tiles(model):
    image = image_of(440, 64)
    whole, tiled = (
        TileEngine(model, tile_size=size).run(image, SOME, uncertainties=True)
        for size in (None, 416)
    )
    np.testing.assert_allclose(tiled.uncertainties, whole.uncertainties, atol=1e-6)
    assert np.array_equal(tiled.codes, whole.codes)


def test_image_is_taken_as_it_is_and_not_changed(model):
    image = image_of(64, 64)
    expected = TileEngine(model).run(image, SOME)
    strided = np.asfortranarray(image).astype(">f8")
    before = strided.tobytes()
    assert same(TileEngine(model).run(strided, SOME), expected)
    assert strided.tobytes() == before


def test_progress_is_shown_on_demand(model, capsys):
    engine = TileEngine(model, tiling="original", batch_size=2)
    engine.run(image_of(100, 64), SOME)
    assert capsys.readouterr().err == ""
    engine.run(image_of(100, 64), SOME, progress_bar=True)
    assert "3/3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tiling": "none"}, "no tiling 'none'; there are seamless, original"),
        ({"batch_size": 0}, "batch_size must be at least 1, not 0"),
        ({"tile_size": 400}, "needs tiles of at least 416 pixels"),
        ({"tile_size": 0}, "needs tiles of at least 416 pixels"),
    ],
)
def test_bad_arguments(model, options, message):
    with pytest.raises(ValueError, match=message):
        TileEngine(model, **options)
