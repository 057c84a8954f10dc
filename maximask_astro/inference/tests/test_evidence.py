import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.inference import combine_evidence, posterior_of, update_probability

EVIDENCE = st.lists(st.floats(-20, 20), min_size=1, max_size=30)
FRACTION = st.floats(0, 1)


@given(EVIDENCE)
def test_independent_evidence_adds_up(evidence):
    total, _, number = combine_evidence(evidence, np.ones(len(evidence)), 0.0)
    assert total == pytest.approx(sum(evidence), abs=1e-9)
    assert number == len(evidence)


@given(EVIDENCE)
def test_evidence_that_is_all_the_same_counts_once(evidence):
    total, _, number = combine_evidence(evidence, np.ones(len(evidence)), 1.0)
    assert total == pytest.approx(np.mean(evidence), abs=1e-9)
    assert number == pytest.approx(1)


@given(EVIDENCE, FRACTION, st.floats(-20, 20))
def test_what_shows_no_stars_says_nothing(evidence, correlation, other):
    ones = np.ones(len(evidence))
    before = combine_evidence(evidence, ones, correlation)
    after = combine_evidence([*evidence, other], [*ones, 0.0], correlation)
    assert after == pytest.approx(before, nan_ok=True)


@given(st.floats(-20, 20), st.floats(0, 1), FRACTION)
def test_a_tile_says_at_most_what_it_says_itself(evidence, weight, correlation):
    total, error, _ = combine_evidence([evidence], [weight], correlation)
    assert abs(total) <= abs(evidence) + 1e-9
    assert np.isnan(error)


def test_nothing_says_nothing():
    assert combine_evidence([], [], 0.5)[0] == 0
    assert combine_evidence([3.0, -2.0], [0.0, 0.0], 0.5)[0] == 0


def test_exposures_of_as_many_tiles_can_be_combined_together():
    random = np.random.default_rng(3)
    evidence, weights = random.normal(size=(5, 4)), random.uniform(size=(5, 4))
    weights[2] = 0
    together = combine_evidence(evidence, weights, 0.3)
    for number, (one, weight) in enumerate(zip(evidence, weights, strict=True)):
        alone = combine_evidence(one, weight, 0.3)
        assert [values[number] for values in together] == pytest.approx(
            alone, nan_ok=True
        )


def test_more_tiles_that_agree_say_more_and_err_less():
    few, few_error, _ = combine_evidence([2.0, 1.0] * 2, np.ones(4), 0.1)
    many, many_error, _ = combine_evidence([2.0, 1.0] * 20, np.ones(40), 0.1)
    assert many > few
    assert many_error / many < few_error / few


@given(st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_posteriors_are_those_of_the_update_of_the_prior(probability, prior):
    evidence = np.log(probability / (1 - probability))
    expected = update_probability(probability, 0.5, prior)
    assert posterior_of(evidence, prior) == pytest.approx(float(expected), rel=1e-6)
