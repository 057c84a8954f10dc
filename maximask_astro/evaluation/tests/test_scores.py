import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from maximask_astro.evaluation import ScoreHistogram

N_CLASSES = 3
SEEDS = st.integers(0, 2**32 - 1)


def draw(seed, shape=(4, 10, 12), separation=1.0, decimals=None):
    """Logits that are higher where labels are set."""
    random = np.random.RandomState(seed)
    labels = random.uniform(size=(*shape, N_CLASSES)) < 0.3
    logits = random.normal(size=labels.shape) * 3 + separation * labels
    if decimals is not None:
        logits = np.round(logits, decimals) + 0.005  # the middle of a bin
    return logits.astype(np.float32), labels


def filled(logits, labels, valid=None):
    histogram = ScoreHistogram(N_CLASSES)
    histogram.add(logits, labels, valid)
    return histogram


def exact_auc(logits, labels):
    """From the Mann-Whitney statistic, with ties counted half."""
    ranks = rankdata(logits)
    yes = labels.sum()
    no = labels.size - yes
    return (ranks[labels].sum() - yes * (yes + 1) / 2) / (yes * no)


@given(SEEDS, st.floats(-2, 5), st.sampled_from([0, 1, 2]))
def test_area_is_that_of_mann_and_whitney(seed, separation, decimals):
    logits, labels = draw(seed, separation=separation, decimals=decimals)
    auc = filled(logits, labels).auc()
    for index in range(N_CLASSES):
        expected = exact_auc(logits[..., index].ravel(), labels[..., index].ravel())
        assert auc[index] == pytest.approx(expected, abs=1e-9)


@given(SEEDS)
def test_rates_rise_from_nothing_to_all(seed):
    true_positive, false_positive = filled(*draw(seed)).rates()
    for rates in (true_positive, false_positive):
        assert np.all(rates[:, 0] == 0)
        assert np.all(rates[:, -1] == 1)
        assert np.all(np.diff(rates, axis=1) >= 0)


@given(SEEDS)
def test_only_valid_pixels_count(seed):
    logits, labels = draw(seed)
    valid = np.random.RandomState(seed).uniform(size=labels.shape[:-1]) < 0.5
    histogram = filled(logits, labels, valid)
    expected = filled(logits[valid], labels[valid])
    assert np.array_equal(histogram.counts, expected.counts)
    assert histogram.counts.sum() == valid.sum() * N_CLASSES


@given(SEEDS)
def test_images_add_up(seed):
    logits, labels = draw(seed)
    histogram = ScoreHistogram(N_CLASSES)
    for part in zip(logits, labels, strict=True):
        histogram.add(*part)
    assert np.array_equal(histogram.counts, filled(logits, labels).counts)


def test_logits_beyond_the_range_are_the_first_and_the_last():
    logits = np.array([[-1e30], [-30.0], [0.0], [30.0], [np.inf]], np.float32)
    labels = np.array([[False], [False], [True], [True], [True]])
    histogram = ScoreHistogram(1)
    histogram.add(logits, labels)
    assert histogram.auc() == [1.0]
    histogram.add(-logits, labels)
    assert histogram.auc()[0] == pytest.approx(exact_auc_of(logits, labels))


def exact_auc_of(logits, labels):
    both = np.clip(np.concatenate([logits, -logits])[:, 0], -20.5, 20.5)
    return exact_auc(both, np.concatenate([labels, labels])[:, 0])


@pytest.mark.parametrize("label", [True, False])
def test_without_positives_or_negatives_there_is_no_area(label):
    logits, labels = draw(1)
    labels[..., 1] = label
    auc = filled(logits, labels).auc()
    assert np.array_equal(np.isnan(auc), [False, True, False])
