import numpy as np
import pytest

from maximask_astro.inference import spread_over_symmetries


def views(array):
    """The eight views of maps (batch, height, width, ...), and how to undo them."""
    for turns in range(4):
        for mirrored in (False, True):
            view = np.flip(array, 2) if mirrored else array
            yield np.rot90(view, turns, axes=(1, 2)), (turns, mirrored)


def undone(view, turns, mirrored):
    back = np.rot90(view, -turns, axes=(1, 2))
    return np.flip(back, 2) if mirrored else back


def lopsided(images):
    """Two maps that depend on which way is up: differences with neighbors."""
    import jax.numpy as jnp

    image = images[..., 0]
    above = image - 2 * jnp.roll(image, 1, axis=1)
    beside = image * jnp.arange(image.shape[2], dtype=image.dtype)
    return jnp.stack([above, beside], axis=-1)


def pointwise(images):
    return images**3 - images


@pytest.mark.parametrize("shape", [(1, 8, 8, 1), (2, 6, 9, 1)])
def test_spread_is_that_of_eight_views_one_by_one(shape):
    images = np.random.RandomState(0).normal(0, 1, shape).astype(np.float32)
    output, spread = spread_over_symmetries(lopsided, (images,))
    outputs = [undone(np.asarray(lopsided(view)), *how) for view, how in views(images)]
    np.testing.assert_allclose(output, outputs[0], rtol=1e-6)
    expected = np.std(np.float64(outputs), axis=0)
    np.testing.assert_allclose(spread, expected, rtol=1e-4, atol=1e-5)
    assert expected.max() > 1


def test_a_function_that_knows_no_direction_has_no_spread():
    images = np.random.RandomState(0).normal(0, 1, (2, 6, 9, 1)).astype(np.float32)
    output, spread = spread_over_symmetries(pointwise, (images,))
    np.testing.assert_allclose(output, pointwise(images), rtol=1e-5, atol=1e-6)
    assert np.all(np.asarray(spread) == 0)
