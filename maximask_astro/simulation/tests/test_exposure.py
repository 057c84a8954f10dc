from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.simulation import (
    DEFAULT_FREQUENCIES,
    SimulationConfig,
    simulate,
    stages,
)
from maximask_astro.simulation.exposure import STRENGTHS, plan
from maximask_astro.simulation.stages import run_stage, simulate_each, some_of
from maximask_astro.tests.helpers import SIMULATED_OFTEN, quick_jit
from maximask_astro.utils.errors import InputError

# The frequencies are those of the tests of the command that trains.
CONFIG = SimulationConfig(
    (64, 64), tuple({**DEFAULT_FREQUENCIES, **SIMULATED_OFTEN}.items())
)
N = 24
# In so small a frame, few have spikes that can be seen: the last one has.
SEEDS = (*range(N - 1), 35)
INDEX = {name: index for index, name in enumerate(ABBREVIATIONS)}


def exposure(seed):
    images, labels, scene = simulate(jax.random.key(seed), 1, CONFIG)
    return np.asarray(images), np.asarray(labels), scene


@pytest.fixture(scope="module")
def exposures():
    return [exposure(seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def labels(exposures):
    """Function that gives the labels of a class in all exposures."""
    stack = np.concatenate([labels for _, labels, _ in exposures])
    return lambda name: stack[..., INDEX[name]]


def test_exposures_are_arrays_of_numbers(exposures):
    for image, labels, scene in exposures:
        assert image.shape == (1, 64, 64)
        assert image.dtype == np.float32
        assert np.isfinite(image).all()
        assert labels.shape == (1, 64, 64, len(ABBREVIATIONS))
        assert labels.dtype == bool
        assert scene.fwhm.shape == (1,)


def test_keys_decide(exposures):
    image, labels, scene = exposures[3]
    again = exposure(3)
    assert np.array_equal(again[0], image)
    assert np.array_equal(again[1], labels)
    assert jax.tree.all(jax.tree.map(np.array_equal, again[2], scene))
    for other, _, _ in exposures[:3] + exposures[4:]:
        assert np.mean(other == image) < 0.5


def test_background_is_where_nothing_else_is(labels):
    others = np.any([labels(name) for name in ABBREVIATIONS if name != "BG"], axis=0)
    assert np.array_equal(labels("BG"), ~others)
    assert 0.02 < labels("BG").mean() < 0.98


def test_nothing_is_seen_through_the_overscan(labels):
    for name in ABBREVIATIONS:
        if name not in {"OV", "HCL", "DCL", "HP", "DP"}:
            assert not np.any(labels(name) & labels("OV")), name


def test_every_exposure_has_what_is_certain_and_none_what_is_impossible(
    labels, exposures
):
    for name, frequency in SIMULATED_OFTEN.items():
        found = labels(name).any(axis=(1, 2))
        if frequency == 0:
            assert not found.any(), name
        else:
            assert found.mean() >= 0.9, name
    # But for an overscan where the sky is too faint to tell.
    bright = [scene.sky[0] > 30 * scene.sigma[0] for _, _, scene in exposures]
    assert sum(bright) > N / 3
    assert labels("OV").any(axis=(1, 2))[bright].all()


def test_all_other_classes_occur(labels):
    impossible = {name for name, chance in SIMULATED_OFTEN.items() if chance == 0}
    found = {name for name in ABBREVIATIONS if labels(name).any()}
    assert found == set(ABBREVIATIONS) - impossible


@pytest.fixture(scope="module")
def plans():
    """What many exposures have: some classes seldom, never or always."""
    often = {**DEFAULT_FREQUENCIES, "FR": 0.3, "OV": 0.0, "P": 1.0}
    planned = quick_jit(jax.vmap(lambda key: plan(key, often, False, 0.0)))
    keys, there, _ = planned(jax.random.split(jax.random.key(1), 2000))
    return keys, jax.device_get(there)


def test_frequencies_are_fractions_of_the_exposures(plans):
    _, there = plans
    for name, often in {**DEFAULT_FREQUENCIES, "FR": 0.3}.items():
        if name not in ("OV", "P"):
            assert there[name].mean() == pytest.approx(often, abs=0.04), name
    assert not there["OV"].any()
    assert there["P"].all()
    # One class does not tell of another.
    both = there["CR"] & there["HP"]
    assert both.mean() == pytest.approx(
        DEFAULT_FREQUENCIES["CR"] * DEFAULT_FREQUENCIES["HP"], abs=0.04
    )


def test_each_contaminant_has_a_key_of_its_own(plans):
    keys, _ = plans
    data = np.stack([jax.random.key_data(keys[name]) for name in sorted(keys)])
    assert len(np.unique(data.reshape(-1, data.shape[-1]), axis=0)) == data.size // 2


def brighten(key, image, by):
    """A contaminant for tests."""
    return image + by, image > 0


@given(st.booleans())
def test_a_contaminant_is_there_or_not(there):
    image = jnp.arange(3.0)
    changed, mask = some_of(brighten, np.bool_(there), jax.random.key(1), image, 2.0)
    assert np.array_equal(changed, image + 2 * there)
    assert np.array_equal(mask, (image > 0) & there)


def _brightened(key, number, there):
    """A simulation for tests."""
    image = run_stage(_drawn, key, shape=(4, 6))
    return some_of(brighten, jax.device_get(there), key, image, number)


def _drawn(key, shape):
    return jax.random.uniform(key, shape)


@pytest.mark.parametrize("there", [(True, False, True), (False, False, False)])
def test_side_by_side_is_as_one_by_one(there, monkeypatch):
    """As accelerators simulate."""
    what = jax.random.split(jax.random.key(8), 3), np.arange(3.0), np.array(there)
    one_by_one = simulate_each(_brightened, *what)
    monkeypatch.setattr(stages, "_side_by_side", lambda: True)
    together = simulate_each(_brightened, *what)
    for first, second in zip(one_by_one, together, strict=True):
        assert first.shape == (3, 4, 6)
        assert np.array_equal(first, second)
    assert np.array_equal(together[1].any((1, 2)), there)


def test_default_frequencies_are_of_all_contaminants():
    assert set(DEFAULT_FREQUENCIES) == set(ABBREVIATIONS) - {"BBG", "BG"}
    assert all(0 < frequency <= 1 for frequency in DEFAULT_FREQUENCIES.values())


@pytest.mark.parametrize(
    ("frequencies", "problem"),
    [({"XX": 0.5}, "'XX'"), ({"BG": 0.5}, "'BG'"), ({"CR": 1.5}, "from 0 to 1")],
)
def test_what_cannot_be_simulated(frequencies, problem):
    with pytest.raises(InputError, match=problem):
        SimulationConfig(frequencies=frequencies)


def test_strengths_are_wide_or_of_the_paper():
    with pytest.raises(InputError, match="'strong'"):
        SimulationConfig(strengths="strong")
    # Sky, stars and places are the same, and contaminants are not.
    configs = (replace(CONFIG, strengths=strengths) for strengths in STRENGTHS)
    first, second = (simulate(jax.random.key(2), 1, c) for c in configs)
    assert float(first[2].fwhm[0]) == float(second[2].fwhm[0])
    assert not np.array_equal(first[0], second[0])


def test_quiet_exposures_have_cosmic_rays_and_little_else(exposures):
    with pytest.raises(InputError, match="from 0 to 1"):
        SimulationConfig(quiet=-0.1)
    quiet = [
        simulate(jax.random.key(seed), 1, replace(CONFIG, quiet=1.0))
        for seed in range(N)
    ]

    def number(drawn, name):
        return sum(bool(labels[..., INDEX[name]].any()) for _, labels, _ in drawn)

    assert number(quiet, "CR") > 0.8 * number(exposures, "CR") > 0
    assert number(quiet, "SAT") > 0.8 * number(exposures, "SAT")
    others = [name for name in DEFAULT_FREQUENCIES if name not in ("CR", "SAT")]
    before, after = (
        sum(number(drawn, name) for name in others) for drawn in (exposures, quiet)
    )
    assert 0 < after < 0.25 * before


def test_quiet_exposures_are_a_fraction():
    config = replace(CONFIG, quiet=0.5)
    same = [
        np.array_equal(simulate(jax.random.key(seed), 1, config)[1], exposure(seed)[1])
        for seed in range(N)
    ]
    assert 0.25 * N < sum(same) < 0.75 * N


def test_unusual_exposures_can_be_rarer():
    with pytest.raises(InputError, match="frequency of unusual exposures is 2"):
        SimulationConfig(unusual=2)
    often = dict.fromkeys(DEFAULT_FREQUENCIES, 0.0)
    keys = jax.random.split(jax.random.key(1), 2000)

    def scenes(unusual):
        planned = quick_jit(jax.vmap(lambda key: plan(key, often, False, 0.0, unusual)))
        return planned(keys)[2]

    usual, night, plain = map(scenes, (1.0, 0.1, 0.0))
    for name in ("trailing", "defocus", "round_field", "counting"):
        numbers = [np.count_nonzero(getattr(s, name)) for s in (usual, night, plain)]
        assert numbers[0] > 30, name
        assert 0 < numbers[1] < 0.2 * numbers[0], name
        assert numbers[2] == 0, name
    # Nothing else changes.
    same = (np.asarray(night.trailing) == 0) & (np.asarray(usual.trailing) == 0)
    assert np.array_equal(usual.moffat[same], night.moffat[same])


def test_other_frequencies_stay():
    config = SimulationConfig(frequencies={"CR": 0.0})
    assert dict(config.frequencies) == {**DEFAULT_FREQUENCIES, "CR": 0.0}
    assert hash(config) == hash(SimulationConfig(frequencies=(("CR", 0.0),)))
