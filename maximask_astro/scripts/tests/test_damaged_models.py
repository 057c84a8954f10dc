"""Models that are damaged, missing or of the wrong kind."""

import json
import shutil

import pytest

from maximask_astro.scripts.tests.test_bad_input import (
    COMMANDS,
    assert_refused,
    assert_wrong_usage,
    contents,
)
from maximask_astro.tests.helpers import tiny_weights
from maximask_astro.weights.tests.bundle import write_bundle


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def halve(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def change_card(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


# What is done to a model's directory, and what is to be said about it.
DAMAGES = {
    "a flipped byte": (
        lambda model: flip_a_byte(model / "weights.npz"),
        "model/weights.npz ",
    ),
    "half of the weights": (
        lambda model: halve(model / "weights.npz"),
        "model/weights.npz is damaged or is not a NumPy archive: ",
    ),
    "no weights": (
        lambda model: (model / "weights.npz").unlink(),
        "model/weights.npz is damaged or is not a NumPy archive: ",
    ),
    "half a card": (
        lambda model: halve(model / "card.json"),
        "model/card.json is not a readable model card: ",
    ),
    "no card": (
        lambda model: (model / "card.json").unlink(),
        "model/card.json is not a readable model card: ",
    ),
    "another digest": (
        lambda model: change_card(model / "card.json", weights_sha256="0" * 64),
        "model/weights.npz holds other weights than its card says: ",
    ),
}


@pytest.fixture
def refused(night, run_within):
    """Check that both commands refuse a model with the same sentence."""

    def check(model, sentence, environment=None, commands=COMMANDS):
        before = contents(night)
        for name in commands:
            words, option = COMMANDS[name]
            arguments = ("good.fits", option, model)
            done = run_within(*words, *arguments, environment=environment)
            assert_refused(done, name, sentence)
        assert contents(night) == before

    return check


@pytest.fixture
def model(night, tiny_model):
    """A copy of the stand-in."""
    return shutil.copytree(tiny_model, night / "model")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_directory(refused, model, damage):
    do, sentence = DAMAGES[damage]
    do(model)
    refused(model, sentence, commands=["maximask-astro mask"])


@pytest.mark.published_weights
def test_damaged_published_weights(refused, night):
    from maximask_astro.weights import model_path

    home = night / "home"
    installed = home / "models" / "maximask-1.4.1"
    shutil.copytree(model_path("maximask-1.4.1"), installed)
    flip_a_byte(installed / "weights.npz")
    environment = {"MAXIMASK_ASTRO_HOME": str(home)}
    refused("maximask-1.4.1", f"{installed / 'weights.npz'} ", environment)


def test_another_network_under_a_published_name(refused, night, tiny_model):
    installed = night / "home" / "models" / "maximask-1.4.1"
    shutil.copytree(tiny_model, installed)
    environment = {"MAXIMASK_ASTRO_HOME": str(night / "home")}
    sentence = f"{installed / 'weights.npz'} holds other weights than its card says: "
    refused("maximask-1.4.1", sentence, environment, ["maximask"])


def test_a_damaged_directory_of_the_original(refused, night):
    variables = write_bundle(night / "net" / "variables", tiny_weights())
    flip_a_byte(variables / "variables.data-00000-of-00001")
    refused("net", "net/variables", commands=["maximask"])


def test_a_model_that_is_not_installed(refused, night):
    environment = {"MAXIMASK_ASTRO_HOME": str(night / "home")}
    refused(
        "maximask-1.4.1",
        "The model 'maximask-1.4.1' is not installed: run 'maximask-astro weights "
        "install maximask-1.4.1'.",
        environment,
    )


def test_an_unknown_model(refused):
    sentence = (
        "There is no model 'minimask' and no such directory; the models are contam"
    )
    refused("minimask", sentence)


def test_a_model_for_something_else(night, run_within, model):
    change_card(model / "card.json", task="tracking")
    for name, (words, option) in COMMANDS.items():
        done = run_within(*words, "good.fits", option, model)
        sentence = "The model 'tiny' is for tracking, not for contaminants"
        assert_wrong_usage(done, name, sentence)
