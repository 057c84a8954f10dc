"""The loop that all trainings share: steps, checkpoints, logs, interruptions."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from maximask_astro.training.checkpoint import load_checkpoint, save_checkpoint
from maximask_astro.training.runs import (
    append_log,
    append_scores,
    describe_run,
    forget_after,
    note_run,
    read_runs,
)
from maximask_astro.training.steps import build_network, build_optimizer
from maximask_astro.utils.errors import InputError

__all__ = ["Trainer"]

log = logging.getLogger(__name__)

# Steps that may be under way on an accelerator.
_AHEAD = 2

_LOG_EVERY = 50

_GROUPS = ("weights", "mean", "optimizer")


class Trainer:
    """
    Train a network by a recipe, from where an earlier run stopped.

    What it learns is up to classes derived from it, which define ``_batch``,
    ``_learn``, ``validate`` and, if they keep more than weights, ``_first_extras``.
    While a step learns, another thread prepares the batch of the next.

    Parameters
    ----------
    recipe : `Recipe`
        How to train.

    directory : path-like or None
        Where checkpoints and logs go; None keeps nothing.

    start : `~maximask_astro.weights.LoadedModel`, optional
        A model to begin with.

    Raises
    ------
    InputError
        There is a checkpoint of another recipe, network, model or set of examples
        in the directory.
    """

    def __init__(self, recipe, directory, start=None):
        import jax

        self.recipe, self.start = recipe, start
        self.directory = None if directory is None else Path(directory)
        step, groups = 0, None
        if self.directory is not None:
            self.directory.mkdir(parents=True, exist_ok=True)
            step, groups = load_checkpoint(self.directory, recipe)
            forget_after(self.directory, step)
        self.network = build_network(recipe)
        self._paths = [v.path for v in self.network.trainable_variables]
        stored = [] if groups is None else groups.pop("paths", [np.array(())])
        if stored and stored[0].tolist() != self._paths:
            raise InputError(
                f"The checkpoint in {self.directory} was made by a version with "
                f"another network '{recipe.architecture}'; train into another "
                "directory."
            )
        self.optimizer = build_optimizer(recipe, self.network)
        self.runs = [] if self.directory is None else read_runs(self.directory)
        if groups is None:
            weights = [v.value for v in self.network.trainable_variables]
            if start is not None:
                # The recipe may add layers to the model's.
                weights = [
                    start.weights.get(path, first)
                    for path, first in zip(self._paths, weights, strict=True)
                ]
            state = [v.value for v in self.optimizer.variables]
            groups = {"weights": weights, "mean": list(weights), "optimizer": state}
            groups.update(self._first_extras())
        self.extras = {name: groups.pop(name) for name in groups.keys() - set(_GROUPS)}
        # One object, so that an interruption finds both or neither changed.
        self._state = step, jax.tree.map(jax.numpy.asarray, groups)

    @property
    def step(self):
        """Number of steps done."""
        return self._state[0]

    @property
    def groups(self):
        """Weights, their running mean, and the optimizer's variables."""
        return self._state[1]

    def _first_extras(self):
        """What else belongs to a checkpoint: lists of arrays by name."""
        return {}

    def _batch(self, step):
        """What a step learns from: a tree of arrays."""
        raise TypeError(f"{type(self).__name__} does not say what to learn from.")

    def _learn(self, groups, batch, step):
        """Do a step: from groups to groups, and the loss."""
        raise TypeError(f"{type(self).__name__} does not say what to learn.")

    def _prepare(self, step):
        import jax

        # None after the last step.
        return jax.block_until_ready(
            self._batch(step) if step < self.recipe.steps else None
        )

    def validate(self):
        """
        Evaluate the running mean of the weights.

        Returns
        -------
        scores : dict of str to float or None
            By name.
        """
        return {}

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
        executor = ThreadPoolExecutor(1)
        try:
            prepared = executor.submit(self._prepare, first)
            while self.step < recipe.steps:
                step, groups = self._state
                batch = prepared.result()
                prepared = executor.submit(self._prepare, step + 1)
                groups, loss = self._learn(groups, batch, step)
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
            executor.shutdown()
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
        groups = {**groups, **self.extras, "paths": [np.array(self._paths)]}
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
