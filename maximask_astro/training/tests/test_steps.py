import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from maximask_astro.training import (
    balanced_loss_weights,
    effective_priors,
    weighted_cross_entropy,
)
from maximask_astro.training.steps import weights_for_priors

FRACTIONS = st.floats(0.01, 0.99)


@given(FRACTIONS, FRACTIONS)
def test_weights_present_a_class_as_often_as_wanted(proportion, prior):
    weights = weights_for_priors([proportion], [prior])
    assume(weights[0] < 1000)
    presented = effective_priors([proportion], weights)
    assert presented[0] == pytest.approx(prior, rel=1e-4)


@pytest.mark.parametrize("proportion", [0.0, 1.0, np.nan])
def test_classes_that_do_not_occur_have_no_weight_of_their_own(proportion):
    assert weights_for_priors([proportion], [0.1]).tolist() == [1.0]


def test_weights_are_bounded():
    assert weights_for_priors([1e-9], [0.5]).tolist() == [1000.0]


def balanced(logits, labels, *arguments):
    loss_weights = balanced_loss_weights(labels, *arguments)
    return weighted_cross_entropy(logits, labels, loss_weights)


def test_what_is_not_known_does_not_count():
    random = np.random.default_rng(1)
    logits = random.standard_normal((2, 8, 8, 3)).astype(np.float32)
    labels = random.uniform(size=logits.shape) < 0.3
    known = np.zeros(labels.shape, bool)
    known[0, ..., :2] = True
    ones, fractions = np.ones(3, np.float32), np.full(3, 0.3)
    loss = balanced(logits, labels, ones, fractions, known)
    part = balanced(logits[:1, ..., :2], labels[:1, ..., :2], ones[:2], fractions[:2])
    assert float(loss) == pytest.approx(float(part), rel=1e-5)
    logits[~known] = 100.0
    again = balanced(logits, labels, ones, fractions, known)
    assert float(again) == float(loss)
