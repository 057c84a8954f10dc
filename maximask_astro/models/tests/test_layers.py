import jax
import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.models.layers import Convolution, convolve, pool


def plain(images, kernel):
    return jax.lax.conv_general_dilated(
        images, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


@pytest.mark.parametrize(
    ("size", "channels", "filters", "shape"),
    [
        (1, 5, 3, (2, 4, 6)),
        (3, 1, 8, (3, 7, 4)),
        (3, 20, 14, (1, 5, 9)),  # lanes are filled up
        (3, 4, 16, (2, 1, 1)),
        (5, 3, 15, (2, 6, 3)),
        (3, 2, 3, (300, 8, 8)),  # many at a time, in several groups
    ],
)
def test_convolutions_and_their_gradients_are_those_of_xla(
    size, channels, filters, shape
):
    random = np.random.RandomState(size)
    images = random.standard_normal((*shape, channels))
    kernel = random.standard_normal((size, size, channels, filters))
    upstream = random.standard_normal((*shape, filters))
    images, kernel, upstream = (
        values.astype(np.float32) for values in (images, kernel, upstream)
    )
    expected, pull = jax.vjp(plain, images, kernel)
    found, own_pull = jax.vjp(convolve, images, kernel)
    assert np.allclose(found, expected, atol=1e-4)
    for own, other in zip(own_pull(upstream), pull(upstream), strict=True):
        assert own.dtype == other.dtype
        assert np.allclose(own, other, atol=2e-4, rtol=1e-5)


def test_the_layer_is_keras_own_but_for_its_speed():
    random = np.random.RandomState(1)
    images = random.standard_normal((2, 6, 5, 3)).astype(np.float32)
    ours = Convolution(4, 3, activation="relu")
    other = keras.layers.Conv2D(4, 3, padding="same", activation="relu")
    ours.build(images.shape)
    other.build(images.shape)
    values = [random.standard_normal(w.shape) for w in other.get_weights()]
    ours.set_weights(values)
    other.set_weights(values)
    assert np.allclose(ours(images), other(images), atol=1e-5)
    again = Convolution.from_config(ours.get_config())
    assert (again.filters, again.kernel_size) == (4, (3, 3))


@given(st.integers(1, 4), st.integers(1, 4))
def test_pooling_takes_the_largest(height, width):
    random = np.random.RandomState(height)
    images = random.standard_normal((2, 2 * height, 2 * width, 3)).astype(np.float32)
    expected = images.reshape(2, height, 2, width, 2, 3).max((2, 4))
    assert np.array_equal(pool(images), expected)
    # Its gradient goes to the largest.
    gradient = jax.grad(lambda images: pool(images).sum())(images)
    largest = images == np.repeat(np.repeat(expected, 2, 1), 2, 2)
    assert np.array_equal(gradient, largest)
