from dataclasses import replace

import numpy as np
import pytest

from maximask_astro.flags import ABBREVIATIONS, CLASSES, get_class
from maximask_astro.masking.settings import (
    resolve_classes,
    resolve_grow,
    resolve_priors,
    resolve_thresholds,
)
from maximask_astro.utils import InputError
from maximask_astro.weights import packaged_card

CARD = replace(
    packaged_card("maximask-1.4.1"),
    thresholds={"CR": 0.9},
    roc={"CR": {"fpr": [1e-4, 1e-2, 1], "tpr": [0, 0.5, 1], "logit": [4, 2, -20]}},
)


def thresholds_of(thresholds, names):
    return resolve_thresholds(thresholds, names, CARD, dict.fromkeys(names))


UNUSABLE = tuple(flag.abbreviation for flag in CLASSES if flag.unusable)


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ("all", ABBREVIATIONS),
        ("unusable", UNUSABLE),
        ("TRL,CR", ("CR", "TRL")),
        (" stl , cr,", ("CR", "TRL")),
        (["SAT", "BG", "SAT"], ("SAT", "BG")),
        ({"BBG"}, ("BBG",)),
        (iter(["CR"]), ("CR",)),
        (np.array(["P", "CR"]), ("CR", "P")),
    ],
)
def test_classes_come_in_the_order_of_the_model(classes, expected):
    assert resolve_classes(classes, ABBREVIATIONS) == expected


def test_only_classes_of_the_model():
    assert resolve_classes("all", ("SAT", "CR")) == ("SAT", "CR")
    assert resolve_classes("unusable", ("BG", "SAT")) == ("SAT",)
    with pytest.raises(ValueError, match="The model has no class TRL"):
        resolve_classes("CR,TRL", ("SAT", "CR"))


@pytest.mark.parametrize("classes", ["", ",", [], ()])
def test_no_class_is_refused(classes):
    with pytest.raises(ValueError, match="choose at least one"):
        resolve_classes(classes, ABBREVIATIONS)


@pytest.mark.parametrize("classes", ["XX", ["CR", "all"], "NO_DATA"])
def test_unknown_classes_are_refused(classes):
    with pytest.raises(ValueError, match="is not a contaminant class"):
        resolve_classes(classes, ABBREVIATIONS)


def test_priors():
    names = ("CR", "TRL", "BG")
    defaults = {name: get_class(name).prior for name in names}
    assert resolve_priors("default", names, CARD) == defaults
    assert resolve_priors({}, names, CARD) == defaults
    assert resolve_priors(None, names, CARD) == dict.fromkeys(names)
    given = {"stl": None, "CR": np.float32(0.5), "HP": 0.1}
    assert resolve_priors(given, names, CARD) == {**defaults, "TRL": None, "CR": 0.5}
    # A model may have others.
    card = replace(CARD, priors={"TRL": 0.02})
    assert resolve_priors("default", names, card) == {**defaults, "TRL": 0.02}
    assert resolve_priors(given, names, card)["TRL"] is None


@pytest.mark.parametrize("value", [0, 1, -0.1, 1.1, np.nan, np.inf, "0.1", [0.1]])
def test_priors_are_numbers_between_0_and_1(value):
    with pytest.raises(ValueError, match=r"The prior of CR is .* both excluded"):
        resolve_priors({"CR": value}, ("CR",), CARD)


@pytest.mark.parametrize("priors", ["training", 0.1, ["CR"]])
def test_priors_are_a_mapping(priors):
    with pytest.raises(TypeError, match="priors must be a mapping"):
        resolve_priors(priors, ("CR",), CARD)


def test_thresholds():
    names = ("CR", "TRL")
    defaults = {"CR": 0.9, "TRL": get_class("TRL").threshold}
    assert thresholds_of("default", names) == defaults
    assert thresholds_of({"STL": 1}, names) == {"CR": 0.9, "TRL": 1.0}
    assert thresholds_of(0.5, names) == dict.fromkeys(names, 0.5)


def test_thresholds_may_be_rates():
    names = ("CR", "TRL")
    # Without an update to a prior, and without a curve of TRL.
    assert thresholds_of({"CR": "fpr=1e-2"}, names) == {
        "CR": pytest.approx(1 / (1 + np.exp(-2.0))),
        "TRL": get_class("TRL").threshold,
    }
    assert thresholds_of("fpr=1", ("CR",)) == {"CR": pytest.approx(0, abs=1e-8)}
    with pytest.raises(InputError, match="no ROC curve of TRL"):
        thresholds_of("fpr=1e-2", names)


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan, "0.1", None])
def test_thresholds_are_numbers_from_0_to_1(value):
    with pytest.raises(ValueError, match=r"The threshold of CR is .* from 0 to 1"):
        thresholds_of({"CR": value}, ("CR",))


@pytest.mark.parametrize("thresholds", ["low", "fpr", None, [0.5]])
def test_thresholds_are_a_number_or_a_mapping(thresholds):
    with pytest.raises(TypeError, match="thresholds must be a mapping"):
        thresholds_of(thresholds, ("CR",))


def test_grow():
    names = ("CR", "BBG", "TRL")
    assert resolve_grow(0, names) == dict.fromkeys(names, 0)
    assert resolve_grow(2.5, names) == {"CR": 2.5, "BBG": 0, "TRL": 2.5}
    assert resolve_grow({"bbg": 3}, names) == {"CR": 0, "BBG": 3, "TRL": 0}


@pytest.mark.parametrize("grow", [-1, np.nan, np.inf, "2", {"CR": None}, {"TRL": 1e6}])
def test_radii_are_numbers_of_pixels(grow):
    with pytest.raises(ValueError, match="number of pixels from 0 to 1000"):
        resolve_grow(grow, ("CR", "BG"))
