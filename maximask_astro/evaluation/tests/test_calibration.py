from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.evaluation import reliability
from maximask_astro.evaluation.tests.draws import (
    SEEDS,
    draw_pixels,
    histogram_of,
    sigmoid,
)

EDGES = np.array([0, 0.001, 0.1, 0.35, 0.8, 1])


def by_hand(logits, labels, edges, fraction, log_factor):
    """Bins of one class, filled pixel by pixel."""
    weights = np.full(len(labels), 1 / len(labels))
    if fraction is not None:
        weights[labels] = fraction / labels.sum()
        weights[~labels] = (1 - fraction) / (~labels).sum()
    probability = sigmoid(logits.astype(float) - log_factor)
    rows = []
    for low, high in pairwise(edges):
        inside = (probability >= low) & (probability < high)
        total = weights[inside].sum()
        if total == 0:
            rows.append((np.nan, np.nan, 0.0))
            continue
        mean = (weights * probability)[inside].sum() / total
        rows.append((mean, weights[inside & labels].sum() / total, total))
    return np.array(rows).T


@given(SEEDS, st.none() | st.floats(1e-5, 0.99), st.floats(-4, 4))
def test_bins_are_those_counted_by_hand(seed, fraction, log_factor):
    logits, labels = draw_pixels(seed)
    result = reliability(
        histogram_of(logits, labels),
        edges=EDGES,
        fractions=fraction,
        log_factors=log_factor,
    )
    for k in range(labels.shape[1]):
        predicted, observed, weights = by_hand(
            logits[:, k], labels[:, k], EDGES, fraction, log_factor
        )
        assert result.predicted[k] == pytest.approx(predicted, abs=1e-6, nan_ok=True)
        assert result.observed[k] == pytest.approx(observed, abs=1e-9, nan_ok=True)
        assert result.weights[k] == pytest.approx(weights, abs=1e-9)
        error = np.nansum(weights * np.abs(predicted - observed))
        found = result.expected_calibration_error[k]
        assert found == pytest.approx(error, abs=1e-6)
        excess = np.nansum(weights * predicted) / np.nansum(weights * observed)
        assert result.excess[k] == pytest.approx(excess, rel=1e-5)


def calibrated_pixels(number=400_000, fraction=0.2, separation=2.0):
    """Two normal distributions, whose log odds are known."""
    random = np.random.RandomState(5)
    labels = random.uniform(size=(number, 1)) < fraction
    values = random.normal(size=labels.shape) + separation * labels
    # The logarithm of the ratio of their densities, plus that of the priors.
    logits = separation * values - separation**2 / 2
    return logits + np.log(fraction / (1 - fraction)), labels


def test_true_probabilities_have_no_calibration_error():
    histogram = histogram_of(*calibrated_pixels())
    result = reliability(histogram)
    assert result.expected_calibration_error[0] < 0.005
    assert result.excess[0] == pytest.approx(1, abs=0.01)
    shifted = reliability(histogram, log_factors=1.0)
    assert shifted.expected_calibration_error[0] > 0.05
    assert shifted.excess[0] < 0.9


@pytest.mark.parametrize("fraction", [0.001, 0.7])
def test_true_probabilities_stay_true_after_an_update_of_the_prior(fraction):
    histogram = histogram_of(*calibrated_pixels())
    old = histogram.fractions[0]
    factor = np.log(old / (1 - old)) - np.log(fraction / (1 - fraction))
    result = reliability(histogram, fractions=[fraction], log_factors=factor)
    assert result.expected_calibration_error[0] < 0.01 * fraction + 0.002
    assert result.excess[0] == pytest.approx(1, abs=0.03)
    # The new fraction with the old probabilities is wrong.
    assert reliability(histogram, fractions=[fraction]).excess[0] != pytest.approx(
        1, abs=0.2
    )


@pytest.mark.parametrize("label", [True, False])
def test_a_class_without_positives_or_negatives(label):
    logits, labels = draw_pixels(2)
    labels[:, 1] = label
    histogram = histogram_of(logits, labels)
    mean = sigmoid(logits[:, 1]).mean()
    result = reliability(histogram)  # as counted: there is something to say
    error = result.expected_calibration_error[1]
    assert error == pytest.approx(abs(mean - label), abs=1e-5)
    result = reliability(histogram, fractions=0.3)  # nothing to weight by 0.3
    assert np.isnan(result.expected_calibration_error[1])
    assert np.isnan(result.excess[1])
    assert np.isfinite(result.expected_calibration_error[0])


@pytest.mark.parametrize("edges", [[0, 0.5], [0.1, 1], [0, 0.5, 0.5, 1], [1, 0]])
def test_edges_must_rise_from_zero_to_one(edges):
    with pytest.raises(ValueError, match="must rise from 0 to 1"):
        reliability(histogram_of(*draw_pixels(1)), edges=edges)
