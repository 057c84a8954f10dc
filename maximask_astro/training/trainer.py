"""Train a contaminant masker on simulated exposures, real skies, or one's own."""

import numpy as np

from maximask_astro.background import BLOCK
from maximask_astro.evaluation import ScoreHistogram
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.simulation import RealSkies, spoil_skies
from maximask_astro.training.examples import draw_crops, proportions
from maximask_astro.training.exposures import (
    exposure_key,
    pack_bits,
    simulated_batch,
    simulation_config,
)
from maximask_astro.training.frames import (
    ALL_KNOWN,
    Frames,
    choose_framing,
)
from maximask_astro.training.loop import Trainer
from maximask_astro.training.recipe import adapted_recipe
from maximask_astro.training.sky_crops import draw_sky_crops
from maximask_astro.training.steps import (
    Proportions,
    compile_masker_evaluation,
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
        A model to begin with; the architecture is then its, unless the recipe has a
        network that has all of its layers and more.

    examples : list of `Example`, optional
        Exposures of one's own, which take the place of a part of the simulated
        ones (see `Recipe`). The loss then presents classes as the training of
        ``start`` did, so that its priors remain true.

    skies : list of `~maximask_astro.training.skies.Sky`, optional
        Real exposures, on which contaminants are simulated in a part of those that
        are (see `Recipe`).

    Raises
    ------
    InputError
        There is a checkpoint of another recipe, model or set of examples in
        the directory, or there are examples and no model to begin with.
    """

    def __init__(self, recipe, directory, *, start=None, examples=None, skies=None):
        if examples and start is None:
            raise InputError("Learning from examples needs a model to begin with.")
        recipe = adapted_recipe(recipe, start, examples, skies)
        self.examples, self.skies = examples, skies
        self.config = simulation_config(recipe)
        super().__init__(recipe, directory, start)
        self.proportions = Proportions(*map(np.asarray, self.extras["proportions"]))
        # A model that is adapted keeps its priors.
        adapts = start is not None and bool(examples or skies)
        self._priors = None
        if adapts and set(ABBREVIATIONS) <= start.card.training_priors.keys():
            trained = start.card.training_priors
            self._priors = np.array([trained[name] for name in ABBREVIATIONS])
        self.extras["priors"] = [self.priors]
        of_sets = [self.proportions, Proportions(*proportions(examples or []))]
        *not_own, own = self._numbers
        self._update = compile_update(
            recipe,
            self.network,
            self.optimizer,
            [p for p, n in zip(of_sets, (sum(not_own), own), strict=True) if n],
            self._priors,
        )
        self._evaluate = compile_masker_evaluation(recipe, self.network)

    def _first_extras(self):
        return {"proportions": list(self._proportions())}

    @property
    def priors(self):
        """Fraction of each class as the loss presents it, a float array."""
        if self._priors is not None:
            return self._priors
        return presented_priors(self.recipe, self.proportions.pixels)

    @property
    def _numbers(self):
        """Frames in a batch: simulated ones, those on real skies, and examples."""
        batch = self.recipe.batch
        own = round(batch * (1 - self.recipe.simulated)) if self.examples else 0
        real = round((batch - own) * self.recipe.real) if self.skies else 0
        return batch - own - real, real, own

    @property
    def _n_simulated(self):
        """As many as are simulated together, whatever for: it is compiled once."""
        return self._numbers[0] or self.recipe.batch

    def _proportions(self):
        """Fraction of pixels and blocks of each class in simulated exposures."""
        recipe, simulated = self.recipe, self._n_simulated
        if not sum(self._numbers[:2]):
            return np.full((2, len(ABBREVIATIONS)), 0.5)  # not used
        total = 0
        number = min(_N_FOR_PROPORTIONS, recipe.batch * recipe.steps)
        n_batches = -(-number // simulated)
        for index in range(n_batches):
            _, labels = simulated_batch(
                recipe, self.config, "proportions", index, simulated
            )
            labels = np.asarray(labels)
            n = recipe.size // BLOCK
            cells = labels[:, : n * BLOCK, : n * BLOCK]
            cells = cells.reshape(len(labels), n, BLOCK, n, BLOCK, -1).any((2, 4))
            total = total + np.stack(
                [labels.mean((0, 1, 2)), cells.mean((0, 1, 2), dtype=float)]
            )
        return np.maximum(total / n_batches, 1e-6)

    def _simulated(self, purpose, index, number):
        """Frames that are simulated."""
        images, labels = simulated_batch(
            self.recipe, self.config, purpose, index, number
        )
        known = np.full(images.shape, ALL_KNOWN, np.uint16)
        return Frames(images, pack_bits(labels), known)

    def _on_real_skies(self, index, number):
        """Frames with contaminants on real skies."""
        seed = (self.recipe.seed, index, 3)
        crops = draw_sky_crops(self.skies, number, self.recipe.size, seed)
        skies = RealSkies(
            crops.images, crops.present, crops.known, crops.inside, crops.fwhm
        )
        key = exposure_key(self.recipe.seed, "skies", index)
        images, labels, known, _ = spoil_skies(key, skies, self.config)
        return Frames(images, labels, known)

    def _batch(self, step):
        """What a step learns from: simulated exposures, examples, or both."""
        n_simulated, n_real, n_own = self._numbers
        parts, batch = [], []
        if n_simulated:
            parts.append(self._simulated("training", step, n_simulated))
        if n_real:
            parts.append(self._on_real_skies(step, n_real))
        if parts:
            together = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
            batch.append(Frames(*together))
        if n_own:
            seed = (self.recipe.seed, step)
            batch.append(draw_crops(self.examples, n_own, self.recipe.size, seed))
        return batch

    def _learn(self, groups, batch, step):
        framing = choose_framing(self.recipe, step)
        return self._update(groups, batch, step, framing)

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
        number = self._n_simulated
        for index in range(-(-recipe.validation // number)):
            images, labels = simulated_batch(
                recipe, config, "validation", index, number
            )
            logits = self._evaluate(self.groups["mean"], images)
            histogram.add(np.asarray(logits), np.asarray(labels))
        areas = histogram.auc()
        scores = dict(zip(ABBREVIATIONS, areas.tolist(), strict=True))
        scores["mean"] = float(np.nanmean(areas)) if np.isfinite(areas).any() else None
        return {
            name: round(score, 5) if score is not None and np.isfinite(score) else None
            for name, score in scores.items()
        }
