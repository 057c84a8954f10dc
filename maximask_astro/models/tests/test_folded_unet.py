import jax
import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.models import ARCHITECTURES, Fold, Unfold, build_folded_unet

BUDGET = 16_000  # multiply-adds a pixel
WEIGHTS_BUDGET = 5e6  # bytes on disk, in half precision


@pytest.fixture(scope="module")
def network():
    return build_folded_unet()


def multiply_adds(network, size=64):
    """Multiply-adds a pixel of the image, counted from the layers."""
    convolutions = [
        layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)
    ]
    counted = sum(layer.count_params() for layer in convolutions)
    assert counted == network.count_params()  # nothing else has weights
    probe = keras.Model(network.input, [layer.output for layer in convolutions])
    outputs = probe.compute_output_spec(keras.KerasTensor((1, size, size, 1)))
    works = (
        np.prod(layer.kernel.shape) * np.prod(output.shape[1:3])
        for layer, output in zip(convolutions, outputs, strict=True)
    )
    return sum(works) / size**2


def test_multiply_adds_are_counted():
    image = keras.Input((None, None, 1), name="image")
    x = keras.layers.Conv2D(5, 3, padding="same")(image)
    x = keras.layers.Conv2D(4, 1)(keras.layers.MaxPooling2D(2)(x))
    assert multiply_adds(keras.Model(image, x)) == 9 * 5 + 5 * 4 / 4


def test_the_network_keeps_to_its_budget(network):
    assert multiply_adds(network) <= BUDGET
    assert 2 * network.count_params() <= WEIGHTS_BUDGET


SIZES = st.sampled_from([2, 6])


@given(SIZES, SIZES, st.sampled_from([1, 3]))
def test_unfolding_undoes_folding(height, width, channels):
    random = np.random.RandomState(1)
    image = random.standard_normal((2, height, width, channels)).astype(np.float32)
    folded = np.asarray(Fold()(image))
    assert folded.shape == (2, height // 2, width // 2, 4 * channels)
    assert np.array_equal(Unfold()(folded), image)
    # The channels of a place are its 2 by 2 pixels.
    assert np.array_equal(folded[:, 0, 0], image[:, :2, :2].reshape(2, -1))


@pytest.mark.parametrize(("layer", "shape"), [(Fold, (3, 2, 20)), (Unfold, (6, 4, 5))])
def test_shapes_are_known_before_there_is_an_image(layer, shape):
    channels = 5 if layer is Fold else 20
    size = (6, 4) if layer is Fold else (3, 2)
    known = keras.KerasTensor((None, *size, channels))
    assert layer().compute_output_spec(known).shape == (None, *shape)
    unknown = keras.KerasTensor((None, None, None, channels))
    assert layer().compute_output_spec(unknown).shape == (None, None, None, shape[-1])


@pytest.mark.parametrize("shape", [(1, 8, 12), (2, 4, 4)])
def test_there_is_a_logit_for_every_pixel_and_class(shape):
    small = build_folded_unet(n_classes=3, channels=(2, 3), fine=2, detail=1)
    image = np.random.RandomState(1).standard_normal((*shape, 1)).astype(np.float32)
    values = [variable.value for variable in small.trainable_variables]
    logits, _ = jax.jit(small.stateless_call)(values, [], 1e4 * image)
    assert logits.shape == (*shape, 3)
    assert logits.dtype == np.float32
    assert np.isfinite(np.asarray(logits)).all()


def test_the_architecture_is_registered():
    assert ARCHITECTURES["folded_unet"] is build_folded_unet


def test_the_default_has_the_classes_of_the_table(network):
    assert network.output_shape == (None, None, None, 14)
