"""What the card of a masker says: priors, tiles, ROC points and thresholds."""

import numpy as np
from tqdm import tqdm

from maximask_astro.evaluation import ScoreHistogram
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.inference import logits_of_image
from maximask_astro.training.exposures import simulated_batch, simulation_config
from maximask_astro.training.operating_points import roc_points, thresholds_of
from maximask_astro.training.reach import measure_reach
from maximask_astro.training.steps import presented_priors

__all__ = ["describe", "measure"]


def describe(recipe, network, groups):
    """
    Tell what the network takes and gives.

    Parameters
    ----------
    recipe : `Recipe`
        The recipe.

    network : `keras.Model`
        Its network.

    groups : dict of str to list of array
        From the checkpoint.

    Returns
    -------
    entries : dict
        Of the card.
    """
    presented = presented_priors(recipe, groups["proportions"][0])
    stride, halo = measure_reach(recipe.architecture, recipe.options)
    # The frame itself is of any size.
    block = (recipe.crop or recipe.size) // stride * stride
    return {
        "classes": ABBREVIATIONS,
        "normalization": "photutils",
        "input": {"block": block, "stride": stride, "halo": halo},
        "training_priors": {
            name: float(f"{value:.4g}")
            for name, value in zip(ABBREVIATIONS, presented, strict=True)
        },
    }


def measure(model, recipe, number, progress_bar):
    """
    Measure how good a model is on exposures that training has not seen.

    Parameters
    ----------
    model : `~maximask_astro.weights.LoadedModel`
        The model.

    recipe : `Recipe`
        Its recipe.

    number : int
        How many exposures are simulated.

    progress_bar : bool
        Whether to show a progress bar over batches.

    Returns
    -------
    entries : dict
        Of the card.
    """
    histogram = _judge(model, recipe, number, progress_bar)
    areas = zip(ABBREVIATIONS, histogram.auc(), strict=True)
    curves = {n: roc_points(histogram, i) for i, n in enumerate(ABBREVIATIONS)}
    return {
        "thresholds": thresholds_of(histogram, model.card.training_priors),
        "roc": {name: curve for name, curve in curves.items() if curve},
        "figures": {
            "validation": {n: round(float(a), 5) for n, a in areas if np.isfinite(a)}
        },
    }


def _judge(model, recipe, number, progress_bar):
    """Count logits on exposures that training has not seen, as a masker would."""
    config = simulation_config(recipe)
    histogram = ScoreHistogram(len(ABBREVIATIONS))
    batches = range(-(-number // recipe.batch))
    for index in tqdm(batches, disable=not progress_bar, unit="batch"):
        # In the batches of the training, for which simulation is compiled.
        images, labels = simulated_batch(recipe, config, "export", index)
        for raw, truth in zip(np.asarray(images), np.asarray(labels), strict=True):
            histogram.add(logits_of_image(model, raw), truth)
    return histogram
