import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.simulation.draws import (
    chance,
    choice,
    log_between,
    log_uniform,
    normal,
    power_law,
    uniform,
    uniforms,
)

N = 20_000
SEEDS = st.integers(0, 2**31 - 1).map(jax.random.key)
KEY = jax.random.key(3)


@pytest.mark.parametrize("draw", [uniform, log_uniform])
@given(key=SEEDS, low=st.floats(0.01, 10.0), factor=st.floats(1.1, 100.0))
def test_numbers_stay_in_their_range(draw, key, low, factor):
    numbers = np.asarray(draw(key, low, low * factor, (200,)))
    assert numbers.dtype == np.float32
    assert np.all(numbers >= low * (1 - 1e-5))
    assert np.all(numbers <= low * factor * (1 + 1e-5))


def test_medians():
    assert np.median(uniform(KEY, 1.0, 100.0, (N,))) == pytest.approx(50.5, rel=0.03)
    assert np.median(log_uniform(KEY, 1.0, 100.0, (N,))) == pytest.approx(10, rel=0.08)


def test_named_numbers_are_independent():
    draw = uniforms(KEY, "first", "second", shape=(N,))
    assert draw._fields == ("first", "second")
    assert abs(np.corrcoef(draw.first, draw.second)[0, 1]) < 0.03
    assert np.mean(draw.second) == pytest.approx(0.5, abs=0.01)


@given(st.floats(0.01, 10.0), st.floats(1.1, 100.0))
def test_the_logarithm_lies_between(low, factor):
    numbers = np.log(log_between(np.array([0.0, 0.5, 1.0]), low, low * factor))
    assert numbers == pytest.approx(np.log(low) + np.log(factor) * np.arange(3) / 2)


def test_normal_numbers():
    numbers = np.asarray(normal(KEY, (N,)))
    assert abs(numbers.mean()) < 0.03
    assert numbers.std() == pytest.approx(1, abs=0.03)


@given(key=SEEDS)
def test_what_is_impossible_or_certain(key):
    assert not chance(key, 0.0, (100,)).any()
    assert chance(key, 1.0, (100,)).all()


def test_chance_and_choice_follow_their_frequencies():
    assert chance(KEY, 0.3, (N,)).mean() == pytest.approx(0.3, abs=0.015)
    counts = np.bincount(choice(KEY, (2, 0, 1, 1), (N,)), minlength=4)
    assert np.allclose(counts / N, (0.5, 0, 0.25, 0.25), atol=0.015)
    assert counts[1] == 0


@pytest.mark.parametrize("slope", [0.6, 1.3])
def test_power_laws_are_straight_in_log_counts(slope):
    numbers = np.asarray(power_law(KEY, slope, (N,)))
    assert numbers.min() >= 1
    for limit in (2.0, 5.0, 10.0):
        expected = limit**-slope
        assert np.mean(numbers > limit) == pytest.approx(expected, rel=0.15)


def test_keys_decide():
    numbers = uniform(KEY, 0.0, 1.0, (10,))
    assert np.array_equal(numbers, uniform(KEY, 0.0, 1.0, (10,)))
    assert not np.any(numbers == uniform(jax.random.key(4), 0.0, 1.0, (10,)))
