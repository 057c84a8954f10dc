"""
Train the contaminant masker, or go on with it.

On simulated exposures, and on the real skies of the folder of data that are for
training. Whenever it is stopped, the same command goes on. In a new directory it
begins with the weights that were kept of the last one, if there are any, else with
those of the model that is named::

    python benchmarks/train_contaminants.py DATA DIRECTORY --from contaminants-1 \\
        --minutes 120 --keep benchmarks/output/contaminants-2

``--keep`` puts the weights there in half precision, and the logs; ``--export`` makes a
model of the training, with its card, which takes some minutes.
"""

import argparse
import os
import shutil
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from skies import marked_skies

from maximask_astro.inference import keep_compiled, keep_memory
from maximask_astro.training import (
    MaskerTrainer,
    draw_learning_curve,
    export_model,
    read_recipe,
)
from maximask_astro.training.export import half_precision
from maximask_astro.utils.files import file_sha256
from maximask_astro.weights import LoadedModel, load_model

# What a training leaves behind that is worth keeping beside its weights.
_LOGS = ("log.csv", "validation.jsonl", "runs.jsonl")
_WEIGHTS, _BEGUN = "weights.npz", "begun.npz"


def with_weights(model, path, recipe):
    """A model with weights that were kept, for the network of a recipe."""
    with np.load(path, allow_pickle=False) as archive:
        weights = {name: archive[name].astype(np.float32) for name in archive.files}
    card = replace(
        model.card, options=dict(recipe.options), weights_sha256=file_sha256(path)
    )
    return LoadedModel(card, weights)


def keep(trainer, directory, where):
    """Keep weights in half precision, and what was logged after what is there."""
    where.mkdir(parents=True, exist_ok=True)
    paths = [variable.path for variable in trainer.network.trainable_variables]
    weights = dict(zip(paths, trainer.groups["mean"], strict=True))
    np.savez_compressed(where / _WEIGHTS, **half_precision(weights))
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M")
    for name in _LOGS:
        if (directory / name).exists():
            shutil.copy(directory / name, where / f"{stamp}.{name}")


def main():
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("data", type=Path, help="folder with the folder 'skies'")
    add("directory", type=Path, help="of checkpoints and logs")
    add("--recipe", default="cpu", help="name or TOML file (default: %(default)s)")
    add("--from", dest="start", help="model to begin with")
    add("--steps", type=int, help="of this cycle; by default the recipe's")
    add("--minutes", type=float, help="stop after this time")
    add("--keep", type=Path, help="directory for weights and logs in the end")
    add("--export", type=Path, help="directory for a model in the end")
    add("--likeness", type=Path, help="what train_likeness.py wrote, for the model")
    add("--name", default="contaminants-2", help="of the model (default: %(default)s)")
    add("--number", type=int, default=64, help="exposures for the card")
    args = parser.parse_args()

    keep_compiled()
    keep_memory()
    with suppress(OSError, AttributeError):
        os.nice(19)
    recipe = read_recipe(args.recipe)
    cycle = 0 if args.keep is None else len(list(args.keep.glob("*.runs.jsonl")))
    recipe = replace(
        recipe,
        name=Path(args.recipe).stem,
        seed=recipe.seed + cycle,
        steps=args.steps or recipe.steps,
    )
    start = None if args.start is None else load_model(args.start)
    kept = None if args.keep is None else args.keep / _WEIGHTS
    begins = not (args.directory / "checkpoint.npz").exists()
    if kept is not None and kept.exists() and start is not None:
        # A checkpoint belongs to what its training began with.
        known = args.directory / _BEGUN
        if begins:
            args.directory.mkdir(parents=True, exist_ok=True)
            shutil.copy(kept, known)
        if known.exists():
            start = with_weights(start, known, recipe)
    skies = marked_skies(args.data, "training")
    trainer = MaskerTrainer(recipe, args.directory, start=start, skies=skies)
    try:
        trainer.run(minutes=args.minutes)
    except KeyboardInterrupt:
        print(f"interrupted after step {trainer.step}")
    draw_learning_curve(args.directory)
    if args.keep is not None:
        keep(trainer, args.directory, args.keep)
    if args.export is not None:
        export_model(
            args.directory,
            args.export,
            name=args.name,
            number=args.number,
            skies=marked_skies(args.data, "validation"),
            likeness=None if args.likeness is None else dict(np.load(args.likeness)),
        )


if __name__ == "__main__":
    main()
