"""
Train the contaminant masker, or go on with it.

On simulated exposures, and on the real skies of the folder of data that are for
training. Whenever it is stopped, the same command goes on; without the directory of
the training, ``--from`` begins with weights that were kept::

    python benchmarks/train_contaminants.py DATA DIRECTORY --from contaminants-1 \\
        --minutes 120 --keep benchmarks/output/contaminants-2
"""

import argparse
import os
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from skies import marked_skies

from maximask_astro.inference import keep_compiled, keep_memory
from maximask_astro.training import (
    MaskerTrainer,
    draw_learning_curve,
    export_model,
    read_recipe,
)
from maximask_astro.weights import load_model

# What a training leaves behind that is worth keeping beside its weights.
_KEPT = ("log.csv", "validation.jsonl", "runs.jsonl")


def main():
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("data", type=Path, help="folder with the folder 'skies'")
    add("directory", type=Path, help="of checkpoints and logs")
    add("--recipe", default="cpu", help="name or TOML file (default: %(default)s)")
    add("--from", dest="start", help="model to begin with")
    add("--minutes", type=float, help="stop after this time")
    add("--keep", type=Path, help="directory for the model and its logs in the end")
    add("--name", default="contaminants-2", help="of the model (default: %(default)s)")
    add("--number", type=int, default=64, help="exposures for the card")
    args = parser.parse_args()

    keep_compiled()
    keep_memory()
    with suppress(OSError, AttributeError):
        os.nice(19)
    skies = marked_skies(args.data, "training")
    start = None if args.start is None else load_model(args.start)
    recipe = replace(read_recipe(args.recipe), name=Path(args.recipe).stem)
    trainer = MaskerTrainer(recipe, args.directory, start=start, skies=skies)
    trainer.run(minutes=args.minutes)
    draw_learning_curve(args.directory)
    if args.keep is not None:
        export_model(
            args.directory,
            args.keep,
            name=args.name,
            number=args.number,
            skies=marked_skies(args.data, "validation"),
        )
        for name in _KEPT:
            if (args.directory / name).exists():
                shutil.copy(args.directory / name, args.keep / name)


if __name__ == "__main__":
    main()
