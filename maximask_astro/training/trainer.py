"""Train a contaminant masker on simulated exposures, or on one's own."""

import logging
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from maximask_astro.evaluation import ScoreHistogram
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.training.checkpoint import load_checkpoint, save_checkpoint
from maximask_astro.training.cutouts import is_cut
from maximask_astro.training.examples import draw_crops, proportions
from maximask_astro.training.exposures import simulated_batch, simulation_config
from maximask_astro.training.recipe import adapted_recipe
from maximask_astro.training.runs import (
    append_log,
    append_scores,
    describe_run,
    forget_after,
    note_run,
    read_runs,
)
from maximask_astro.training.steps import (
    build_network,
    build_optimizer,
    compile_evaluation,
    compile_update,
    presented_priors,
)
from maximask_astro.utils.errors import InputError

__all__ = ["MaskerTrainer"]

log = logging.getLogger(__name__)

_N_FOR_PROPORTIONS = 240

# Steps that may be under way: while one trains, the next is simulated.
_AHEAD = 2

_LOG_EVERY = 50


class MaskerTrainer:
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
        import jax

        if examples and start is None:
            raise InputError("Learning from examples needs a model to begin with.")
        self.recipe = recipe = adapted_recipe(recipe, start, examples)
        self.start, self.examples = start, examples
        self.directory = None if directory is None else Path(directory)
        step, groups = 0, None
        if self.directory is not None:
            self.directory.mkdir(parents=True, exist_ok=True)
            step, groups = load_checkpoint(self.directory, recipe)
            forget_after(self.directory, step)
        self.network = build_network(recipe)
        self._variables = self.network.trainable_variables
        self.optimizer = build_optimizer(recipe, self.network)
        self.config = simulation_config(recipe)
        self.runs = [] if self.directory is None else read_runs(self.directory)
        if groups is None:
            weights = [v.value for v in self._variables]
            if start is not None:
                weights = [start.weights[v.path] for v in self._variables]
            state = [v.value for v in self.optimizer.variables]
            groups = {"weights": weights, "mean": list(weights), "optimizer": state}
            groups["proportions"] = [self._proportions()]
        self.proportions = np.asarray(groups.pop("proportions")[0])
        groups = {name: groups[name] for name in ("weights", "mean", "optimizer")}
        # One object, so that an interruption finds both or neither changed.
        self._state = step, jax.tree.map(jax.numpy.asarray, groups)
        self._update = compile_update(
            recipe,
            self.network,
            self.optimizer,
            self.proportions,
            proportions(examples) if examples else None,
            self.priors if examples else None,
        )
        self._evaluate = compile_evaluation(self.network)

    @property
    def step(self):
        """Number of steps done."""
        return self._state[0]

    @property
    def groups(self):
        """Weights, their running mean, and the optimizer's variables."""
        return self._state[1]

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

    def run(self, *, minutes=None, progress_bar=False):
        """
        Train until the recipe's last step or until time is up.

        Parameters
        ----------
        minutes : float, optional
            Stop after this time; a later run goes on from there.

        progress_bar : bool or None, optional
            Whether to show a progress bar; None shows it on a terminal.

        Returns
        -------
        finished : bool
            Whether the last step was reached.

        Raises
        ------
        InputError
            The loss is not finite; the last checkpoint is kept.
        """
        recipe, first = self.recipe, self.step
        start = saved = time.monotonic()
        self.runs.append(describe_run(first))
        losses = []
        bar = tqdm(
            total=recipe.steps,
            initial=first,
            disable=None if progress_bar is None else not progress_bar,
            unit="step",
        )
        try:
            while self.step < recipe.steps:
                step, groups = self._state
                batch, cutouts = self._batch(step), is_cut(recipe, step)
                groups, loss = self._update(groups, *batch, step, cutouts)
                self._state = step, groups = step + 1, groups
                losses.append(loss)
                if len(losses) > _AHEAD:
                    losses[-1 - _AHEAD].block_until_ready()
                bar.update()
                if step % _LOG_EVERY == 0 or step == recipe.steps:
                    loss = self._mean(losses)
                    losses = []
                    if self.directory is not None:
                        seconds = time.monotonic() - start
                        append_log(self.directory, step, loss, seconds)
                    bar.set_postfix(loss=f"{loss:.4f}")
                if self._validates_at(step):
                    self._log_validation()
                now = time.monotonic()
                due = now - saved > 60 * recipe.save_minutes
                if due and self.directory is not None:
                    self.save()
                    note_run(self.directory, self.runs, self.step, now - start)
                    saved = now
                if minutes is not None and now - start > 60 * minutes:
                    break
            self._mean(losses)
        finally:
            bar.close()
            if self._is_finite():
                if self.directory is not None:
                    self.save()
                seconds = time.monotonic() - start
                note_run(self.directory, self.runs, self.step, seconds)
            else:
                del self.runs[-1]
        return self.step >= recipe.steps

    def _mean(self, losses):
        """Mean of losses, all of which must be finite."""
        values = np.array([float(value) for value in losses])
        wrong = np.flatnonzero(~np.isfinite(values))
        if wrong.size:
            step = self.step - len(values) + 1 + wrong[0]
            raise self._not_finite(f"loss is {values[wrong[0]]} at step {step}")
        return values.mean() if values.size else 0.0

    def _is_finite(self):
        arrays = (*self.groups["weights"], *self.groups["mean"])
        return all(np.isfinite(np.asarray(array)).all() for array in arrays)

    def _not_finite(self, what):
        kept = "nothing was saved"
        if self.directory is not None:
            kept = f"an earlier checkpoint in {self.directory}, if any, was kept"
        return InputError(
            f"The {what}, and {kept}: train with a lower learning_rate than "
            f"{self.recipe.learning_rate:g}."
        )

    def save(self):
        """Save a checkpoint, unless a weight is not finite, which is an error."""
        if not self._is_finite():
            raise self._not_finite(f"network has no finite weights at step {self.step}")
        step, groups = self._state
        groups = {**groups, "proportions": [self.proportions]}
        if self.examples:
            groups["priors"] = [self.priors]
        save_checkpoint(self.directory, self.recipe, step, groups)

    def _validates_at(self, step):
        recipe = self.recipe
        if not recipe.validation:
            return False
        return step % recipe.validate_every == 0 or step == recipe.steps

    def _log_validation(self):
        scores = self.validate()
        if self.directory is not None:
            append_scores(self.directory, self.step, scores)
        log.info("step %d: %s", self.step, scores)

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
