import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.evaluation import (
    ScoreHistogram,
    best_thresholds,
    completeness_at,
    matthews_coefficient,
    purity,
)
from maximask_astro.evaluation.tests.draws import (
    SEEDS,
    draw_pixels,
    histogram_of,
    sigmoid,
)

FRACTIONS = st.floats(1e-6, 1 - 1e-6)


def confusion(logits, labels, threshold, fraction=None):
    """Fractions TP, FP, FN, TN of all pixels, by counting them one by one."""
    weights = np.ones(len(labels))
    if fraction is not None:
        weights[labels] = fraction / labels.sum()
        weights[~labels] = (1 - fraction) / (~labels).sum()
    counts = np.zeros((2, 2))
    for logit, label, weight in zip(logits, labels, weights, strict=True):
        counts[int(logit >= threshold), int(label)] += weight
    (tn, fn), (fp, tp) = counts / weights.sum()
    return tp, fp, fn, tn


def matthews_of(tp, fp, fn, tn):
    """The definition; 0 where it is not defined."""
    root = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return (tp * tn - fp * fn) / root if root > 1e-12 else 0.0


def between(histogram, thresholds):
    """Columns of the curves for thresholds that lie between occupied bins."""
    return [int(np.argmin(np.abs(histogram.thresholds - t))) for t in thresholds]


@given(SEEDS, st.none() | FRACTIONS)
def test_purity_and_matthews_follow_their_definitions(seed, fraction):
    logits, labels = draw_pixels(seed, number=40)
    histogram = histogram_of(logits, labels)
    found_purity = purity(histogram, fraction)
    found_matthews = matthews_coefficient(histogram, fraction)
    thresholds = [-6.0, -1.5, 0.0, 2.0]
    columns = between(histogram, thresholds)
    for k in range(labels.shape[1]):
        for column, threshold in zip(columns, thresholds, strict=True):
            tp, fp, fn, tn = confusion(logits[:, k], labels[:, k], threshold, fraction)
            matthews = matthews_of(tp, fp, fn, tn)
            assert found_matthews[k, column] == pytest.approx(matthews, abs=1e-6)
            if tp + fp > 0:
                assert found_purity[k, column] == pytest.approx(tp / (tp + fp))
            else:
                assert np.isnan(found_purity[k, column])


@given(SEEDS, st.none() | FRACTIONS)
def test_curves_end_with_all_pixels(seed, fraction):
    histogram = histogram_of(*draw_pixels(seed))
    expected = histogram.fractions if fraction is None else fraction
    assert purity(histogram, fraction)[:, -1] == pytest.approx(expected)
    assert np.all(np.isnan(purity(histogram, fraction)[:, 0]))
    matthews = matthews_coefficient(histogram, fraction)
    assert np.all(matthews[:, [0, -1]] == 0)
    assert np.all(np.abs(matthews) <= 1 + 1e-9)


@given(SEEDS, FRACTIONS, st.floats(-5, 5))
def test_best_thresholds_are_the_best(seed, fraction, log_factor):
    logits, labels = draw_pixels(seed, number=60)
    histogram = histogram_of(logits, labels)
    thresholds, coefficients = best_thresholds(histogram, fraction, log_factor)
    for k in range(labels.shape[1]):
        truth = labels[:, k]
        posterior = sigmoid(logits[:, k].astype(float) - log_factor)
        reached = confusion(posterior, truth, thresholds[k], fraction)
        best = max(
            matthews_of(*confusion(posterior, truth, t, fraction))
            for t in [*np.unique(posterior), 2.0]
        )
        assert coefficients[k] == pytest.approx(best, abs=1e-6)
        assert matthews_of(*reached) == pytest.approx(best, abs=1e-6)


@given(SEEDS, st.floats(0.01, 0.5), st.floats(0, 1))
def test_thresholds_can_be_asked_to_be_pure(seed, fraction, least):
    histogram = histogram_of(*draw_pixels(seed, number=2000))
    free, unlimited = best_thresholds(histogram, fraction)
    thresholds, coefficients = best_thresholds(histogram, fraction, 0.0, least)
    pure = purity(histogram, fraction)
    found = np.pad(np.cumsum(histogram.counts[:, 1, ::-1], axis=1), ((0, 0), (1, 0)))
    for k in range(len(thresholds)):
        assert coefficients[k] <= unlimited[k]
        at = np.argmin(np.abs(sigmoid(histogram.thresholds) - thresholds[k]))
        reliable = found[k] >= 100
        most = pure[k][reliable].max() if reliable.any() else 0.0
        if most > 0:
            assert pure[k][at] >= min(least, most) - 1e-9
        at = np.argmin(np.abs(sigmoid(histogram.thresholds) - free[k]))
        if reliable[at] and pure[k][at] >= least:
            assert thresholds[k] == free[k]


@given(SEEDS, st.floats(0, 1))
def test_completeness_lies_on_the_curve(seed, rate):
    histogram = histogram_of(*draw_pixels(seed))
    completeness, false_positive = histogram.rates()
    found = completeness_at(histogram, rate)
    for k in range(len(found)):
        assert found[k] >= completeness[k][false_positive[k] <= rate].max()
        higher = completeness[k][false_positive[k] >= rate]
        assert found[k] <= higher.max()
        if not np.any(false_positive[k] == rate):
            assert found[k] <= higher.min()


def test_completeness_without_false_positives():
    logits = np.array([[3.0], [2.0], [1.0], [0.0]], np.float32)
    labels = np.array([[True], [True], [False], [True]])
    histogram = histogram_of(logits, labels)
    assert completeness_at(histogram, 0.0) == pytest.approx(2 / 3)
    assert completeness_at(histogram, 1.0) == pytest.approx(1.0)


def test_each_class_has_its_own_rate():
    histogram = histogram_of(*draw_pixels(3))
    both = completeness_at(histogram, [0.01, 0.4])
    assert both[0] == completeness_at(histogram, 0.01)[0]
    assert both[1] == completeness_at(histogram, 0.4)[1]


def test_thresholds_belong_to_the_columns():
    logits = np.array([[5.003], [-2.003], [-30.0]], np.float32)
    histogram = histogram_of(logits, np.array([[True], [True], [True]]))
    completeness, _ = histogram.rates()
    for threshold, expected in ((5.01, 0), (5.0, 1 / 3), (-2.0, 1 / 3), (-2.01, 2 / 3)):
        (column,) = between(histogram, [threshold])
        assert completeness[0, column] == pytest.approx(expected)
    assert completeness[0, -2] == pytest.approx(2 / 3)  # down to -20
    assert completeness[0, -1] == 1


@pytest.mark.parametrize("label", [True, False])
def test_without_positives_or_negatives_there_is_nothing_to_choose(label):
    logits, labels = draw_pixels(1)
    labels[:, 1] = label
    histogram = histogram_of(logits, labels)
    thresholds, coefficients = best_thresholds(histogram, 0.1)
    for values in (thresholds, coefficients, completeness_at(histogram, 0.1)):
        assert np.array_equal(np.isnan(values), [False, True])


def test_an_empty_histogram_has_no_scores():
    histogram = ScoreHistogram(1)
    assert np.isnan(histogram.fractions).all()
    assert np.isnan(best_thresholds(histogram)[1]).all()


@pytest.mark.parametrize("fraction", [-0.1, 1.1])
def test_impossible_fractions_are_refused(fraction):
    histogram = histogram_of(*draw_pixels(1))
    for function in (purity, matthews_coefficient, best_thresholds):
        with pytest.raises(ValueError, match="Fractions must be between 0 and 1"):
            function(histogram, fraction)
