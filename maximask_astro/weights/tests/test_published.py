"""The published networks against the probabilities they gave in TensorFlow."""

import numpy as np
import pytest

from maximask_astro.weights import load_model

pytestmark = pytest.mark.published_weights


def logits_of(name, images):
    import jax

    network = load_model(name).network
    weights = [variable.value for variable in network.trainable_variables]
    evaluate = jax.jit(lambda image: network.stateless_call(weights, [], image)[0])
    return np.concatenate([evaluate(image[None, ..., None]) for image in images])


@pytest.fixture
def blocks(real_data):
    with np.load(real_data / "reference" / "blocks.npz") as reference:
        return dict(reference)


def test_maximask(blocks):
    """Measured: within 7e-6."""
    logits = logits_of("maximask-1.4.1", blocks["image"]).astype(float)
    probabilities = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(probabilities, blocks["maximask"], rtol=0, atol=1e-4)


def test_maxitrack(blocks):
    """Measured: within 5e-8."""
    exponentials = np.exp(logits_of("maxitrack-1.4.1", blocks["image"]).astype(float))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, blocks["maxitrack"], rtol=0, atol=1e-4)
