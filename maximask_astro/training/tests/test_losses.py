import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from maximask_astro.training import (
    LossWeights,
    balanced_loss_weights,
    class_weights,
    paper_loss_weights,
    pixel_weights,
    positive_weights,
    weighted_cross_entropy,
)

N_CLASSES = 3
SHAPE = (2, 6, 7)
WEIGHTS = np.array([0.1, 0.2, 0.7], np.float32)

PROPORTIONS = arrays(float, N_CLASSES, elements=st.floats(1e-5, 1.0))
LABELS = arrays(bool, (*SHAPE, N_CLASSES))
SEEDS = st.integers(0, 2**32 - 1)

_pixels = jax.jit(pixel_weights)


def _weighted(logits, labels, pixels):
    mean = np.full(N_CLASSES, 1 / pixels.size, np.float32)
    loss_weights = LossWeights(mean, mean, pixels[..., None])
    return weighted_cross_entropy(logits, labels, loss_weights)


_loss = jax.jit(_weighted)
_gradient = jax.jit(jax.grad(_weighted))


@given(PROPORTIONS)
def test_all_classes_weigh_alike(proportions):
    weights = class_weights(proportions)
    assert weights.dtype == np.float32
    assert weights.sum() == pytest.approx(1, rel=1e-5)
    together = weights * proportions
    assert np.allclose(together, together[0], rtol=1e-4)


@given(PROPORTIONS)
def test_all_pixels_weigh_alike(proportions):
    assert np.allclose(class_weights(proportions, 0.0), 1 / N_CLASSES)


@given(PROPORTIONS, st.floats(0.1, 1.0))
def test_rare_classes_weigh_more(proportions, power):
    weights = class_weights(proportions, power)
    order = np.argsort(proportions)
    assert np.all(np.diff(weights[order]) <= 1e-6)
    assert weights.sum() == pytest.approx(1, rel=1e-5)


def test_weights_of_a_known_case():
    # 1 / (0.5 * (2 + 4 + 4)) and 1 / (0.25 * 10)
    assert class_weights([0.5, 0.25, 0.25]) == pytest.approx([0.2, 0.4, 0.4])


@given(LABELS)
def test_pixel_weights_are_smoothed_sums(labels):
    labels[0, 0, 0, 0] = True  # a mean needs something to be divided by
    expected = labels @ WEIGHTS.astype(float)
    bell = np.exp(-0.5 * np.array([1.0, 0.0, 1.0]))
    kernel = np.outer(bell, bell) / bell.sum() ** 2
    expected = ndimage.convolve(expected, kernel[None], mode="nearest")
    pixels = np.asarray(_pixels(labels, WEIGHTS))
    assert pixels.shape == SHAPE
    assert pixels.mean() == pytest.approx(1, rel=1e-4)
    assert np.allclose(pixels, expected / expected.mean(), rtol=1e-3, atol=1e-5)


@given(SEEDS)
def test_the_loss_is_the_weighted_cross_entropy(seed):
    random = np.random.RandomState(seed)
    logits = 4 * random.standard_normal((*SHAPE, N_CLASSES))
    labels = random.uniform(size=logits.shape) < 0.4
    pixels = random.uniform(0, 2, SHAPE)
    probability = 1 / (1 + np.exp(-logits))
    entropy = -np.log(np.where(labels, probability, 1 - probability))
    expected = np.mean(pixels * entropy.sum(-1))
    assert _loss(logits, labels, pixels) == pytest.approx(expected, rel=1e-4)


@given(LABELS, st.sampled_from([1e3, 1e20, -1e3, -1e20]))
def test_huge_logits_do_no_harm(labels, logit):
    logits = np.full(labels.shape, logit, np.float32)
    pixels = np.ones(SHAPE, np.float32)
    assert np.isfinite(_loss(logits, labels, pixels))
    gradient = np.asarray(_gradient(logits, labels, pixels))
    assert np.isfinite(gradient).all()
    # Those that are right are left alone.
    wrong = labels != (logit > 0)
    assert np.all(gradient[~wrong] == 0)
    assert np.all(gradient[wrong] * np.sign(logit) > 0)


def test_half_precision_is_summed_in_single():
    logits = np.full((*SHAPE, N_CLASSES), 3.0, np.float16)
    loss = _loss(logits, np.zeros(logits.shape, bool), np.ones(SHAPE, np.float32))
    assert loss.dtype == np.float32
    assert loss == pytest.approx(N_CLASSES * np.log1p(np.exp(3)), rel=1e-5)


@given(SEEDS)
def test_the_paper_weighs_pixels_by_their_classes(seed):
    random = np.random.RandomState(seed)
    labels = random.uniform(size=(*SHAPE, N_CLASSES)) < 0.4
    logits = random.standard_normal(labels.shape).astype(np.float32)
    pixels = np.asarray(_pixels(labels, WEIGHTS))
    loss = weighted_cross_entropy(logits, labels, paper_loss_weights(labels, WEIGHTS))
    assert loss == pytest.approx(_loss(logits, labels, pixels), rel=1e-4)


@given(SEEDS)
def test_a_balanced_loss_sums_means_over_weights(seed):
    random = np.random.RandomState(seed)
    labels = random.uniform(size=(*SHAPE, N_CLASSES)) < 0.4
    logits = random.standard_normal(labels.shape).astype(np.float32)
    proportions = labels.mean((0, 1, 2))
    weights = random.uniform(1, 50, N_CLASSES).astype(np.float32)
    loss_weights = balanced_loss_weights(labels, weights, proportions)
    entropy = np.logaddexp(0, np.where(labels, -logits, logits))
    expected = sum(
        np.average(entropy[..., k], weights=np.where(labels[..., k], weights[k], 1))
        for k in range(N_CLASSES)
    )
    loss = weighted_cross_entropy(logits, labels, loss_weights)
    assert loss == pytest.approx(expected, rel=1e-4)
    # A batch has the sum of what its exposures have.
    parts = [
        weighted_cross_entropy(logits[k], labels[k], loss_weights)
        for k in range(SHAPE[0])
    ]
    assert sum(parts) == pytest.approx(loss, rel=1e-4)


def test_weights_of_what_is_hardly_there_are_bounded():
    assert positive_weights([1e-6, 0.0625], 0.75).tolist() == [1000.0, 8.0]
