from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from maximask_astro import ContaminantMasker
from maximask_astro.evaluation import ScoreHistogram
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.inference import log_prior_factor
from maximask_astro.tests.helpers import make_exposure
from maximask_astro.training import export_model
from maximask_astro.training.checkpoint import read_checkpoint
from maximask_astro.training.masker_card import describe
from maximask_astro.training.operating_points import roc_points, thresholds_of
from maximask_astro.training.priors import DEFAULT_PRIORS
from maximask_astro.training.steps import presented_priors
from maximask_astro.training.tests.conftest import RECIPE, STEPS, make_trainer
from maximask_astro.utils import InputError
from maximask_astro.weights import load_model, verify_model


def test_the_model_has_the_mean_weights_of_the_training(trained, trained_model):
    loaded = load_model(trained_model)
    variables = trained.network.trainable_variables
    assert len(loaded.weights) == len(variables)
    for variable, mean in zip(variables, trained.groups["mean"], strict=True):
        half = np.asarray(mean).astype(np.float16)
        assert np.array_equal(loaded.weights[variable.path], half)


def test_the_model_works(trained_model):
    assert verify_model(trained_model).passed
    cmap = ContaminantMasker(trained_model)(make_exposure((64, 80)))
    assert cmap.classes == ABBREVIATIONS
    assert np.isfinite(cmap.probability_planes).all()


def test_the_card_says_how_it_was_made(trained, trained_model):
    card = load_model(trained_model).card
    assert card.name == "tiny"
    assert card.options == {"n_classes": 14, **RECIPE.options}
    assert card.input["block"] == RECIPE.crop
    expected = dict(zip(ABBREVIATIONS, trained.priors, strict=True))
    assert card.training_priors == pytest.approx(expected, rel=1e-3)
    assert card.priors == DEFAULT_PRIORS
    made = card.training
    assert (made["recipe"], made["seed"]) == (RECIPE.name, RECIPE.seed)
    assert (made["steps"], made["exposures"]) == (STEPS, STEPS * RECIPE.batch)
    assert made["minutes"] >= 0
    assert made["device"]
    assert "FR" not in card.roc  # there was none
    assert "FR" not in card.thresholds
    assert set(card.roc) == set(card.figures["validation"])
    for what in ("night_completeness", "dirty_completeness", "dirty_purity"):
        values = card.figures[what].values()
        assert values
        assert all(0 <= value <= 1 for value in values)
    assert set(card.spread) <= set(ABBREVIATIONS)


def test_a_model_that_learns_on_skies_keeps_its_priors(trained_model, tmp_path):
    card = load_model(trained_model).card
    priors = {name: 0.5 * prior for name, prior in card.training_priors.items()}
    model = replace(
        load_model(trained_model), card=replace(card, training_priors=priors)
    )
    sky = SimpleNamespace(image=np.zeros((64, 64), np.float32))
    begun = make_trainer(tmp_path, start=model, skies=[sky])
    begun.save()
    recipe, _, groups = read_checkpoint(tmp_path)
    described = describe(recipe, begun.network, groups)
    assert described["training_priors"] == pytest.approx(priors, rel=1e-3)


def test_there_must_be_a_checkpoint(tmp_path):
    with pytest.raises(InputError, match="cannot be read as the checkpoint"):
        export_model(tmp_path, tmp_path / "model")
    (tmp_path / "checkpoint.npz").write_bytes(b"damaged")
    with pytest.raises(InputError, match="cannot be read as the checkpoint"):
        export_model(tmp_path, tmp_path / "model")


@pytest.fixture(scope="module")
def histogram():
    """Logits with a log likelihood ratio of their own: normal, apart by 3."""
    random = np.random.default_rng(1)
    counted = ScoreHistogram(14)
    labels = random.uniform(size=(200_000, 14)) < 0.2
    logits = 3 * (random.standard_normal(labels.shape) + 3 * labels - 1.5)
    labels[:, 7] = False
    counted.add(logits + np.log(0.2 / 0.8), labels)
    return counted


def test_roc_points_are_on_the_curve(histogram):
    points = roc_points(histogram, 0)
    true_positive, false_positive = (rates[0] for rates in histogram.rates())
    assert min(np.diff(points["fpr"])) > 0
    assert min(np.diff(points["tpr"])) >= 0
    assert max(np.diff(points["logit"])) < 0
    assert points["fpr"][-1] == points["tpr"][-1] == 1
    negatives = histogram.counts[0, 0].sum()
    assert 5 / negatives < points["fpr"][0] <= 20 / negatives
    for fpr, tpr, logit in zip(*points.values(), strict=True):
        at = np.argmin(np.abs(histogram.thresholds - logit))
        assert false_positive[at] == pytest.approx(fpr, rel=1e-3)
        assert true_positive[at] == pytest.approx(tpr, abs=1e-5)
    assert roc_points(histogram, 7) is None


def test_thresholds_are_the_best_of_the_pure_ones(histogram):
    """Normal distributions: the optimum can be found by trying all thresholds."""
    priors = dict.fromkeys(ABBREVIATIONS, 0.2)
    found = thresholds_of(histogram, priors)
    assert set(found) == set(ABBREVIATIONS) - {"FR"}
    true_positive, false_positive = histogram.rates()
    for number, name in enumerate(ABBREVIATIONS):
        if name == "FR":
            continue
        n = DEFAULT_PRIORS[name]
        tp, fp = n * true_positive[number], (1 - n) * false_positive[number]
        fn, tn = n - tp, 1 - n - fp
        with np.errstate(invalid="ignore"):
            mcc = (tp * tn - fp * fn) / np.sqrt((tp + fp) * n * (1 - n) * (tn + fn))
            pure = tp / (tp + fp)
        least = {"HCL": 0.5, "DCL": 0.5, "HP": 0.5, "DP": 0.5, "BBG": 0, "BG": 0}
        few = true_positive[number] * histogram.counts[number, 1].sum() < 100
        pure[few] = 0
        wanted = min(least.get(name, 0.8), np.nanmax(pure))
        mcc[~(pure >= wanted)] = np.nan
        best = histogram.thresholds[np.nanargmax(mcc)]
        shifted = best - log_prior_factor(0.2, n)
        assert found[name] == pytest.approx(1 / (1 + np.exp(-shifted)), rel=1e-5)
        assert np.float32(found[name]) < 1


def test_presented_priors_depend_on_the_loss():
    proportions = np.linspace(0.01, 0.5, 14)
    plain = presented_priors(replace(RECIPE, weight_power=0.0), proportions)
    assert plain == pytest.approx(proportions)
    balanced = presented_priors(RECIPE, proportions)
    assert np.all(balanced > proportions)
