"""The model that comes with the package."""

import json

import numpy as np
import pytest

from maximask_astro import ContaminantMasker
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.masking import DEFAULT_MODEL
from maximask_astro.tests.helpers import make_exposure
from maximask_astro.utils import ModelIntegrityError
from maximask_astro.weights import (
    is_installed,
    is_shipped,
    load_model,
    model_path,
    packaged_card,
    save_model,
    store,
    verify_model,
)

LARGEST = 5_000_000  # bytes


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty home: nothing is installed."""
    monkeypatch.setenv("MAXIMASK_ASTRO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_the_default_model_is_there(home):
    assert is_shipped(DEFAULT_MODEL)
    assert is_installed(DEFAULT_MODEL)
    assert load_model(DEFAULT_MODEL).card == packaged_card(DEFAULT_MODEL)
    assert not home.exists()


def test_it_is_small():
    files = list(model_path(DEFAULT_MODEL).iterdir())
    assert sum(path.stat().st_size for path in files) <= LARGEST


def test_it_is_stored_in_half_and_used_in_single_precision():
    with np.load(model_path(DEFAULT_MODEL) / "weights.npz") as stored:
        kept = {name: stored[name] for name in stored.files}
    weights = load_model(DEFAULT_MODEL).weights
    assert {array.dtype.name for array in kept.values()} == {"float16"}
    assert {array.dtype.name for array in weights.values()} == {"float32"}
    assert all(np.array_equal(kept[name], weights[name]) for name in kept)


def test_it_gives_what_it_gave_when_it_was_made():
    assert verify_model(DEFAULT_MODEL).passed


def test_it_masks():
    masker = ContaminantMasker(keep_probabilities=False)
    assert masker.model_card.name == DEFAULT_MODEL
    assert masker.classes == ABBREVIATIONS
    assert masker(make_exposure((96, 80))).shape == (96, 80)


def test_the_card_is_complete():
    card = packaged_card(DEFAULT_MODEL)
    assert set(card.training_priors) == set(card.thresholds) == set(ABBREVIATIONS)
    assert set(card.roc) == set(ABBREVIATIONS)
    for curve in card.roc.values():
        assert len(curve["fpr"]) == len(curve["tpr"]) == len(curve["logit"]) > 10
        assert np.all(np.diff(curve["fpr"]) > 0)
        assert np.all(np.diff(curve["tpr"]) >= 0)
        assert np.all(np.diff(curve["logit"]) < 0)
        assert curve["fpr"][-1] == curve["tpr"][-1] == 1
    assert all(0 < area <= 1 for area in card.figures["validation"].values())
    assert {"recipe", "seed", "steps", "minutes", "device"} <= card.training.keys()
    assert card.known_limits


def test_an_installed_model_cannot_take_its_place(tiny_model, home):
    tiny = load_model(tiny_model)
    directory = home / "models" / DEFAULT_MODEL
    save_model(directory, tiny.card, tiny.weights, {})
    assert load_model(DEFAULT_MODEL).card.name == DEFAULT_MODEL


def test_damage_is_noticed(tmp_path, monkeypatch):
    card = packaged_card(DEFAULT_MODEL)
    weights = {"a": np.ones(3, np.float16)}
    directory = tmp_path / "shipped" / DEFAULT_MODEL
    directory.mkdir(parents=True)
    card.write(directory / "card.json")
    for name in ("weights.npz", "test.npz"):
        np.savez(directory / name, **weights)
    monkeypatch.setattr(store, "_shipped", lambda: tmp_path / "shipped")
    with pytest.raises(ModelIntegrityError, match="other weights than its card says"):
        load_model(DEFAULT_MODEL)


@pytest.mark.parametrize("name", ["", ".", "..", "../shipped/contaminants-1", "x/y"])
def test_paths_are_no_names(name):
    assert not is_shipped(name)


def test_the_card_is_strict_json():
    text = (model_path(DEFAULT_MODEL) / "card.json").read_text(encoding="utf-8")

    def refuse(constant):
        raise AssertionError(constant)

    assert json.loads(text, parse_constant=refuse)["name"] == DEFAULT_MODEL
