from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.inference import update_probability
from maximask_astro.masking import ContaminantMasker
from maximask_astro.masking.rates import (
    has_rates,
    is_rate,
    parse_rate,
    threshold_at_rate,
)
from maximask_astro.tests.helpers import make_exposure
from maximask_astro.utils import InputError
from maximask_astro.weights import LoadedModel, load_model

LOGITS = np.linspace(8, -6, 30)
CURVE = {
    "fpr": np.logspace(-5, 0, 30).tolist(),
    "tpr": np.linspace(0.2, 1, 30).tolist(),
    "logit": LOGITS.tolist(),
}


@pytest.fixture(scope="module")
def model(tiny_model):
    """The stand-in with a ROC curve of two classes."""
    loaded = load_model(tiny_model)
    card = replace(loaded.card, roc={"CR": CURVE, "TRL": CURVE})
    return LoadedModel(card, loaded.weights)


def test_what_is_a_rate():
    assert all(map(is_rate, ["fpr=1e-3", " FPR = 0.5 ", "fpr=many"]))
    assert not any(map(is_rate, ["default", "fpr", "fpr=", 0.5, None, "xfpr=1"]))
    assert has_rates({"CR": 0.5, "TRL": "fpr=0.1"})
    assert not has_rates({"CR": 0.5})
    assert parse_rate("fpr=1e-3") == 1e-3


@pytest.mark.parametrize("text", ["fpr=0", "fpr=-1", "fpr=1.1", "fpr=x", "fpr=nan"])
def test_rates_are_numbers_from_0_to_1(text):
    with pytest.raises(ValueError, match=r"a number from 0 \(excluded\) to 1"):
        parse_rate(text)


@given(st.sampled_from(range(30)), st.none() | st.floats(1e-6, 0.99))
def test_points_of_the_curve_are_met_at_every_prior(model, index, prior):
    rate, raw = CURVE["fpr"][index], 1 / (1 + np.exp(-LOGITS[index]))
    trained = model.card.training_priors["CR"]
    expected = raw if prior is None else update_probability(raw, trained, prior)
    found = threshold_at_rate(model.card, "CR", rate, prior)
    assert found == pytest.approx(expected, rel=1e-6)
    assert np.float32(found) < 1


def test_higher_rates_have_lower_thresholds(model):
    rates = np.logspace(-5, 0, 77)
    found = [threshold_at_rate(model.card, "TRL", rate, 0.001) for rate in rates]
    assert np.all(np.diff(found) < 0)


@pytest.mark.parametrize(("name", "rate"), [("CR", 1e-6), ("SAT", 1e-3)])
def test_what_the_card_cannot_tell(model, name, rate):
    sentence = "reaches from 1e-05 to 1" if name == "CR" else "no ROC curve of SAT"
    with pytest.raises(InputError, match=sentence):
        threshold_at_rate(model.card, name, rate)


def test_maskers_take_rates(model):
    image = make_exposure((64, 80))
    few, many = (
        ContaminantMasker(model, classes="CR,TRL", thresholds={"CR": rate})
        for rate in ("fpr=1e-4", "fpr=0.3")
    )
    assert few(image).class_mask("CR").sum() < many(image).class_mask("CR").sum()
    assert few.settings[1] == many.settings[1]
    expected = threshold_at_rate(model.card, "CR", 0.3, 0.0005)
    assert many.settings[0].threshold == expected
    assert repr(many).endswith(f"thresholds='CR:{expected:g}')")
    every = ContaminantMasker(model, classes="CR,TRL", thresholds="fpr=0.3")
    assert every.settings[0] == many.settings[0]
    assert repr(every).endswith("thresholds='fpr=0.3')")
    with pytest.raises(InputError, match="no ROC curve of HCL"):
        ContaminantMasker(model, thresholds="fpr=0.3")
