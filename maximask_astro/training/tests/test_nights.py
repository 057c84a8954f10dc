from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.training import nights
from maximask_astro.training.exposures import night_config, simulation_config
from maximask_astro.training.nights import Counts, exposures_of, spread_tables
from maximask_astro.training.priors import DEFAULT_PRIORS
from maximask_astro.training.tests.conftest import RECIPE
from maximask_astro.training.tests.test_sky_crops import make_sky

N_CLASSES = len(ABBREVIATIONS)


def test_contaminants_of_a_night_are_as_rare_as_the_priors_say():
    fractions = dict.fromkeys(ABBREVIATIONS, 0.05)
    usual = dict(simulation_config(RECIPE).frequencies)
    night = dict(night_config(RECIPE, fractions).frequencies)
    for name, often in night.items():
        assert often == pytest.approx(usual[name] * DEFAULT_PRIORS[name] / 0.05)
    assert night_config(RECIPE, fractions).unusual == 0.1
    # Never more often than usual.
    rare = dict.fromkeys(ABBREVIATIONS, 1e-9)
    assert dict(night_config(RECIPE, rare).frequencies) == usual


def test_skies_are_not_larger_than_they_are(monkeypatch):
    def spoil_skies(key, skies, config):
        return skies.images, skies.labels, skies.known, None

    monkeypatch.setattr(nights, "spoil_skies", spoil_skies)
    recipe = replace(RECIPE, size=192, batch=2)
    config = simulation_config(recipe)
    skies = [make_sky((120, 200), valid=np.arange(200) >= np.full((120, 1), 50))]
    found = list(exposures_of(recipe, config, "night", 7, skies))
    assert [real for *_, real in found] == [
        False,
        False,
        True,
        True,
        False,
        False,
        True,
    ]
    for image, labels, known, real in found:
        assert image.shape == labels.shape == known.shape
        if real:
            small, large = sorted(image.shape)
            assert small == 120
            assert 142 <= large <= 150
            assert np.all(known != 0)
        else:
            assert image.shape == (192, 192)


def test_only_what_is_known_counts():
    counts = Counts()
    logits = np.zeros((4, 6, N_CLASSES))
    labels = np.full((4, 6), 1, np.uint16)
    known = np.full((4, 6), 1 | 4, np.uint16)
    known[0] = 0
    counts.add(logits, labels, known)
    totals = counts.histogram.counts.sum(2)
    assert totals[0].tolist() == [0, 18]
    assert totals[1].tolist() == [0, 0]
    assert totals[2].tolist() == [18, 0]
    assert np.array_equal(counts.by_sky[0].sum(2), totals)


def skies_with(scatter, *, factor=1.0, number=240, seed=1, more=1):
    """
    Counts of skies whose odds differ from what the logit says by a normal number.

    Every other one is real, whose numbers may be larger.
    """
    random = np.random.default_rng(seed)
    counts = Counts()
    for sky, offset in enumerate(random.normal(0, scatter, number)):
        offset *= more if sky % 2 else 1
        logits = np.broadcast_to(random.uniform(-4, 4, (80, 80, 1)), (80, 80, 14))
        true = random.uniform(size=logits.shape[:2]) < expit(
            logits[..., 0] + offset - np.log(factor)
        )
        bits = np.where(true, np.uint16((1 << N_CLASSES) - 1), np.uint16(0))
        known = np.full(bits.shape, (1 << N_CLASSES) - 1, np.uint16)
        counts.add(logits, bits, known, real=sky % 2 == 1)
    return counts


@pytest.mark.parametrize("factor", [1.0, 5.0])
def test_the_spread_is_that_from_sky_to_sky(factor):
    """Also where training presented a class more often than these skies have it."""
    tables = spread_tables(skies_with(0.5, factor=factor), np.full(N_CLASSES, factor))
    assert set(tables) == set(ABBREVIATIONS)
    for table in tables.values():
        inner = [
            sigma
            for logit, sigma in zip(table["logit"], table["sigma"], strict=True)
            if abs(logit) <= 2
        ]
        assert inner == pytest.approx([0.5] * len(inner), rel=0.25)
        assert len(inner) == 4


def test_simulated_and_real_skies_stand_apart():
    table = spread_tables(skies_with(0.3, more=2), np.ones(N_CLASSES))["TRL"]
    near = [place for place, logit in enumerate(table["logit"]) if abs(logit) <= 2]
    for which, scatter in (("simulated", 0.3), ("real", 0.6)):
        values = [table[which][place] for place in near]
        assert values == pytest.approx([scatter] * 4, rel=0.3)
    assert np.mean([table["sigma"][place] for place in near]) == pytest.approx(
        0.43, rel=0.25
    )
    few = spread_tables(skies_with(0.3, number=14), np.ones(N_CLASSES))["TRL"]
    assert set(few["real"]) == set(few["simulated"]) == {None}


def test_two_in_three_skies_are_within():
    tables = spread_tables(skies_with(0.4), np.ones(N_CLASSES))
    others = skies_with(0.4, seed=2)
    table = tables["CR"]
    sigma = dict(zip(table["logit"], table["sigma"], strict=True))[0.5]
    middle = 9  # between 0 and 1
    no, yes = np.array([sky[0, :, middle] for sky in others.by_sky]).T
    p = expit(0.5)
    within = np.abs(yes / (no + yes) - p) < p * (1 - p) * sigma
    assert within.mean() == pytest.approx(0.683, abs=0.08)


def test_classes_that_too_few_skies_show_have_no_table():
    assert spread_tables(skies_with(0.4, number=7), np.ones(N_CLASSES)) == {}
