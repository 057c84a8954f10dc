import copy
import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from astropy.nddata import StdDevUncertainty
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit

from maximask_astro.flags import CLASSES, NO_DATA, decode, get_class
from maximask_astro.inference import log_prior_factor
from maximask_astro.masking.tests.maps import (
    NAMES,
    PROVENANCE,
    SPREAD,
    assert_same_map,
    make_map,
)
from maximask_astro.weights import look_up_uncertainty

MAPS = st.builds(
    make_map,
    shape=st.sampled_from([(1, 1), (3, 5), (2, 3, 4)]),
    names=st.sets(st.sampled_from([f.abbreviation for f in CLASSES]), min_size=1),
    seed=st.integers(0, 1000),
)


@given(MAPS)
def test_bitmask_says_what_the_class_masks_say(cmap):
    masks = {name: cmap.class_mask(name) for name in cmap.classes}
    for index in np.ndindex(cmap.shape):
        names = [name for name in cmap.classes if masks[name][index] and name != "BG"]
        expected = [NO_DATA.abbreviation] if cmap.invalid[index] else names
        assert decode(int(cmap.bitmask[index])) == tuple(expected)


@given(MAPS)
def test_mask_is_true_where_a_pixel_should_not_be_used(cmap):
    expected = cmap.invalid.copy()
    for name in cmap.classes:
        if name not in ("FR", "NEB", "BBG", "BG"):
            expected |= cmap.class_mask(name)
    assert np.array_equal(cmap.mask, expected)


@given(MAPS)
def test_table_counts_the_pixels(cmap):
    table = cmap.to_table()
    assert tuple(table["class"]) == cmap.classes
    assert table.meta["pixels"] == cmap.invalid.size
    assert table.meta["no_data"] == cmap.invalid.sum()
    n_valid = cmap.invalid.size - cmap.invalid.sum()
    for row, settings in zip(table, cmap.settings, strict=True):
        assert row["pixels"] == cmap.class_mask(row["class"]).sum()
        assert row["fraction"] * max(n_valid, 1) == pytest.approx(row["pixels"])
        assert row["bit"] == get_class(row["class"]).bit
        assert row["prior"] == settings.prior
        assert row["threshold"] == settings.threshold


@given(MAPS)
def test_maps_can_be_pickled_and_copied(cmap):
    """As is needed to send them to other processes."""
    _ = cmap.bitmask, cmap.probabilities
    assert_same_map(pickle.loads(pickle.dumps(cmap)), cmap)
    assert_same_map(copy.deepcopy(cmap), cmap)


def test_table_shows_priors_that_were_not_changed_as_nan():
    cmap = make_map()
    settings = tuple(replace(item, prior=None) for item in cmap.settings)
    assert np.isnan(replace(cmap, settings=settings).to_table()["prior"]).all()


def test_probabilities_know_what_they_are():
    wcs = WCS(naxis=2)
    spread = np.random.RandomState(1).uniform(size=(len(NAMES), 12, 15))
    cmap = make_map(wcs=wcs, uncertainty_planes=spread.astype(np.float32))
    assert tuple(cmap.probabilities) == cmap.classes == NAMES
    for index, name in enumerate(NAMES):
        plane = cmap.probabilities[name]
        assert np.shares_memory(plane.data, cmap.probability_planes)
        assert np.array_equal(
            plane.data, cmap.probability_planes[index], equal_nan=True
        )
        assert np.array_equal(plane.mask, cmap.invalid)
        assert np.isnan(plane.data[plane.mask]).all()
        assert isinstance(plane.uncertainty, StdDevUncertainty)
        assert np.array_equal(plane.uncertainty.array, cmap.uncertainty_planes[index])
        assert plane.wcs is not None
        assert plane.meta["class"] == name
        assert plane.meta["bit"] == get_class(name).bit
        assert plane.meta["prior"] == get_class(name).prior
        assert plane.meta["training_prior"] == 0.1
        assert plane.meta["model"] == PROVENANCE["model"]
    assert make_map().probabilities["CR"].uncertainty is None


def test_uncertainty_is_looked_up_when_it_is_asked_for(monkeypatch):
    from maximask_astro.masking import planes

    calls = []

    def look_up(*arguments):
        calls.append(arguments)
        return look_up_uncertainty(*arguments)

    monkeypatch.setattr(planes, "look_up_uncertainty", look_up)
    cmap = make_map(spread=SPREAD)
    plane = cmap.probabilities["CR"]
    assert plane.data is not None
    assert calls == []
    spread = plane.uncertainty
    assert isinstance(spread, StdDevUncertainty)
    assert spread.parent_nddata is plane
    assert cmap.probabilities["CR"].uncertainty is spread
    assert len(calls) == 1
    assert cmap.probabilities["P"].uncertainty is None
    # The table is about the network's own probability, at its training prior.
    p = plane.data.astype(float)
    factor = log_prior_factor(0.1, get_class("CR").prior)
    sigma = np.interp(logit(p) + factor, *SPREAD["CR"].values())
    np.testing.assert_allclose(spread.array, p * (1 - p) * sigma, rtol=1e-5)
    assert np.array_equal(np.isnan(spread.array), cmap.invalid)


def test_a_prior_that_was_not_changed_needs_no_training_prior():
    cmap = make_map(spread=SPREAD)
    settings = tuple(
        replace(item, training_prior=None, prior=None) for item in cmap.settings
    )
    plane = replace(cmap, settings=settings).probabilities["SAT"]
    p = plane.data
    np.testing.assert_allclose(plane.uncertainty.array, p * (1 - p) / 4, rtol=1e-5)


def test_probabilities_that_were_not_kept():
    with pytest.raises(ValueError, match="keep_probabilities=False"):
        _ = make_map(planes=False).probabilities


def test_class_mask_takes_any_spelling_but_only_classes_of_the_map():
    cmap = make_map()
    assert np.array_equal(cmap.class_mask("stl"), cmap.class_mask("TRL"))
    with pytest.raises(ValueError, match="no class OV; it has CR, P, TRL"):
        cmap.class_mask("OV")
    with pytest.raises(ValueError, match="'XX' is not a contaminant class"):
        cmap.class_mask("XX")


def test_a_map_does_not_change():
    cmap = make_map()
    for array in (
        cmap.bitmask,
        cmap.mask,
        cmap.verdicts,
        cmap.invalid,
        cmap.probability_planes,
        cmap.probabilities["CR"].data,
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(FrozenInstanceError):
        cmap.verdicts = None
    with pytest.raises(TypeError, match="does not support item assignment"):
        cmap.provenance["model"] = "other"
    assert cmap.bitmask is cmap.bitmask


def test_repr_is_one_short_line():
    text = repr(make_map((2, 30, 40)))
    assert text.startswith("<ContaminantMap of 2 x 30 x 40 pixels: 7 classes, ")
    assert text.endswith("% unusable, model a model's name>")
    assert "\n" not in text
