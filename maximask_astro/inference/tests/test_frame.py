"""Networks with a whole-frame view: tiles, rows and crops."""

from dataclasses import replace

import numpy as np
import pytest

from maximask_astro.background import FrameView, array_reader, look_over
from maximask_astro.inference import ClassDecision, TileEngine, has_view
from maximask_astro.inference.frame import look_at_frame
from maximask_astro.models import build_folded_unet
from maximask_astro.tests.helpers import random_weights
from maximask_astro.weights import LoadedModel, make_test_block, packaged_card

OPTIONS = {
    "n_classes": 3,
    "channels": (4, 6, 8),
    "fine": 3,
    "detail": 4,
    "frame": (4, 6, 6),
    "features": 8,
    "lines": (4,),
}
DECISIONS = [ClassDecision(channel, 0.0, 0.5, 1 << channel) for channel in range(3)]


@pytest.fixture(scope="module")
def network():
    return build_folded_unet(**OPTIONS, kernel_initializer="zeros")


@pytest.fixture(scope="module")
def model(network):
    weights = random_weights({v.path: tuple(v.shape) for v in network.weights})
    for variable in network.weights:
        variable.assign(weights[variable.path])
    card = replace(
        packaged_card("maximask-1.4.1"),
        name="tiny",
        architecture="folded_unet",
        options=OPTIONS,
        classes=("CR", "HCL", "DCL"),
        normalization="photutils",
        input={"block": 64, "stride": 8, "halo": 48},
    )
    return LoadedModel(card, weights)


def exposure(height, width):
    """Stars, a trail, a bright column, on a sky with a slope."""
    image = make_test_block(max(height, width))[:height, :width]
    return 1000 + 10 * image + 0.2 * np.arange(width, dtype=np.float32)


def judge(model, image, **options):
    engine = TileEngine(model, **options)
    read = array_reader(image)
    sky, view = look_over(read, image.shape)
    bands = engine.stream(read, image.shape, sky, DECISIONS, view=view)
    return np.concatenate([band.probabilities for band in bands], axis=1)


@pytest.mark.parametrize("shape", [(320, 256), (333, 270)])
def test_rows_give_what_one_tile_gives(model, shape):
    image = exposure(*shape)
    whole = judge(model, image)
    by_rows = judge(model, image, tile_size=160)
    assert whole.shape == (3, *shape)
    # Where neither sees the end of the image: what is beyond it may differ.
    inside = np.s_[:, : shape[0] - 60, : shape[1] - 60]
    np.testing.assert_allclose(by_rows[inside], whole[inside], atol=2e-5)
    assert np.ptp(whole) > 0.5


def test_keras_gives_what_tiles_give(model, network):
    image = exposure(256, 256)
    read = array_reader(image)
    sky, view = look_over(read, image.shape)
    normalized = sky.normalize(image.copy(), range(256), range(256))
    inputs = {
        "image": normalized[None, ..., None],
        "blocks": view.blocks[None],
        "columns": view.columns[None],
        "rows": view.rows[None],
        "origin": np.zeros((1, 2), np.int32),
    }
    logits, of_blocks = network(inputs)
    expected = 1 / (1 + np.exp(-np.asarray(logits)[0]))
    assert of_blocks.shape == (1, 32, 32, 3)
    found = np.moveaxis(judge(model, image), 0, -1)
    # What is told of the frame is in half precision.
    np.testing.assert_allclose(found, expected, atol=3e-3)


def test_a_part_knows_its_frame(model, network):
    """What the network says in a part depends on where in the frame it is."""
    frame = exposure(256, 320)
    _, view = look_over(array_reader(frame), frame.shape)
    inputs = {
        "image": np.zeros((2, 64, 64, 1), np.float32),
        "blocks": np.stack([view.blocks] * 2),
        "columns": np.stack([view.columns] * 2),
        "rows": np.stack([view.rows] * 2),
        "origin": np.array([[0, 0], [96, 128]], np.int32),
    }
    logits = np.asarray(network(inputs)[0])
    assert np.abs(logits[0] - logits[1]).max() > 0.01


def test_views_may_be_of_any_size(model):
    """Also of less than a block, a segment, or a network's stride."""
    random = np.random.RandomState(1)
    for height, width in ((1, 1), (3, 17), (9, 5)):
        view = FrameView(
            random.normal(0, 1, (height, width, 8)).astype(np.float32),
            random.normal(0, 1, (1, 8 * width, 3)).astype(np.float32),
            random.normal(0, 1, (1, 8 * height, 3)).astype(np.float32),
        )
        frame = look_at_frame(model, view)
        assert frame.features.shape == (height, width, 8)
        part = frame.part(-16, 0, 64, 128)
        assert part["features"].shape == (8, 16, 8)
        assert part["columns"].shape == (3, 128, 2)
        assert part["rows"].shape == (64, 4, 2)
        assert part["offset"].tolist() == [48, 0]


def test_which_models_have_a_view(model):
    assert has_view(model)
    assert not has_view(replace(model, card=packaged_card("maximask-1.4.1")))
