import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from maximask_astro.tests.helpers import tiny_card, tiny_weights
from maximask_astro.utils import ModelIntegrityError, ModelNotFoundError
from maximask_astro.weights import ModelCard, load_model, packaged_card, save_model
from maximask_astro.weights.tests.bundle import write_bundle


@pytest.fixture(scope="module")
def weights():
    return tiny_weights()


def test_network_has_the_weights(tiny_model, weights):
    loaded = load_model(tiny_model)
    assert loaded.card == ModelCard.read(tiny_model / "card.json")
    for variable in loaded.network.weights:
        assert np.array_equal(np.asarray(variable), weights[variable.path])
    assert loaded.network is loaded.network


def test_loaded_models_are_kept_until_their_files_change(tiny_model, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(tiny_model, copy)
    loaded = load_model(copy)
    assert load_model(str(copy)) is loaded
    assert load_model(os.path.relpath(copy)) is loaded
    (copy / "weights.npz").write_bytes(b"damaged")
    with pytest.raises(ModelIntegrityError, match=r"weights\.npz is damaged"):
        load_model(copy)


def test_loading_from_several_threads(tiny_model, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(tiny_model, copy)
    with ThreadPoolExecutor(4) as pool:
        loaded = list(pool.map(load_model, [copy] * 4))
    assert len({item.card.weights_sha256 for item in loaded}) == 1


def test_directories_that_hold_no_model(tmp_path):
    with pytest.raises(ModelIntegrityError, match="not a readable model card"):
        load_model(tmp_path)
    with pytest.raises(ModelNotFoundError, match="no such directory"):
        load_model(tmp_path / "missing")


def save_changed(directory, weights, **changes):
    card = replace(tiny_card(weights), **changes)
    save_model(directory, card, weights, {"rows": np.arange(3)})
    return load_model(directory)


def test_unknown_architecture(tmp_path, weights):
    loaded = save_changed(tmp_path / "model", weights, architecture="resnet")
    with pytest.raises(ModelIntegrityError, match="names the architecture 'resnet'"):
        _ = loaded.network


def test_weights_that_do_not_fit(tmp_path, weights):
    loaded = save_changed(tmp_path / "model", weights, options={})
    with pytest.raises(ModelIntegrityError, match="do not fit the architecture"):
        _ = loaded.network
    fewer = {path: array for path, array in weights.items() if path != "conv1/bias"}
    loaded = save_changed(tmp_path / "model", fewer)
    with pytest.raises(ModelIntegrityError, match="'conv1/bias' is no such array"):
        _ = loaded.network


def test_directory_in_the_original_format(tmp_path, weights):
    """Somebody's own training: the published card, but for what is not the same."""
    write_bundle(tmp_path / "own" / "variables", weights)
    loaded = load_model(tmp_path / "own")
    published = packaged_card("maximask-1.4.1")
    assert loaded.card.name == "own"
    assert loaded.card.license == "unknown"
    assert loaded.card.weights_sha256 != published.weights_sha256
    assert loaded.card.classes == published.classes
    assert loaded.card.training_priors == published.training_priors
    assert loaded.weights.keys() == weights.keys()
    for path in weights:
        assert np.array_equal(loaded.weights[path], weights[path])


def test_directory_in_the_original_format_that_is_damaged(tmp_path, weights):
    variables = write_bundle(tmp_path / "own" / "variables", weights)
    (variables / "variables.index").unlink()
    with pytest.raises(ModelIntegrityError, match=r"cannot read 'variables\.index'"):
        load_model(tmp_path / "own")


@pytest.mark.published_weights
@pytest.mark.parametrize("name", ["maximask-1.4.1", "maxitrack-1.4.1"])
def test_published_networks_load(name):
    loaded = load_model(name)
    assert loaded.card == packaged_card(name)
    assert loaded.network.count_params() == sum(a.size for a in loaded.weights.values())
