"""``maximask-astro train``: train a model, or adapt one to a camera."""

import contextlib
import sys
from pathlib import Path

from maximask_astro.scripts.common import INTERRUPTED, SUCCESS
from maximask_astro.utils.errors import InputError

__all__ = ["add_parser"]

_NAME = "maximask-astro train"


def add_parser(subparsers):
    """
    Add the subcommand.

    Parameters
    ----------
    subparsers : object
        What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = subparsers.add_parser(
        "train",
        help="train a model, or adapt one to your camera",
        description="Train a model on simulated exposures, or adapt one to exposures "
        "with masks of your own. A training that was interrupted goes on where it "
        "stopped when the same command is given again. In the end the directory has "
        "the model (in the subdirectory 'model'), a log, and a picture of the "
        "learning curve.",
    )
    add = parser.add_argument
    add(
        "--recipe",
        metavar="RECIPE",
        help="'default' (an accelerator), 'cpu' (hours), 'smoke' (minutes), "
        "'fine_tune', 'fine_tune_skies', the same for tracking errors ('tracking', "
        "'tracking_cpu', 'tracking_smoke'), or a TOML file (default: 'default', with "
        "--data 'fine_tune', with --skies alone 'fine_tune_skies')",
    )
    add("-o", "--output", required=True, metavar="DIR", help="where everything goes")
    add(
        "--device",
        choices=("auto", "cpu", "gpu"),
        default="auto",
        help="where to compute (default: %(default)s, the best there is)",
    )
    add(
        "--minutes",
        type=_minutes,
        metavar="M",
        help="stop after this time; the same command goes on later",
    )
    add(
        "--from",
        dest="start",
        metavar="MODEL",
        help="begin with this model's weights: a name, 'default', or a directory",
    )
    add(
        "--data",
        metavar="DIR",
        help="learn from the exposures in this directory that have a mask file "
        "beside them (a.fits and a.masks.fits)",
    )
    add(
        "--skies",
        metavar="DIR",
        help="simulate a part of the contaminants on the exposures in this directory, "
        "which need no masks",
    )
    add(
        "--marks",
        metavar="FILE",
        help="JSON file that says what is seen on the skies (default: what the model "
        "that training begins with suspects is left out)",
    )
    add("--name", metavar="NAME", help="name of the model (default: that of the DIR)")
    add("-q", "--quiet", action="store_true", help="no progress bar")
    add("-v", "--verbose", action="store_true", help="tell what is being done")
    parser.set_defaults(run=_run, prog=_NAME)


def _minutes(text):
    import argparse

    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive number")
    return number


@contextlib.contextmanager
def _on_device(kind):
    """Compute on a kind of device, and leave JAX as it was."""
    import jax

    if kind == "auto":
        yield
        return
    try:
        device = jax.devices(kind)[0]
    except RuntimeError as error:
        raise InputError(
            f"JAX finds no {kind} here; choose --device auto, or install "
            "maximask_astro[cuda] for an NVIDIA GPU."
        ) from error
    with jax.default_device(device):
        yield


def _run(args):
    from maximask_astro.inference import keep_compiled
    from maximask_astro.masking import DEFAULT_MODEL
    from maximask_astro.tracking import DEFAULT_TRACKING_MODEL
    from maximask_astro.training import (
        MaskerTrainer,
        TrackingTrainer,
        adapted_model,
        draw_learning_curve,
        export_model,
        judge_of,
        read_examples,
        read_recipe,
        read_skies,
        write_model,
    )
    from maximask_astro.weights import load_model

    keep_compiled()
    adapts = args.data is not None or (args.skies is not None and not args.recipe)
    usual = "default"
    if adapts:
        usual = "fine_tune_skies" if args.data is None else "fine_tune"
    recipe = read_recipe(args.recipe or usual)
    tracking = recipe.task == "tracking"
    for name in ("data", "skies"):
        if tracking and getattr(args, name) is not None:
            raise InputError(
                f"The recipe '{recipe.name}' is for tracking errors, and learns from "
                f"simulated exposures only; leave out --{name}."
            )
    default = DEFAULT_TRACKING_MODEL if tracking else DEFAULT_MODEL
    start = args.start
    if start is None and adapts:
        start = "default"
    model = None
    if start is not None:
        model = load_model(default if start == "default" else start)
    examples = None
    if args.data is not None:
        examples = read_examples(args.data, model.card)
    skies = None
    if args.skies is not None:
        judge = None
        if args.marks is None and model is not None:
            judge = judge_of(model)
        skies = read_skies(args.skies, marks=args.marks, judge=judge)
    output = Path(args.output)
    with _on_device(args.device):
        if tracking:
            trainer = TrackingTrainer(recipe, output, start=model)
        else:
            trainer = MaskerTrainer(
                recipe, output, start=model, examples=examples, skies=skies
            )
        try:
            # None: a bar only on a terminal.
            finished = trainer.run(
                minutes=args.minutes, progress_bar=False if args.quiet else None
            )
        except KeyboardInterrupt:
            print(
                f"{_NAME}: interrupted after step {trainer.step} of "
                f"{trainer.recipe.steps}; the same command goes on from there.",
                file=sys.stderr,
            )
            return INTERRUPTED
        draw_learning_curve(output)
        name = args.name or output.resolve().name
        if adapts:
            adapted = adapted_model(trainer, name)
            card = write_model(adapted, output / "model").card
        else:
            card = export_model(
                output, output / "model", name=name, number=recipe.validation
            )
    print(f"Steps: {trainer.step} of {trainer.recipe.steps}")
    areas = card.figures.get("validation", {}).values()
    if areas:
        print(f"Mean area under the ROC curves: {sum(areas) / len(areas):.4f}")
    print(f"Model: {output / 'model'}")
    if not finished:
        print("Time was up before the last step: the same command goes on.")
    return SUCCESS
