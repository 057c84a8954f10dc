from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from maximask_astro.inference import log_prior_factor
from maximask_astro.utils import InputError, ModelIntegrityError
from maximask_astro.weights import (
    ModelCard,
    look_up_uncertainty,
    packaged_card,
    spread_of,
)

TABLE = {"logit": [-8.0, -2.0, 2.0], "sigma": [1.5, 0.5, 0.3]}
CARD = packaged_card("maximask-1.4.1")


def test_between_the_numbers_of_the_table():
    logits = np.array([[-20, -5.0], [0.0, 9.0]])
    sigma = [[1.5, 1.0], [0.4, 0.3]]
    p = expit(logits)
    found = look_up_uncertainty(logits, TABLE)
    assert (found.shape, found.dtype) == ((2, 2), np.float32)
    np.testing.assert_allclose(found, p * (1 - p) * sigma, rtol=1e-6)


def test_extremes():
    found = look_up_uncertainty([-np.inf, np.inf, np.nan], TABLE)
    assert found[:2].tolist() == [0, 0]
    assert np.isnan(found[2])
    wide = {"logit": [0.0], "sigma": [5.0]}
    assert look_up_uncertainty(0.0, wide) == 0.5


def test_a_prior_moves_probabilities_but_not_what_is_known_of_them():
    """The spread of the true fraction, by its definition, for another prior."""
    trained, prior, network = 0.1, 0.001, -1.0
    factor = log_prior_factor(trained, prior)
    table = {"logit": [-1.5, -0.5], "sigma": [0.1, 0.1]}
    fractions = expit(np.random.default_rng(0).normal(network, 0.1, 100_000))
    # Equation 26 of the paper for what is true on each sky.
    moved = expit(logit(fractions) - factor)
    found = look_up_uncertainty(network - factor, table, factor)
    np.testing.assert_allclose(found, moved.std(), rtol=0.02)


def test_a_wrong_scale_would_be_noticed():
    assert look_up_uncertainty(0.0, TABLE, 2.0) < look_up_uncertainty(0.0, TABLE)


def test_cards_keep_tables(tmp_path):
    card = replace(CARD, spread={"CR": TABLE})
    card.write(tmp_path / "card.json")
    again = ModelCard.read(tmp_path / "card.json")
    assert again == card
    tables = spread_of(again, ["CR", "TRL"])
    assert tables == {"CR": {"logit": (-8, -2, 2), "sigma": (1.5, 0.5, 0.3)}}
    assert CARD.spread == {}


def test_cards_without_tables():
    with pytest.raises(InputError, match="has no table of uncertainties; use"):
        spread_of(CARD, CARD.classes)
    with pytest.raises(InputError, match="no table"):
        spread_of(replace(CARD, spread={"CR": TABLE}), ["TRL"])


@pytest.mark.parametrize(
    "table",
    [
        None,
        {},
        {"logit": [0.0]},
        {"logit": [], "sigma": []},
        {"logit": [0.0, 1.0], "sigma": [1.0]},
        {"logit": [1.0, 0.0], "sigma": [1.0, 1.0]},
        {"logit": [0.0, 1.0], "sigma": [1.0, -1.0]},
        {"logit": [0.0, 1.0], "sigma": [1.0, "wide"]},
    ],
)
def test_damaged_tables(table):
    with pytest.raises(ModelIntegrityError, match="of uncertainties of CR that is dam"):
        spread_of(replace(CARD, spread={"CR": table}), ["CR"])
