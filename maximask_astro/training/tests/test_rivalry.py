import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.evaluation import ScoreHistogram
from maximask_astro.flags import ABBREVIATIONS, rival_positions
from maximask_astro.inference.rivals import beaten_codes
from maximask_astro.training.rivalry import RivalCounts

((FIRST, SECOND),) = rival_positions(ABBREVIATIONS)
SHAPE = (20, 25, len(ABBREVIATIONS))
CODES = np.uint32(1) << np.arange(len(ABBREVIATIONS), dtype=np.uint32)


def counted(seed):
    """Logits in the middle of bins, labels, what is known, and their counts."""
    random = np.random.default_rng(seed)
    logits = 0.1 * random.integers(-60, 60, SHAPE) + 0.05
    labels, known = random.random((2, *SHAPE)) < [[[[0.4]]], [[[0.8]]]]
    histogram, rivals = ScoreHistogram(len(ABBREVIATIONS)), RivalCounts()
    histogram.add(logits, labels, known)
    rivals.add(logits, labels, known)
    return logits, labels, known, histogram, rivals


def called(histogram, number, limit):
    """Pixels above a logit, of the class and not."""
    above = histogram.thresholds[:0:-1] >= limit - 1e-9
    return histogram.counts[number][:, above].sum(1)[::-1].tolist()


# None is in the middle of a bin.
limits_of_rivals = st.tuples(
    *(st.integers(-50, 50).map(lambda n: (10 * n + 2) / 100),) * 2
)


@given(limits_of_rivals, st.integers(0, 9))
def test_what_is_called_is_what_is_counted(pair, seed):
    logits, labels, known, histogram, rivals = counted(seed)
    limits = np.zeros(len(ABBREVIATIONS))
    limits[[FIRST, SECOND]] = pair
    after = rivals.applied(histogram, limits)
    beaten = beaten_codes(logits, limits, CODES, ((FIRST, SECOND),))
    for number in (FIRST, SECOND):
        lost = np.asarray(beaten) & CODES[number] != 0
        yes = known[..., number] & (logits[..., number] > limits[number]) & ~lost
        of_class = labels[..., number]
        found = called(after, number, limits[number])
        assert found == [(yes & of_class).sum(), (yes & ~of_class).sum()]


def test_pixels_stay_and_others_do_not_change():
    *_, histogram, rivals = counted(1)
    after = rivals.applied(histogram, np.zeros(len(ABBREVIATIONS)))
    assert np.array_equal(after.counts.sum(2), histogram.counts.sum(2))
    for number in set(range(len(ABBREVIATIONS))) - {FIRST, SECOND}:
        assert np.array_equal(after.counts[number], histogram.counts[number])


@pytest.mark.parametrize("limit", [np.inf, np.nan])
def test_who_is_never_called_is_nobodys_rival(limit):
    *_, histogram, rivals = counted(2)
    limits = np.zeros(len(ABBREVIATIONS))
    limits[SECOND] = limit
    after = rivals.applied(histogram, limits)
    assert np.array_equal(after.counts[FIRST], histogram.counts[FIRST])
    assert not np.array_equal(after.counts[SECOND], histogram.counts[SECOND])
