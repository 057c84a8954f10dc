import numpy as np
import pytest

from maximask_astro.models import build_maximask
from maximask_astro.tests.helpers import TINY_CHANNELS, tiny_weights


def compiled(network):
    """The network with the stand-in's weights, as one compiled function."""
    import jax

    weights = tiny_weights()
    values = [weights[variable.path] for variable in network.trainable_variables]
    function = jax.jit(lambda images: network.stateless_call(values, [], images)[0])
    return lambda images: np.asarray(function(images))


@pytest.fixture(scope="module")
def network():
    return build_maximask(channels=TINY_CHANNELS, kernel_initializer="zeros")


@pytest.fixture(scope="module")
def evaluate(network):
    return compiled(network)


def noise(shape):
    return np.random.RandomState(0).normal(0, 3, shape).astype(np.float32)


def test_published_size():
    network = build_maximask(kernel_initializer="zeros")
    assert network.count_params() == 5_727_944
    assert len(network.weights) == 56
    assert network.output_shape == (None, None, None, 14)


@pytest.mark.parametrize("size", [(64, 32), (33, 50), (1, 70), (31, 31)])
def test_any_size_of_image(evaluate, size):
    logits = evaluate(noise((1, *size, 1)))
    assert logits.shape == (1, *size, 14)
    assert np.isfinite(logits).all()
    assert logits.std() > 0.1


def test_images_of_a_batch_do_not_mix(evaluate):
    images = noise((3, 32, 32, 1))
    together = evaluate(images)
    alone = evaluate(images[1:2])
    np.testing.assert_allclose(together[1:2], alone, rtol=1e-4, atol=1e-4)


def test_first_operation_is_the_inverse_hyperbolic_sine(evaluate):
    """Ten times a bright pixel's value is one small step more."""
    image = np.full((1, 32, 32, 1), 1e6, np.float32)
    logits = [evaluate(scale * image) for scale in (1, 10, 100)]
    steps = np.diff(logits, axis=0)
    np.testing.assert_allclose(steps[0], steps[1], atol=1e-2 * np.abs(steps).max())


def test_config_makes_the_same_network(network, evaluate):
    import keras

    copy = compiled(keras.models.model_from_json(network.to_json()))
    image = noise((1, 32, 32, 1))
    assert np.array_equal(copy(image), evaluate(image))


@pytest.mark.parametrize("channels", [(4, 6, 8, 10, 12), (4, 6, 8, 10, 12, 14)])
def test_channels_must_fit(channels):
    with pytest.raises(ValueError, match="channels must be six numbers"):
        build_maximask(channels=channels)
