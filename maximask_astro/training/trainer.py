"""Train a contaminant masker on simulated exposures, or on one's own."""

import numpy as np

from maximask_astro.evaluation import ScoreHistogram
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.training.cutouts import is_cut
from maximask_astro.training.examples import draw_crops, proportions
from maximask_astro.training.exposures import simulated_batch, simulation_config
from maximask_astro.training.loop import Trainer
from maximask_astro.training.recipe import adapted_recipe
from maximask_astro.training.steps import (
    compile_evaluation,
    compile_update,
    presented_priors,
)
from maximask_astro.utils.errors import InputError

__all__ = ["MaskerTrainer"]

_N_FOR_PROPORTIONS = 240


class MaskerTrainer(Trainer):
    """
    Train a masker by a recipe, from where an earlier run stopped.

    Exposures are simulated on the device, from keys that depend only on the
    seed and the step: no exposure is seen twice, and an interrupted training
    goes on exactly as it would have.

    Parameters
    ----------
    recipe : `Recipe`
        How to train.

    directory : path-like or None
        Where checkpoints and logs go; None keeps nothing.

    start : `~maximask_astro.weights.LoadedModel`, optional
        A model to begin with; the architecture is then its.

    examples : list of `Example`, optional
        Exposures of one's own, which take the place of a part of the simulated
        ones (see `Recipe`). The loss then presents classes as the training of
        ``start`` did, so that its priors remain true.

    Raises
    ------
    InputError
        There is a checkpoint of another recipe, model or set of examples in
        the directory, or there are examples and no model to begin with.
    """

    def __init__(self, recipe, directory, *, start=None, examples=None):
        if examples and start is None:
            raise InputError("Learning from examples needs a model to begin with.")
        recipe = adapted_recipe(recipe, start, examples)
        self.examples, self.config = examples, simulation_config(recipe)
        super().__init__(recipe, directory, start)
        self.proportions = np.asarray(self.extras["proportions"][0])
        if examples:
            self.extras["priors"] = [self.priors]
        self._update = compile_update(
            recipe,
            self.network,
            self.optimizer,
            self.proportions,
            proportions(examples) if examples else None,
            self.priors if examples else None,
        )
        self._evaluate = compile_evaluation(self.network)

    def _first_extras(self):
        return {"proportions": [self._proportions()]}

    @property
    def priors(self):
        """Fraction of each class as the loss presents it, a float array."""
        if self.examples:
            trained = self.start.card.training_priors
            return np.array([trained[name] for name in ABBREVIATIONS])
        return presented_priors(self.recipe, self.proportions)

    @property
    def _numbers(self):
        """Simulated exposures in a batch, and examples."""
        batch = self.recipe.batch
        own = round(batch * (1 - self.recipe.simulated)) if self.examples else 0
        return batch - own, own

    def _proportions(self):
        """Fraction of pixels of each class in simulated exposures."""
        simulated, _ = self._numbers
        if not simulated:
            return np.full(len(ABBREVIATIONS), 0.5)  # not used
        total = 0
        recipe = self.recipe
        number = min(_N_FOR_PROPORTIONS, recipe.batch * recipe.steps)
        n_batches = -(-number // recipe.batch)
        for index in range(n_batches):
            _, labels = self._simulated("proportions", index)
            total = total + np.asarray(labels.mean((0, 1, 2)))
        return np.maximum(total / n_batches, 1e-6)

    def _simulated(self, purpose, index):
        """Images and labels of a batch."""
        return simulated_batch(
            self.recipe, self.config, purpose, index, self._numbers[0]
        )

    def _batch(self, step):
        """What a step learns from: simulated exposures, examples, or both."""
        n_simulated, n_own = self._numbers
        simulated = self._simulated("training", step) if n_simulated else None
        own = None
        if n_own:
            seed = (self.recipe.seed, step)
            own = draw_crops(self.examples, n_own, self.recipe.size, seed)
        return simulated, own

    def _learn(self, groups, batch, step):
        cutouts = is_cut(self.recipe, step)
        return self._update(groups, *batch, step, cutouts)

    def validate(self):
        """
        Evaluate the running mean of the weights on the validation set.

        Returns
        -------
        scores : dict of str to float or None
            Area under the ROC curve of each class, None where it has no
            positives or negatives, and the mean of the others as ``'mean'``.
        """
        recipe = self.recipe
        histogram = ScoreHistogram(len(ABBREVIATIONS))
        config = simulation_config(recipe, "validation")
        for index in range(-(-recipe.validation // recipe.batch)):
            images, labels = simulated_batch(recipe, config, "validation", index)
            logits = self._evaluate(self.groups["mean"], images)
            histogram.add(np.asarray(logits), np.asarray(labels))
        areas = histogram.auc()
        scores = dict(zip(ABBREVIATIONS, areas.tolist(), strict=True))
        scores["mean"] = float(np.nanmean(areas)) if np.isfinite(areas).any() else None
        return {
            name: round(score, 5) if score is not None and np.isfinite(score) else None
            for name, score in scores.items()
        }
