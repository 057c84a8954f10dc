"""What the card of a tracking model says: tiles, calibration and ROC points."""

import numpy as np
from scipy.optimize import minimize
from tqdm import tqdm

from maximask_astro.background import normalize
from maximask_astro.evaluation import ScoreHistogram
from maximask_astro.inference import (
    SummaryEngine,
    combine_evidence,
    log_prior_factor,
    plan_whole_tiles,
)
from maximask_astro.training.exposures import exposure_key
from maximask_astro.training.operating_points import roc_points
from maximask_astro.training.tracking_steps import tracking_targets
from maximask_astro.training.tracking_trainer import tracking_scores

__all__ = ["describe", "measure"]

_STATEMENTS = ("affected", "defocused", "usable")

# A tile is judged where the odds are five to one that it has enough stars.
_ENOUGH = 0.8333

# Tiles along each side of the exposures that tell how much tiles have in common,
# and the number of exposures of one tile for each of them.
_SIDE, _FEWER = 2, 4

# The smallest tile: so many times the side of those trained on.
_SMALLEST = 0.6


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
    from maximask_astro.models import BLOCK, TRACKING_OUTPUTS

    # Coarser than need be: fewer shapes of tiles, for each of which it is compiled.
    stride = 2 * BLOCK
    smallest = int(_SMALLEST * recipe.size) // stride * stride
    return {
        "classes": TRACKING_OUTPUTS,
        "normalization": "global",
        "input": {"block": recipe.size, "stride": stride, "smallest": smallest},
        "training_priors": {"affected": 0.5},
    }


def measure(model, recipe, number, progress_bar):
    """
    Measure how good a model is on exposures that training has not seen.

    The temperature and the correlation are those with which combined evidence
    gives the least cross-entropy on exposures of several tiles.

    Parameters
    ----------
    model : `~maximask_astro.weights.LoadedModel`
        The model.

    recipe : `Recipe`
        Its recipe.

    number : int
        How many exposures of one tile are simulated; those of several are fewer.

    progress_bar : bool
        Whether to show a progress bar over batches.

    Returns
    -------
    entries : dict
        Of the card.
    """
    outputs, targets, weights = _judge(model, recipe, number, 1, progress_bar)
    outputs = outputs[:, 0]
    scores = tracking_scores(outputs, targets, weights)
    curves = {}
    for index, name in enumerate(_STATEMENTS):
        chosen = weights[name] == 1
        histogram = ScoreHistogram(1)
        histogram.add(outputs[chosen, index, None], targets[name][chosen, None])
        curves[name] = roc_points(histogram, 0)
    # Among exposures with enough stars.
    share = targets["affected"][weights["affected"] == 1].mean()
    prior = round(float(np.clip(share, 0.01, 0.99)), 3) if share == share else 0.5
    few = max(number // _FEWER, 2)
    several = _judge(model, recipe, few, _SIDE, progress_bar)
    temperature, correlation = _calibrate(*several, prior)
    return {
        "input": {
            **model.card.input,
            "temperature": round(temperature, 3),
            "correlation": round(correlation, 3),
        },
        "training_priors": {"affected": prior},
        "thresholds": {"affected": 0.5, "usable": _ENOUGH},
        "roc": {name: curve for name, curve in curves.items() if curve},
        "figures": {
            "validation": _rounded(scores, _STATEMENTS),
            "blur": _rounded(scores, ("length", "angle")),
        },
    }


def _rounded(scores, names):
    return {n: round(scores[n], 5) for n in names if np.isfinite(scores[n])}


def _judge(model, recipe, number, side, progress_bar):
    """Outputs for each tile of simulated exposures, and what they should be."""
    import jax

    from maximask_astro.simulation import simulate_tracking

    engine = SummaryEngine(model)
    size = side * recipe.size
    tiles = plan_whole_tiles(
        (size, size),
        block=recipe.size,
        stride=model.card.input["stride"],
        smallest=model.card.input["smallest"],
    )
    # In the batches of the training, for which simulation is compiled.
    batch = max(recipe.batch // side**2, 1)
    outputs, truths = [], []
    batches = range(-(-number // batch))
    for index in tqdm(batches, disable=not progress_bar, unit="batch"):
        key = exposure_key(recipe.seed, "export", side * 1_000_000 + index)
        images, truth = simulate_tracking(key, batch, (size, size))
        for raw in np.asarray(images):
            image, _ = normalize(raw, method=model.card.normalization)
            outputs.append(engine.run([image[tile.box] for tile in tiles]))
        truths.append(tracking_targets(truth))
    targets, weights = jax.tree.map(lambda *all_: np.concatenate(all_), *truths)
    return np.array(outputs, float), targets, weights


def _calibrate(outputs, targets, weights, prior):
    """Temperature and correlation of the tiles of exposures."""
    chosen = weights["affected"] == 1
    signs = np.where(targets["affected"][chosen], -1.0, 1.0)
    outputs = outputs[chosen]
    if len(set(signs)) < 2:
        return 1.0, 1.0
    shift = float(log_prior_factor(prior, 0.5))
    usable = 1 / (1 + np.exp(-outputs[..., 2]))

    def cross_entropy(values):
        temperature, correlation = values
        evidence = (outputs[..., 0] - shift) / temperature
        totals, _, _ = combine_evidence(evidence, usable, correlation)
        return np.logaddexp(0.0, signs * totals).mean()

    bounds = ((0.3, 5.0), (0.0, 1.0))
    best = minimize(cross_entropy, (1.0, 0.5), bounds=bounds, method="Nelder-Mead")
    return float(best.x[0]), float(best.x[1])
