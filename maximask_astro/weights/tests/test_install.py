import hashlib
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from maximask_astro.tests.helpers import tiny_card, tiny_weights
from maximask_astro.utils import (
    InputError,
    ModelIntegrityError,
    ModelNotFoundError,
)
from maximask_astro.weights import (
    install_model,
    is_installed,
    load_model,
    model_path,
    store,
)
from maximask_astro.weights.tests.bundle import write_bundle

NAME, CHECKPOINT = "stand-in-1.0", "stand_in/model"
WHEEL = "stand_in-1.0-py3-none-any.whl"
METADATA = "Metadata-Version: 2.1\nName: stand-in\nVersion: 1.0\n"


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def weights():
    return tiny_weights()


@pytest.fixture(scope="module")
def release(tmp_path_factory, weights):
    """Directory with what the authors of a network would release: a wheel."""
    release = tmp_path_factory.mktemp("release")
    checkpoint = tmp_path_factory.mktemp("unpacked") / CHECKPOINT
    write_bundle(checkpoint / "variables", weights)
    information = "stand_in-1.0.dist-info"
    with zipfile.ZipFile(release / WHEEL, "w") as wheel:
        wheel.writestr("stand_in/__init__.py", "raise RuntimeError('was imported')")
        for path in (checkpoint / "variables").iterdir():
            wheel.write(path, f"{CHECKPOINT}/variables/{path.name}")
        wheel.writestr(f"{information}/METADATA", METADATA)
        wheel.writestr(
            f"{information}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{information}/RECORD", "")
    return release, checkpoint


@pytest.fixture(autouse=True)
def published(release, weights, tmp_path, monkeypatch):
    """An empty home, and a package that knows the stand-in as published."""
    wheel, checkpoint = release[0] / WHEEL, release[1]
    source = {
        "package": "stand-in==1.0",
        "wheel": WHEEL,
        "wheel_sha256": sha256(wheel),
        "checkpoint": CHECKPOINT,
        "data_sha256": sha256(checkpoint / "variables/variables.data-00000-of-00001"),
    }
    cards = tmp_path / "cards"
    cards.mkdir()
    replace(tiny_card(weights), name=NAME, source=source).write(
        cards / f"{NAME}.card.json"
    )
    np.savez(cards / f"{NAME}.test.npz", rows=np.arange(3))
    monkeypatch.setattr(store, "_packaged", lambda: cards)
    monkeypatch.setenv("MAXIMASK_ASTRO_HOME", str(tmp_path / "home"))


@pytest.fixture
def no_index(monkeypatch):
    """Let pip look at no network."""
    for name in ("PIP_FIND_LINKS", "PIP_CONSTRAINT", "PIP_REQUIRE_VIRTUALENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")


def installed_weights_are(weights):
    found = load_model(NAME).weights
    return found.keys() == weights.keys() and all(
        np.array_equal(found[name], weights[name]) for name in weights
    )


def test_every_origin_gives_the_same_weights(release, weights):
    wheels, checkpoint = release
    origins = [wheels / WHEEL, wheels, checkpoint, checkpoint.parents[1]]
    for origin in origins:
        assert install_model(NAME, origin=origin, force=True) == model_path(NAME)
        assert installed_weights_are(weights)
    files = sorted(path.name for path in model_path(NAME).iterdir())
    assert files == ["card.json", "test.npz", "weights.npz"]


def test_pip_downloads_the_wheel(release, weights, no_index, monkeypatch):
    monkeypatch.setenv("PIP_FIND_LINKS", str(release[0]))
    install_model(NAME)
    assert installed_weights_are(weights)


def test_without_a_network_the_message_says_what_to_do(no_index):
    with pytest.raises(InputError, match=rf"could not download.*{WHEEL} with --from"):
        install_model(NAME)
    assert not is_installed(NAME)


def test_installed_models_are_left_alone_unless_forced(release):
    install_model(NAME, origin=release[0])
    card = model_path(NAME) / "card.json"
    card.write_text("{}")
    install_model(NAME, origin="/this/is/not/looked/at")
    assert card.read_text() == "{}"
    install_model(NAME, origin=release[0], force=True)
    assert card.read_text() != "{}"


def test_a_wheel_with_another_hash_is_refused(release, tmp_path):
    wheel = tmp_path / WHEEL
    wheel.write_bytes((release[0] / WHEEL).read_bytes() + b"\0")
    with pytest.raises(ModelIntegrityError, match=r"not the published file: its SHA"):
        install_model(NAME, origin=wheel)
    assert not is_installed(NAME)


def test_a_checkpoint_with_another_hash_is_refused(weights, tmp_path):
    """A valid checkpoint, but with one weight changed."""
    changed = {**weights, "conv1/bias": weights["conv1/bias"] + 1}
    write_bundle(tmp_path / "model" / "variables", changed)
    with pytest.raises(ModelIntegrityError, match=r"not the published file: its SHA"):
        install_model(NAME, origin=tmp_path / "model")
    assert not is_installed(NAME)


def test_origins_that_hold_no_model(tmp_path):
    with pytest.raises(InputError, match=rf"is neither the wheel {WHEEL}"):
        install_model(NAME, origin=tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        install_model(NAME, origin=tmp_path / "missing")


def test_unknown_models_are_refused_with_what_there_is():
    with pytest.raises(ModelNotFoundError, match=f"no published model 'x'.*{NAME}"):
        install_model("x")
