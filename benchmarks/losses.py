"""
Compare losses: the paper's and the balanced one, with several powers.

    python benchmarks/losses.py --output benchmarks/output/losses.txt

Each trains the same small network from the same first weights on the same
simulated exposures, for a few hundred steps, and is judged by the area under the
ROC curve on the same validation set. That says which learns faster, not which
would be better in the end.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
from shared import run

from maximask_astro import __version__
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.training import MaskerTrainer, Recipe

LOSSES = (("paper", 1.0), ("paper", 0.7), ("balanced", 1.0), ("balanced", 0.7),
          ("balanced", 0.5))  # fmt: skip


def main(args):
    """Train with each loss and print the scores."""
    recipe = Recipe(
        "losses",
        size=192,
        batch=6,
        steps=args.steps,
        warmup=args.steps // 10,
        learning_rate=3e-3,
        ema=0.99,
        validation=96,
        validate_every=args.steps,
        seed=7,
    )
    print(
        "Area under the ROC curve on simulated exposures, by the loss of the training"
    )
    print(f"maximask_astro {__version__.split('+')[0]}, jax {jax.__version__} on "
          f"{jax.default_backend()}; {recipe.steps} steps of {recipe.batch} "
          f"exposures of {recipe.size} x {recipe.size},")  # fmt: skip
    print(f"{recipe.validation} others to validate\n")
    scores = {}
    for loss, power in LOSSES:
        trainer = MaskerTrainer(replace(recipe, loss=loss, weight_power=power), None)
        trainer.run()
        scores[f"{loss} {power:g}"] = trainer.validate()
    print("  class " + "".join(f"{name:>14s}" for name in scores))
    for name in (*ABBREVIATIONS, "mean"):
        values = [score[name] for score in scores.values()]
        row = "".join(f"{np.nan if v is None else v:>14.4f}" for v in values)
        print(f"  {name:<6s}{row}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--steps", type=int, default=400, help="of each training")
    parser.add_argument("--output", type=Path, help="write what is printed here, too")
    run(main, parser.parse_args())
