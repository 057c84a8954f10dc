import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.config import get_cache_dir_path
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.tests.helpers import tiny_card
from maximask_astro.utils import ModelIntegrityError, ModelNotFoundError
from maximask_astro.weights import (
    home_directory,
    is_installed,
    list_models,
    load_model,
    model_path,
    save_model,
    update_card,
    weights_digest,
)
from maximask_astro.weights.arrays import read_weights

WEIGHTS = {
    "a/kernel": np.arange(12, dtype=np.float32).reshape(3, 4),
    "b": np.ones(2, np.float32),
}
CARD = tiny_card(WEIGHTS)
TEST = {"rows": np.arange(3)}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty home of this library."""
    monkeypatch.setenv("MAXIMASK_ASTRO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    directory = tmp_path_factory.mktemp("saved") / "model"
    save_model(directory, CARD, WEIGHTS, TEST)
    return directory


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name in expected:
        assert np.array_equal(found[name], expected[name])


def test_home_is_where_the_environment_says(monkeypatch):
    monkeypatch.setenv("MAXIMASK_ASTRO_HOME", "~/models of mine")
    assert home_directory() == Path.home() / "models of mine"
    assert model_path("x") == home_directory() / "models" / "x"


@pytest.mark.parametrize("value", [None, ""])
def test_home_is_the_cache_of_the_platform_otherwise(monkeypatch, value):
    monkeypatch.delenv("MAXIMASK_ASTRO_HOME", raising=False)
    if value is not None:
        monkeypatch.setenv("MAXIMASK_ASTRO_HOME", value)
    assert home_directory() == Path(get_cache_dir_path("maximask_astro"))


def test_models_are_listed_with_whether_they_are_installed(home):
    published = {
        "contaminants-1": True,  # comes with the package
        "maximask-1.4.1": False,
        "maxitrack-1.4.1": False,
        "tracking-1": True,
    }
    assert list_models() == published
    save_model(model_path("mine"), CARD, WEIGHTS, TEST)
    (home / "models" / "incomplete").mkdir()
    save_model(model_path(".new-left-behind"), CARD, WEIGHTS, TEST)
    assert list_models() == {**published, "mine": True}
    assert list(list_models()) == sorted(list_models())
    assert is_installed("mine")
    assert not is_installed("incomplete")


def test_installed_models_are_loaded_by_name(home):
    save_model(model_path("mine"), CARD, WEIGHTS, TEST)
    assert load_model("mine").card == CARD
    assert_same(load_model("mine").weights, WEIGHTS)


def test_models_that_are_not_there(home):
    command = "run 'maximask-astro weights install maximask-1.4.1'"
    with pytest.raises(ModelNotFoundError, match=command):
        load_model("maximask-1.4.1")
    known = "no model 'mine'.*maximask-1.4.1, maxitrack-1.4.1"
    with pytest.raises(ModelNotFoundError, match=known):
        load_model("mine")


def test_published_names_cannot_be_given_other_weights(home):
    name = "maximask-1.4.1"
    save_model(model_path(name), replace(CARD, name=name), WEIGHTS, TEST)
    with pytest.raises(ModelIntegrityError, match="other weights than its card says"):
        load_model(name)


def test_saving_replaces_a_model_completely(tmp_path):
    directory = tmp_path / "models" / "mine"
    save_model(directory, CARD, WEIGHTS, TEST)
    (directory / "left over").write_text("")
    weights = {"c": np.zeros(1, np.float32)}
    card = replace(CARD, weights_sha256=weights_digest(weights))
    save_model(directory, card, weights, TEST)
    assert names(directory.parent) == ["mine"]
    assert names(directory) == ["card.json", "test.npz", "weights.npz"]
    assert_same(read_weights(directory, card), weights)


def test_a_model_is_written_whole_or_not_at_all(tmp_path):
    directory = tmp_path / "mine"
    save_model(directory, CARD, WEIGHTS, TEST)
    cannot_be_json = replace(CARD, source={"object": object()})
    with pytest.raises(TypeError, match="not JSON serializable"):
        save_model(directory, cannot_be_json, WEIGHTS, TEST)
    assert names(tmp_path) == ["mine"]
    assert load_model(directory).card == CARD


def test_saving_checks_the_digest(tmp_path):
    with pytest.raises(ModelIntegrityError, match="'tiny' does not have the digest"):
        save_model(tmp_path / "mine", CARD, {"b": WEIGHTS["b"]}, TEST)
    assert names(tmp_path) == []


def test_digest_is_that_of_the_values():
    reference = weights_digest(WEIGHTS)
    big_endian = {name: array.astype(">f4") for name, array in WEIGHTS.items()}
    assert weights_digest(big_endian) == reference
    fortran = {name: np.asfortranarray(array) for name, array in WEIGHTS.items()}
    assert weights_digest(fortran) == reference
    backwards = dict(reversed(WEIGHTS.items()))
    assert weights_digest(backwards) == reference


def test_digest_notices_every_change():
    changes = [
        {**WEIGHTS, "a/kernel": WEIGHTS["a/kernel"].reshape(4, 3)},
        {**WEIGHTS, "b": WEIGHTS["b"].astype(np.float64)},
        {**WEIGHTS, "b": np.float32([1, np.nextafter(1, 2, dtype=np.float32)])},
        {"a/kernel": WEIGHTS["a/kernel"], "c": WEIGHTS["b"]},
        {"b": WEIGHTS["b"]},
    ]
    digests = {weights_digest(weights) for weights in [WEIGHTS, *changes]}
    assert len(digests) == 1 + len(changes)


@given(st.data())
def test_damaged_weights_are_refused(saved, tmp_path_factory, data):
    """A flipped bit or a cut anywhere: refused, or it changed no weight."""
    directory = tmp_path_factory.mktemp("damaged")
    content = bytearray((saved / "weights.npz").read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content = content[:position]
    else:
        content[position] ^= 1 << data.draw(st.integers(0, 7))
    (directory / "weights.npz").write_bytes(content)
    try:
        found = read_weights(directory, CARD)
    except ModelIntegrityError:
        return
    assert_same(found, WEIGHTS)


def test_missing_and_swapped_weights_are_refused(saved, tmp_path):
    with pytest.raises(ModelIntegrityError, match="not a NumPy archive"):
        read_weights(tmp_path, CARD)
    shutil.copy(saved / "test.npz", tmp_path / "weights.npz")
    with pytest.raises(ModelIntegrityError, match="other weights than its card says"):
        read_weights(tmp_path, CARD)
    np.save(tmp_path / "weights.npz", np.zeros(3))
    (tmp_path / "weights.npz.npy").rename(tmp_path / "weights.npz")
    with pytest.raises(ModelIntegrityError, match="not a NumPy archive"):
        read_weights(tmp_path, CARD)


class Pickled:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_pickled_objects_are_refused_and_not_run(tmp_path):
    objects = np.array([Pickled(tmp_path / "was run")], dtype=object)
    np.savez(tmp_path / "weights.npz", b=objects)
    with pytest.raises(ModelIntegrityError, match="not a NumPy archive"):
        read_weights(tmp_path, CARD)
    assert names(tmp_path) == ["weights.npz"]


def test_a_card_can_be_completed(tmp_path):
    card = replace(CARD, figures={"one": {"CR": 0.5}})
    save_model(tmp_path / "m", card, WEIGHTS, TEST)
    limits = ("It fails here.",)
    changed = update_card(
        tmp_path / "m", figures={"two": {"CR": 0.75}}, known_limits=limits
    )
    assert changed.figures == {"one": {"CR": 0.5}, "two": {"CR": 0.75}}
    assert load_model(tmp_path / "m").card == changed
    assert changed == replace(card, figures=changed.figures, known_limits=limits)
    with pytest.raises(TypeError, match="colors"):
        update_card(tmp_path / "m", colors=3)
    assert load_model(tmp_path / "m").card == changed
    with pytest.raises(ModelIntegrityError, match="not a readable model card"):
        update_card(tmp_path, known_limits=limits)
