"""Contaminants on real skies."""

import jax
import numpy as np
import pytest

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.simulation import (
    DEFAULT_FREQUENCIES,
    RealSkies,
    SimulationConfig,
    spoil_skies,
)

N, SIZE = 2, 96
BITS = {name: np.uint16(1 << i) for i, name in enumerate(ABBREVIATIONS)}
EVERY = np.uint16((1 << len(ABBREVIATIONS)) - 1)
CONFIG = SimulationConfig(
    (SIZE, SIZE), {**dict.fromkeys(DEFAULT_FREQUENCIES, 0.0), "CR": 1.0}
)


@pytest.fixture(scope="module")
def skies():
    """Skies of which a half is known to be clear, without pixels in a corner."""
    shape = (N, SIZE, SIZE)
    labels, known = np.zeros(shape, np.uint16), np.zeros(shape, np.uint16)
    known[:, :48], labels[:, :48] = EVERY, BITS["BG"]
    inside = np.ones(shape, bool)
    inside[:, -10:, -10:] = False
    images = np.random.default_rng(1).standard_normal(shape, np.float32)
    return RealSkies(images, labels, known, inside, np.full(N, 3.0, np.float32))


@pytest.fixture(scope="module")
def spoilt(skies):
    results = spoil_skies(jax.random.key(1), skies, CONFIG)
    return [np.asarray(values) for values in results[:3]]


def test_what_is_added_is_known(skies, spoilt):
    images, labels, known = spoilt
    hit = labels & BITS["CR"] != 0
    assert hit.any(axis=(1, 2)).all()
    assert (known[hit] & BITS["CR"] != 0).all()
    # A pixel that was hit is no plain background.
    assert not (labels[hit] & BITS["BG"]).any()
    assert (known[hit] & BITS["BG"] != 0).all()
    for image, where in zip(images, hit, strict=True):
        assert image[where].max() > np.quantile(image[~where], 0.999)


def test_what_is_not_known_stays_so(skies, spoilt):
    _, labels, known = spoilt
    alone = (labels & BITS["CR"] == 0) & skies.inside
    assert np.array_equal(known[alone], skies.known[alone])
    assert np.array_equal(labels[alone], skies.labels[alone])


def test_nothing_is_known_where_there_is_no_pixel(skies, spoilt):
    images, labels, known = spoilt
    outside = ~skies.inside
    assert not labels[outside].any()
    assert not known[outside].any()
    for image, where in zip(images, outside, strict=True):
        assert len(np.unique(image[where])) == 1


def test_only_what_was_asked_for_is_added(skies, spoilt):
    _, labels, _ = spoilt
    assert not (labels & ~(BITS["CR"] | BITS["BG"])).any()
