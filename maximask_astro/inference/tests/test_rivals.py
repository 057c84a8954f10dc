import numpy as np
import pytest

from maximask_astro.flags import RIVALS, get_class, rival_positions
from maximask_astro.inference.rivals import LIKELIER, beaten_codes

CODES = np.array([1, 2, 4], np.uint32)


def logit(probability):
    with np.errstate(divide="ignore"):
        return np.log(probability) - np.log1p(-np.asarray(probability, float))


def verdicts(probabilities, thresholds, pairs):
    """Codes of posterior probabilities, shape (..., classes)."""
    odds = logit(probabilities).astype(np.float32)
    log_odds = logit(thresholds).astype(np.float32)
    codes = np.where(odds > log_odds, CODES, 0).sum(-1, dtype=np.uint32)
    return codes & ~np.asarray(beaten_codes(odds, log_odds, CODES, pairs))


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ((0.99, 0.7, 0.9), 1 | 4),  # the first is likelier
        ((0.7, 0.99, 0.9), 2 | 4),
        ((0.99, 0.98, 0.2), 1 | 2),  # both are there
        ((0.6, 0.3, 0.9), 1 | 4),  # one was never called
        ((0.3, 0.2, 0.9), 4),  # none of them
    ],
)
def test_the_likelier_takes_the_pixel(probabilities, expected):
    assert verdicts(probabilities, [0.5, 0.5, 0.5], ((0, 1),)) == expected
    assert verdicts(probabilities[::-1], [0.5] * 3, ((2, 1),)) == (
        (expected & 2) | (expected & 1) << 2 | (expected & 4) >> 2
    )


def test_the_limit_is_a_factor_of_the_odds():
    best = 0.95
    just_less = [1 / (1 + np.exp(-logit(best)) * LIKELIER * x) for x in (1.01, 0.99)]
    pixels = [[best, other, 0.1] for other in just_less]
    assert verdicts(pixels, [0.5] * 3, ((0, 1),)).tolist() == [1, 1 | 2]


def test_odds_count_in_units_of_the_threshold():
    """A class that is rare, and found at low probabilities, is no weaker for it."""
    pixel = [0.2, 0.4, 0.1]
    assert verdicts(pixel, [0.01, 0.3, 0.5], ((0, 1),)) == 1
    assert verdicts(pixel, [0.19, 0.02, 0.5], ((0, 1),)) == 2


def test_images_of_any_shape_and_extreme_probabilities():
    random = np.random.RandomState(0)
    cube = random.uniform(size=(2, 5, 7, 3))
    cube[0, 0, :4] = [[1, 1, 1], [0, 0, 0], [1, 0, 1], [0, 1, 0]]
    found = verdicts(cube, [0.4, 0.5, 0.6], ((0, 1), (1, 2)))
    assert found.shape == (2, 5, 7)
    assert found[0, 0, :4].tolist() == [7, 0, 1 | 4, 2]
    # Who is beaten was called, and who is the likeliest of all stays.
    called = (cube > [0.4, 0.5, 0.6]) @ CODES.astype(int)
    assert not np.any(found & ~called)
    assert np.all((found > 0) == (called > 0))
    assert np.any(found != called)


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_a_class_that_is_called_always_or_never_has_no_rival(threshold):
    pixel = [0.99, 0.6, 0.1]
    expected = (1 if threshold == 0 else 0) | 2
    assert verdicts(pixel, [threshold, 0.5, 0.5], ((0, 1),)) == expected


def test_without_rivals_nothing_is_beaten():
    odds = np.ones((4, 3), np.float32)
    assert not np.any(beaten_codes(odds, np.zeros(3, np.float32), CODES, ()))


def test_trails_and_spikes_are_rivals():
    assert ("TRL", "SP") in RIVALS
    assert rival_positions(["CR", "SP", "TRL"]) == ((2, 1),)
    assert rival_positions(["CR", "TRL"]) == ()
    # None can take the other's place in what a pixel is good for.
    for pair in RIVALS:
        assert len({get_class(name).unusable for name in pair}) == 1
