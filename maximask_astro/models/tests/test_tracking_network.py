import numpy as np
import pytest

from maximask_astro.models import TRACKING_OUTPUTS, build_tracking_network
from maximask_astro.models.tracking_network import DoubleAngle, _stack
from maximask_astro.tests.helpers import quick_jit

SMALL = {"n_stars": 6, "channels": (4, 6), "polar": (6, 8), "n_units": 5}


@pytest.fixture(scope="module")
def judge():
    """A function from images to outputs."""
    network = build_tracking_network(**SMALL)
    weights = [variable.value for variable in network.trainable_variables]
    compiled = quick_jit(lambda images: network.stateless_call(weights, [], images)[0])
    return lambda images: np.asarray(compiled(images))


def sky(shape=(64, 96), seed=3):
    random = np.random.default_rng(seed)
    image = 200 + 4 * random.standard_normal((2, *shape, 1))
    image[:, 20::30, 15::25] += 300
    return image.astype("f4")


@pytest.mark.parametrize("shape", [(64, 96), (104, 72)])
def test_the_network_takes_images_of_any_size(judge, shape):
    outputs = judge(sky(shape))
    assert outputs.shape == (2, len(TRACKING_OUTPUTS))
    assert np.isfinite(outputs).all()


def test_it_normalizes_by_itself(judge):
    assert np.allclose(judge(sky()), judge(20 * sky() + 1000), atol=2e-2)


def test_images_of_a_batch_do_not_mix(judge):
    images = sky()
    for number, together in enumerate(judge(images)):
        alone = np.stack([images[number], np.zeros_like(images[0])])
        assert np.allclose(judge(alone)[0], together, atol=1e-4)


def test_places_for_stars_that_are_not_there_change_nothing(judge):
    random = np.random.default_rng(5)
    image = 200 + 4 * random.standard_normal((2, 64, 96, 1)).astype(np.float32)
    image[:, 20:22, 15:17] += 300
    image[:, 40:42, 60:62] += 300
    wider = build_tracking_network(**{**SMALL, "n_stars": 9})
    before = build_tracking_network(**SMALL)
    weights = [variable.value for variable in before.trainable_variables]
    outputs = [
        np.asarray(quick_jit(network.stateless_call)(weights, [], image)[0])
        for network in (before, wider)
    ]
    assert np.allclose(*outputs, atol=1e-4)


@pytest.mark.parametrize("value", [0.0, 1e38, -7.0])
def test_nothing_to_see_gives_finite_outputs(judge, value):
    assert np.isfinite(judge(np.full((2, 64, 96, 1), value, "f4"))).all()


def test_stars_that_pass_are_stacked():
    random = np.random.default_rng(6)
    stamps = random.normal(size=(1, 9, 2, 4, 4, 2)).astype("f4")
    gates = np.zeros((1, 9, 3), "f4")
    gates[0, ::2, 1] = 1  # five stars in the second stack, none in the others
    stacks = np.asarray(_stack(stamps, gates)).reshape(2, 4, 4, 3, 3)
    few = 5 / 5.3  # few stars count for less than they are
    chosen = stamps[0, ::2]
    assert np.allclose(stacks[..., 1, :2], few * chosen.mean(0), atol=1e-5)
    empty = stacks[..., [0, 2], :]
    assert np.allclose(empty, [0, 0, 0.01], atol=1e-6)
    alike = np.repeat(chosen[None, :1], 9, axis=1)
    scatter = np.asarray(_stack(alike, 1e6 * gates)).reshape(2, 4, 4, 3, 3)[..., 1, 2]
    assert np.allclose(scatter, 0.01, atol=2e-2)


def test_directions_turn_with_the_angles():
    lengths = np.random.default_rng(1).uniform(size=(1, 12)).astype("f4")
    x, y = np.asarray(DoubleAngle()(lengths))[0]
    # A quarter turn of the image is half a turn of the doubled angle.
    turned = np.asarray(DoubleAngle()(np.roll(lengths, 6, 1)))[0]
    assert np.allclose(turned, [-x, -y], atol=1e-6)
    single = np.zeros((1, 12), "f4")
    single[0, 3] = 1  # 45 degrees
    assert np.allclose(np.asarray(DoubleAngle()(single))[0], [0, 12**-0.5], atol=1e-6)


def test_the_full_network_is_small():
    network = build_tracking_network(kernel_initializer="zeros")
    assert 2 * network.count_params() < 2.5e6  # bytes in half precision
