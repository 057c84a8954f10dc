"""Train a contaminant masker on simulated exposures."""

import csv
import json
import logging
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from maximask_astro.evaluation import ScoreHistogram
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.simulation import (
    DEFAULT_FREQUENCIES,
    SimulationConfig,
    simulate,
)
from maximask_astro.training.checkpoint import load_checkpoint, save_checkpoint
from maximask_astro.training.losses import (
    class_weights,
    pixel_weights,
    weighted_cross_entropy,
)
from maximask_astro.training.normalization import normalize_batch
from maximask_astro.utils.keras_backend import import_keras

__all__ = ["MaskerTrainer"]

log = logging.getLogger(__name__)

_N_FOR_PROPORTIONS = 64


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

    directory : path-like
        Where checkpoints and logs go.

    Raises
    ------
    InputError
        There is a checkpoint of another recipe in the directory.
    """

    def __init__(self, recipe, directory):
        import jax

        keras = import_keras()
        from maximask_astro.models import ARCHITECTURES

        self.recipe = recipe
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        keras.utils.set_random_seed(recipe.seed)
        policy = "mixed_bfloat16" if recipe.precision == "bfloat16" else "float32"
        keras.config.set_dtype_policy(policy)
        self.network = ARCHITECTURES[recipe.architecture](**recipe.options)
        keras.config.set_dtype_policy("float32")
        schedule = keras.optimizers.schedules.CosineDecay(
            0.0,
            max(recipe.steps - recipe.warmup, 1),
            warmup_target=recipe.learning_rate,
            warmup_steps=recipe.warmup,
        )
        self.optimizer = keras.optimizers.AdamW(
            schedule, weight_decay=recipe.weight_decay, global_clipnorm=1.0
        )
        self.optimizer.build(self.network.trainable_variables)

        frequencies = {**DEFAULT_FREQUENCIES, **recipe.frequencies}
        self.config = SimulationConfig(
            (recipe.size, recipe.size), tuple(frequencies.items())
        )
        self.step, groups = load_checkpoint(self.directory, recipe)
        if groups is None:
            weights = [v.value for v in self.network.trainable_variables]
            state = [v.value for v in self.optimizer.variables]
            groups = {"weights": weights, "mean": list(weights), "optimizer": state}
        self.groups = jax.tree.map(jax.numpy.asarray, groups)
        self.proportions = self._proportions()
        self._update = self._compile()
        self._evaluate = self._compile_evaluation()

    def _exposures(self, purpose, index):
        """Images and labels of a step; those of two purposes never meet."""
        import jax

        key = jax.random.fold_in(jax.random.key(self.recipe.seed), purpose)
        key = jax.random.fold_in(key, index)
        # Compiled once for all purposes, apart from the network.
        images, labels, _ = simulate(key, self.recipe.batch, self.config)
        return images, labels

    def _proportions(self):
        """Fraction of pixels of each class in the training set."""
        total = 0
        n_batches = -(-_N_FOR_PROPORTIONS // self.recipe.batch)
        for index in range(n_batches):
            _, labels = self._exposures(2, index)
            total = total + np.asarray(labels.mean((0, 1, 2)))
        return np.maximum(total / n_batches, 1e-6)

    def _compile(self):
        import jax
        import jax.numpy as jnp

        recipe, network, optimizer = self.recipe, self.network, self.optimizer
        weights_of_classes = jnp.asarray(
            class_weights(self.proportions, recipe.weight_power)
        )

        def loss_of(weights, images, labels, pixels):
            logits, _ = network.stateless_call(weights, [], images, training=True)
            return weighted_cross_entropy(logits, labels, pixels)

        @jax.jit
        def update(groups, images, labels):
            images = normalize_batch(images)[..., None]
            pixels = pixel_weights(labels, weights_of_classes)
            loss, gradients = jax.value_and_grad(loss_of)(
                groups["weights"], images, labels, pixels
            )
            weights, state = optimizer.stateless_apply(
                groups["optimizer"], gradients, groups["weights"]
            )
            mean = jax.tree.map(
                lambda old, new: recipe.ema * old + (1 - recipe.ema) * new,
                groups["mean"],
                weights,
            )
            return {"weights": weights, "mean": mean, "optimizer": state}, loss

        return update

    def _compile_evaluation(self):
        import jax

        network = self.network

        @jax.jit
        def evaluate(weights, images):
            images = normalize_batch(images)[..., None]
            logits, _ = network.stateless_call(weights, [], images, training=False)
            return logits.astype("float32")

        return evaluate

    def run(self, *, minutes=None, progress_bar=False):
        """
        Train until the recipe's last step or until time is up.

        Parameters
        ----------
        minutes : float, optional
            Stop after this time; a later run goes on from there.

        progress_bar : bool, optional
            Whether to show a progress bar.

        Returns
        -------
        finished : bool
            Whether the last step was reached.
        """
        recipe = self.recipe
        start = saved = time.monotonic()
        losses = []
        bar = tqdm(
            total=recipe.steps, initial=self.step, disable=not progress_bar, unit="step"
        )
        try:
            while self.step < recipe.steps:
                images, labels = self._exposures(0, self.step)
                self.groups, loss = self._update(self.groups, images, labels)
                losses.append(loss)
                self.step += 1
                bar.update()
                if self.step % 50 == 0 or self.step == recipe.steps:
                    values = [float(value) for value in losses]
                    losses = []
                    self._log(np.mean(values), time.monotonic() - start)
                    bar.set_postfix(loss=f"{np.mean(values):.4f}")
                if self.step % recipe.validate_every == 0 or self.step == recipe.steps:
                    self._log_validation(self.validate())
                now = time.monotonic()
                if now - saved > 60 * recipe.save_minutes:
                    self.save()
                    saved = now
                if minutes is not None and now - start > 60 * minutes:
                    break
        finally:
            bar.close()
            self.save()
        return self.step >= recipe.steps

    def save(self):
        """Save a checkpoint."""
        save_checkpoint(self.directory, self.recipe, self.step, self.groups)

    def _log(self, loss, seconds):
        path = self.directory / "log.csv"
        new = not path.exists()
        with open(path, "a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(["step", "loss", "seconds"])
            writer.writerow([self.step, f"{loss:.6f}", f"{seconds:.1f}"])

    def _log_validation(self, scores):
        line = json.dumps({"step": self.step, **scores})
        with open(self.directory / "validation.jsonl", "a", encoding="utf-8") as file:
            file.write(line + "\n")
        log.info(line)

    def validate(self):
        """
        Evaluate the running mean of the weights on the validation set.

        Returns
        -------
        scores : dict of str to float
            Area under the ROC curve of each class, and their mean as
            ``'mean'``.
        """
        histogram = ScoreHistogram(len(ABBREVIATIONS))
        for index in range(-(-self.recipe.validation // self.recipe.batch)):
            images, labels = self._exposures(1, index)
            logits = self._evaluate(self.groups["mean"], images)
            histogram.add(np.asarray(logits), np.asarray(labels))
        scores = dict(zip(ABBREVIATIONS, histogram.auc().tolist(), strict=True))
        scores["mean"] = float(np.nanmean(list(scores.values())))
        return {name: round(score, 5) for name, score in scores.items()}
