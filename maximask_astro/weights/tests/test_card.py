import json
from dataclasses import replace

import numpy as np
import pytest

from maximask_astro.background import NORMALIZATIONS
from maximask_astro.flags import ABBREVIATIONS, CLASSES
from maximask_astro.utils import ModelIntegrityError
from maximask_astro.weights import ModelCard, is_shipped, list_models, packaged_card

PUBLISHED = [name for name in list_models() if packaged_card(name) is not None]

CURVE = {"fpr": [1e-4, 1.0], "tpr": [0.5, 1.0], "logit": [2.5, -20.0]}


@pytest.mark.parametrize("name", PUBLISHED)
def test_cards_survive_a_file(tmp_path, name):
    card = packaged_card(name)
    card.write(tmp_path / "card.json")
    assert ModelCard.read(tmp_path / "card.json") == card


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_cards_fit_the_rest_of_the_library(name):
    from maximask_astro.models import ARCHITECTURES

    card = packaged_card(name)
    assert card.name == name
    assert card.architecture in ARCHITECTURES
    assert card.normalization in NORMALIZATIONS
    # What is said about whole images has no halo, and not all of it a prior.
    about_images = name == "tracking-1"
    sides = ("block", "smallest") if about_images else ("halo",)
    assert all(card.input[side] % card.input["stride"] == 0 for side in sides)
    priors = {"affected"} if about_images else set(card.classes)
    assert set(card.training_priors) == priors
    assert set(card.thresholds) <= set(card.classes)
    assert len(card.weights_sha256) == 64
    assert card.license.startswith("BSD" if is_shipped(name) else "MIT")


def test_a_model_may_have_priors_of_its_own():
    card = packaged_card("maximask-1.4.1")
    assert all(card.prior(flag.abbreviation) == flag.prior for flag in CLASSES)
    own = replace(card, priors={"FR": 0.25})
    assert (own.prior("FR"), own.prior("CR")) == (0.25, card.prior("CR"))


def test_measured_numbers_survive_a_file(tmp_path):
    card = replace(
        packaged_card("maximask-1.4.1"),
        roc={"CR": CURVE},
        figures={"validation": {"CR": 0.98}},
        training={"recipe": "mine", "seed": 3, "commit": None},
    )
    card.write(tmp_path / "card.json")
    assert ModelCard.read(tmp_path / "card.json") == card
    text = (tmp_path / "card.json").read_text()
    assert '"logit": [ 2.5, -20.0 ]' in text  # numbers of a list share a line


def test_cards_have_no_numbers_that_are_none(tmp_path):
    card = replace(packaged_card("maximask-1.4.1"), figures={"x": {"CR": np.nan}})
    with pytest.raises(ValueError, match="JSON compliant"):
        card.write(tmp_path / "card.json")


def test_published_masking_card_agrees_with_the_table_of_classes():
    card = packaged_card("maximask-1.4.1")
    assert card.classes == ABBREVIATIONS
    assert card.thresholds == {flag.abbreviation: flag.threshold for flag in CLASSES}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not JSON",
        "[1, 2]",
        "null",
        "{}",
        '{"name": "only"}',
        '{"classes": 5}',
        json.dumps({"unknown": 1, **vars(packaged_card("maximask-1.4.1"))}),
    ],
)
def test_what_is_not_a_card(tmp_path, text):
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(ModelIntegrityError, match="not a readable model card"):
        ModelCard.read(tmp_path / "card.json")


def test_missing_or_binary_files(tmp_path):
    with pytest.raises(ModelIntegrityError, match="not a readable model card"):
        ModelCard.read(tmp_path / "missing.json")
    (tmp_path / "card.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelIntegrityError, match="not a readable model card"):
        ModelCard.read(tmp_path / "card.json")
