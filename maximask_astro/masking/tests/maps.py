"""Contaminant maps made without a network."""

import numpy as np

from maximask_astro.flags import CLASSES
from maximask_astro.masking import ClassSettings, ContaminantMap

NAMES = ("CR", "P", "TRL", "NEB", "SAT", "BBG", "BG")
PROVENANCE = {
    "model": "a model's name",
    "weights_sha256": "0123456789abcdef" * 4,
    "version": "1.0",
    "normalization": "maximask",
    "tiling": "seamless",
    "uncertainty": "none (not estimated)",
    "saturation": "header",
    "saturation_level": 60000.0,
    "grow": {"CR": 1.5},
    "date": "2026-01-02T03:04:05+00:00",
}

# Uncertainties of some classes, as model cards have them.
SPREAD = {
    "CR": {"logit": (-6.0, 0.5, 4.0), "sigma": (1.2, 0.5, 0.1)},
    "SAT": {"logit": (0.0,), "sigma": (0.25,)},
}


def make_map(shape=(12, 15), names=NAMES, *, seed=0, planes=True, **others):
    """A map with random verdicts, probabilities, and pixels without a verdict."""
    random = np.random.RandomState(seed)
    settings = tuple(
        ClassSettings(flag.abbreviation, 0.1, flag.prior, flag.threshold)
        for flag in CLASSES
        if flag.abbreviation in names
    )
    invalid = random.uniform(size=shape) < 0.1
    verdicts = np.zeros(shape, np.uint32)
    for item in settings:
        chosen = (random.uniform(size=shape) < 0.2) & ~invalid
        verdicts |= np.where(chosen, np.uint32(item.code), np.uint32(0))
    cube = random.uniform(size=(len(settings), *shape)).astype(np.float32)
    cube[:, invalid] = np.nan
    others.setdefault("provenance", PROVENANCE)
    return ContaminantMap(
        settings, verdicts, invalid, cube if planes else None, **others
    )


def assert_same_map(found, expected):
    """All that the user sees of two maps is the same."""
    assert found.settings == expected.settings
    assert dict(found.provenance) == dict(expected.provenance)
    assert dict(found.spread) == dict(expected.spread)
    assert np.array_equal(found.bitmask, expected.bitmask)
    assert np.array_equal(found.mask, expected.mask)
    assert np.array_equal(found.invalid, expected.invalid)
    assert found.bitmask.dtype == expected.bitmask.dtype
    for name in expected.classes:
        assert np.array_equal(found.class_mask(name), expected.class_mask(name))
    for name in ("probability_planes", "uncertainty_planes"):
        first, second = getattr(found, name), getattr(expected, name)
        assert (first is None) == (second is None)
        assert first is None or first.dtype == second.dtype
        assert first is None or np.array_equal(first, second, equal_nan=True)


def same(first, second):
    """Whether verdicts and probabilities of two maps are the same to the last bit."""
    return (
        np.array_equal(first.verdicts, second.verdicts)
        and np.array_equal(first.invalid, second.invalid)
        and np.array_equal(
            first.probability_planes, second.probability_planes, equal_nan=True
        )
    )
