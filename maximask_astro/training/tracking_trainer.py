"""Train a tracking network on simulated exposures."""

import numpy as np

from maximask_astro.evaluation import ScoreHistogram
from maximask_astro.training.exposures import exposure_key
from maximask_astro.training.loop import Trainer
from maximask_astro.training.recipe import adapted_recipe
from maximask_astro.training.steps import compile_evaluation
from maximask_astro.training.tracking_steps import (
    compile_tracking_update,
    tracking_targets,
)

__all__ = ["TrackingTrainer", "tracking_scores"]


def tracking_scores(outputs, targets, weights):
    """
    Score the outputs of a tracking network.

    Parameters
    ----------
    outputs : `~numpy.ndarray`
        Shape (number, 6), see `maximask_astro.models.TRACKING_OUTPUTS`.

    targets, weights : dict of str to `~numpy.ndarray`
        From `tracking_targets`; scored is what has a weight of 1.

    Returns
    -------
    scores : dict of str to float
        Areas under the ROC curves of ``affected``, ``defocused`` and
        ``usable``; ``found``, the fraction of the affected exposures that score
        higher than 99% of the others; the median relative error of the blur's
        ``length`` and that of its ``angle``, in degrees, where it shows. NaN where
        there is nothing to score.
    """
    scores = {}
    for number, name in enumerate(("affected", "defocused", "usable")):
        chosen = weights[name] == 1
        histogram = ScoreHistogram(1)
        histogram.add(outputs[chosen, number, None], targets[name][chosen, None])
        scores[name] = float(histogram.auc()[0])
    scores["found"] = _found(outputs[:, 0], targets["affected"], weights["affected"])
    chosen = weights["angle"] == 1
    error = outputs[chosen, 3] - targets["length"][chosen]
    found, true = outputs[chosen, 4:], targets["angle"][chosen]
    cross = found[:, 1] * true[:, 0] - found[:, 0] * true[:, 1]
    turned = 0.5 * np.arctan2(cross, (found * true).sum(-1))
    with np.errstate(all="ignore"):
        scores["length"] = (
            float(np.median(np.abs(np.expm1(error)))) if error.size else np.nan
        )
        scores["angle"] = (
            float(np.degrees(np.median(np.abs(turned)))) if error.size else np.nan
        )
    return scores


def _found(score, affected, weight):
    """Fraction of the affected that score higher than 99% of the others."""
    bad, good = score[(weight == 1) & affected], score[(weight == 1) & ~affected]
    if not (bad.size and good.size):
        return np.nan
    return float((bad > np.quantile(good, 0.99)).mean())


class TrackingTrainer(Trainer):
    """
    Train a tracking network by a recipe, from where an earlier run stopped.

    As for maskers, no exposure is seen twice, and an interrupted training goes
    on exactly as it would have.

    Parameters
    ----------
    recipe : `Recipe`
        How to train; its task is ``'tracking'``.

    directory : path-like or None
        Where checkpoints and logs go; None keeps nothing.

    start : `~maximask_astro.weights.LoadedModel`, optional
        A model to begin with; the architecture is then its.

    Raises
    ------
    InputError
        There is a checkpoint of another recipe or model in the directory.
    """

    def __init__(self, recipe, directory, *, start=None):
        recipe = adapted_recipe(recipe, start)
        super().__init__(recipe, directory, start)
        self._update = compile_tracking_update(recipe, self.network, self.optimizer)
        self._evaluate = compile_evaluation(self.network)

    def _simulated(self, purpose, index):
        from maximask_astro.simulation import simulate_tracking

        key = exposure_key(self.recipe.seed, purpose, index)
        size = self.recipe.size
        return simulate_tracking(key, self.recipe.batch, (size, size))

    def _batch(self, step):
        return self._simulated("training", step)

    def _learn(self, groups, batch, step):
        return self._update(groups, *batch)

    def validate(self):
        """
        Evaluate the running mean of the weights on the validation set.

        Returns
        -------
        scores : dict of str to float or None
            Those of ``tracking_scores``; None where there is nothing to score.
        """
        found = []
        for index in range(-(-self.recipe.validation // self.recipe.batch)):
            images, truth = self._simulated("validation", index)
            outputs = self._evaluate(self.groups["mean"], images)
            found.append((np.asarray(outputs), *map(_arrays, tracking_targets(truth))))
        outputs = np.concatenate([each[0] for each in found])
        targets, weights = (
            {
                name: np.concatenate([each[i][name] for each in found])
                for name in found[0][i]
            }
            for i in (1, 2)
        )
        return {
            name: round(score, 5) if np.isfinite(score) else None
            for name, score in tracking_scores(outputs, targets, weights).items()
        }


def _arrays(values):
    return {name: np.asarray(value) for name, value in values.items()}
