"""
Fine-tuning of a model that learned one camera to another, unlike it.

Both cameras are made up here with a few lines, apart from the simulation. The
first has broad stars, and cosmic rays with sharp edges. Those of the second, as
after resampling, are smooth, its noise is correlated, and its stars are sharp.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from maximask_astro.evaluation import ScoreHistogram
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.masking import ContaminantMasker
from maximask_astro.models import build_folded_unet
from maximask_astro.tests.helpers import random_weights
from maximask_astro.training import fine_tune
from maximask_astro.utils import InputError
from maximask_astro.weights import (
    LoadedModel,
    load_model,
    packaged_card,
    verify_model,
    weights_digest,
)

SIZE = 96
OPTIONS = {"channels": [8, 12, 16], "fine": 4, "detail": 4}
LEARNING = {"simulated": 0, "size": 48, "batch": 8, "learning_rate": 5e-3}
FIRST, SECOND = {"fwhm": 4.0, "blur": 0}, {"fwhm": 1.4, "blur": 0.8}


def expose(number, seed, *, fwhm, blur):
    """Exposures with stars and cosmic rays, and where these are."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:SIZE, :SIZE]
    images, masks = [], []
    for _ in range(number):
        stars, rays = np.zeros((2, SIZE, SIZE))
        for row, column in random.uniform(0, SIZE, (12, 2)):
            distance = (y - row) ** 2 + (x - column) ** 2
            flux = 10 ** random.uniform(2, 4)
            stars += flux / fwhm**2 * np.exp(-4 * np.log(2) * distance / fwhm**2)
        for row, column in random.uniform(6, SIZE - 6, (8, 2)):
            angle = random.uniform(0, np.pi)
            for step in np.arange(0, random.uniform(2, 6), 0.5):
                pixel = row + step * np.sin(angle), column + step * np.cos(angle)
                rays[tuple(map(int, pixel))] = random.uniform(100, 300)
        noise = random.standard_normal((SIZE, SIZE))
        if blur:
            rays, noise = gaussian_filter(rays, blur), gaussian_filter(noise, blur)
        images.append(1000 + stars + rays + 10 * noise / noise.std())
        masks.append({"CR": rays > 30})
    return images, masks


def area(masker, camera):
    """Area under the ROC curve on exposures that nothing was learned from."""
    histogram = ScoreHistogram(1)
    for image, mask in zip(*expose(8, 99, **camera), strict=True):
        p = np.clip(masker(image).probabilities["CR"].data, 1e-7, 1 - 1e-7)
        histogram.add(np.log(p / (1 - p))[..., None], mask["CR"][..., None])
    return histogram.auc()[0]


@pytest.fixture(scope="module")
def masker():
    """A masker with a small model that learned the first camera."""
    network = build_folded_unet(**OPTIONS, kernel_initializer="zeros")
    weights = random_weights({v.path: tuple(v.shape) for v in network.weights})
    card = replace(
        packaged_card("maximask-1.4.1"),
        name="first",
        architecture="folded_unet",
        normalization="photutils",
        training_priors=dict.fromkeys(ABBREVIATIONS, 0.2),
        roc={"CR": {"fpr": [1e-4, 1.0], "tpr": [0.1, 1.0], "logit": [4.0, -20.0]}},
        options=OPTIONS,
        input={"block": 48, "stride": 8, "halo": 64},
        weights_sha256=weights_digest(weights),
    )
    examples = expose(30, 1, **FIRST)
    model = fine_tune(LoadedModel(card, weights), *examples, steps=160, **LEARNING)
    model = replace(model, card=replace(model.card, roc=card.roc))
    return ContaminantMasker(model, classes="CR,BG", thresholds={"CR": "fpr=0.01"})


@pytest.fixture(scope="module")
def adapted(masker, tmp_path_factory):
    """The same after 20 exposures of the second camera."""
    directory = tmp_path_factory.mktemp("adapted") / "second"
    return masker.fine_tune(
        *expose(20, 2, **SECOND), steps=60, output=directory, **LEARNING
    ), directory


def test_twenty_exposures_improve_a_shifted_camera(masker, adapted):
    """Measured: 0.964 before, 0.987 after, and 0.998 for the first camera."""
    before, after = area(masker, SECOND), area(adapted[0], SECOND)
    assert area(masker, FIRST) > 0.99
    assert before < 0.985
    assert 1 - after < 0.7 * (1 - before)


def test_the_masker_itself_does_not_change(masker, adapted):
    assert masker.model_card.name == "first-adapted"
    assert adapted[0] is not masker
    assert adapted[0].model_card.weights_sha256 != masker.model_card.weights_sha256


def test_options_come_along(masker, adapted):
    """Also a threshold that was a rate, as the number that it was."""
    assert adapted[0].settings == masker.settings
    assert adapted[0].model_card.roc == {}


def test_the_model_is_saved(adapted):
    masker, directory = adapted
    assert verify_model(directory).passed
    card = load_model(directory).card
    assert card == masker.model_card
    assert card.source["model"] == "first-adapted"
    assert card.training["steps"] == 60
    assert card.training["minutes"] is not None
    assert "Adapted to 20 exposures" in card.known_limits[-1]


def test_the_priors_are_kept(masker, adapted):
    """About as many pixels are called cosmic rays as there are."""
    images, masks = expose(8, 77, **SECOND)
    trained = masker.model_card.training_priors["CR"]
    true = np.mean([mask["CR"] for mask in masks])
    known = ContaminantMasker(adapted[1], classes="CR", priors={"CR": float(true)})
    found = np.mean([known(image).probabilities["CR"].data for image in images])
    assert adapted[0].model_card.training_priors["CR"] == trained
    assert true / 2 < found < 2 * true


def test_an_existing_directory_is_left_alone(masker, adapted):
    with pytest.raises(FileExistsError, match="exists; allow overwriting"):
        masker.fine_tune(*expose(1, 2, **SECOND), output=adapted[1])


def test_images_and_masks_must_match(masker):
    images, masks = expose(2, 2, **SECOND)
    with pytest.raises(InputError, match="2 images and 1 masks"):
        masker.fine_tune(images, masks[:1], steps=1, **LEARNING)
