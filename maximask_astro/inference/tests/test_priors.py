import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.inference import log_prior_factor, update_probability

PRIORS = st.floats(1e-7, 1 - 1e-7)
PROBABILITIES = st.floats(0, 1)


def logit(probability):
    return np.log(probability) - np.log1p(-probability)


@given(PROBABILITIES, PRIORS)
def test_equal_priors_change_nothing(probability, prior):
    assert log_prior_factor(prior, prior) == 0
    updated = update_probability(probability, prior, prior)
    assert updated == pytest.approx(probability, rel=1e-12)


@given(st.floats(1e-6, 1 - 1e-6), PRIORS, PRIORS)
def test_update_shifts_the_logit(probability, training_prior, prior):
    updated = update_probability(probability, training_prior, prior)
    shifted = logit(probability) - log_prior_factor(training_prior, prior)
    assert updated == pytest.approx(1 / (1 + np.exp(-shifted)), rel=1e-9)


@given(PROBABILITIES, PRIORS, PRIORS)
def test_update_back_undoes_it(probability, training_prior, prior):
    """To the digits that are left of a probability near 0 or 1."""
    updated = update_probability(probability, training_prior, prior)
    back = update_probability(updated, prior, training_prior)
    lost = np.exp(np.abs(log_prior_factor(training_prior, prior)))
    assert back == pytest.approx(probability, rel=1e-9, abs=1e-15 * lost)


@given(PROBABILITIES, PROBABILITIES, PRIORS, PRIORS)
def test_update_keeps_order_and_range(first, second, training_prior, prior):
    low, high = update_probability(np.sort([first, second]), training_prior, prior)
    assert 0 <= low <= high <= 1


@given(PROBABILITIES, PRIORS, PRIORS, PRIORS)
def test_larger_priors_give_larger_probabilities(probability, training_prior, a, b):
    low = update_probability(probability, training_prior, min(a, b))
    high = update_probability(probability, training_prior, max(a, b))
    assert low <= high * (1 + 1e-12)


@given(PRIORS, PRIORS)
def test_certainty_stays(training_prior, prior):
    assert update_probability([0, 1], training_prior, prior).tolist() == [0, 1]


def test_no_information_gives_the_prior():
    """A network that always answers with its training prior learns the new one."""
    assert update_probability(0.01, 0.01, 0.3) == pytest.approx(0.3)


def test_original_formula():
    """As in MaxiMask 1.4.1: p / (p + f (1 - p))."""
    t, n, p = 0.036, 0.0001, np.linspace(0, 1, 11)
    f = t / (1 - t) * (1 - n) / n
    np.testing.assert_allclose(update_probability(p, t, n), p / (p + f * (1 - p)))


@pytest.mark.parametrize("prior", [0, 1, -0.1, 1.5, np.nan, np.inf])
def test_priors_are_between_0_and_1(prior):
    for arguments in ((prior, 0.5), (0.5, prior)):
        with pytest.raises(ValueError, match="must be between 0 and 1"):
            log_prior_factor(*arguments)
