"""
Compare how fast exposures are simulated with how fast a training uses them.

    python benchmarks/training_speed.py --recipe cpu \
        --output benchmarks/output/training_speed.txt

In one process, in turn and repeatedly: batches are only simulated; a batch that
was simulated before is only trained on; and both, as a training does. Also
whether a key gives the same exposures twice. Times are of one machine at one
time; what counts is their ratio.
"""

import argparse
import os
import time
from pathlib import Path
from statistics import median

import jax
import numpy as np
from shared import run

from maximask_astro import __version__
from maximask_astro.training import MaskerTrainer, read_recipe
from maximask_astro.training.exposures import simulated_batch


def seconds(function, *arguments):
    """Run a function to its end, and time it."""
    start = time.perf_counter()
    result = jax.block_until_ready(function(*arguments))
    return time.perf_counter() - start, result


def measure(trainer, rounds):
    """Seconds a batch: to simulate, to train, and for both, by round."""
    times = {"simulation alone": [], "update alone": [], "training step": []}
    groups = trainer.groups

    def simulate(index):
        return simulated_batch(
            trainer.recipe, trainer.config, "training", index, trainer.recipe.batch
        )

    def update(batch, index):
        return trainer._update(groups, batch, None, index)

    def step(index):
        return update(simulate(index), index)

    seconds(step, 0)  # compiles
    for index in range(1, rounds + 1):
        taken, batch = seconds(simulate, index)
        times["simulation alone"].append(taken)
        times["update alone"].append(seconds(update, batch, index)[0])
        times["training step"].append(seconds(step, index)[0])
    return times, simulate


def main(args):
    """Measure and report."""
    recipe = read_recipe(args.recipe)
    trainer = MaskerTrainer(recipe, None)
    times, simulate = measure(trainer, args.rounds)
    pixels = recipe.batch * recipe.size**2 / 1e6

    print(f"Simulation and training by the recipe '{recipe.name}': batches of")
    print(f"{recipe.batch} exposures of {recipe.size} x {recipe.size} pixels")
    print(f"maximask_astro {__version__}, jax {jax.__version__} on {device()}")
    print(f"\n{args.rounds} rounds           Mpix/s: median, lowest to highest")
    for name, taken in times.items():
        speeds = [pixels / t for t in taken]
        print(f"  {name:17s} {median(speeds):8.2f}, ", end="")
        print(f"{min(speeds):.2f} to {max(speeds):.2f}")
    ratios = [
        update / simulation
        for simulation, update in zip(
            times["simulation alone"], times["update alone"], strict=True
        )
    ]
    print("\nPixels a second of the simulation over those of the update, round by")
    print(f"round: {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    first, second = (jax.tree.map(np.asarray, simulate(7)) for _ in range(2))
    same = jax.tree.all(jax.tree.map(np.array_equal, first, second))
    print(f"The same key gives the same exposures: {'yes' if same else 'NO'}")


def device():
    """Device that JAX computes on."""
    return f"{jax.devices()[0].device_kind}, {os.cpu_count()} processors"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--recipe", default="cpu")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--output", type=Path, help="write what is printed here, too")
    arguments = parser.parse_args()
    run(main, arguments)
