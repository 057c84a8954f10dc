"""``maximask-astro simulate``: simulate exposures and their labels."""

import argparse
from pathlib import Path

from maximask_astro.flags import get_class
from maximask_astro.scripts.arguments import positive_integer
from maximask_astro.scripts.common import SUCCESS, check_outputs
from maximask_astro.utils.errors import InputError

__all__ = ["add_parser"]

_NAME = "maximask-astro simulate"
_SUFFIXES = (".fits", ".fit", ".fts")
_LARGEST_SEED = 2**32 - 1


def add_parser(subparsers):
    """
    Add the subcommand.

    Parameters
    ----------
    subparsers : object
        What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = subparsers.add_parser(
        "simulate",
        help="simulate exposures with contaminants",
        description="Simulate exposures with contaminants. A file has the exposure, "
        "and in the extension DQ a bit mask of what each pixel is.",
    )
    add = parser.add_argument
    add("output", metavar="OUT.fits", help="the file to write; .fits.gz is compressed")
    add(
        "--shape",
        type=positive_integer,
        nargs=2,
        default=(416, 416),
        metavar=("H", "W"),
        help="height and width in pixels, at least 64 each (default: 416 416)",
    )
    add(
        "--classes",
        type=_contaminants,
        default="all",
        metavar="LIST",
        help="abbreviations with commas, as in CR,TRL: these contaminants and no "
        "others; 'all': left to chance; 'none' (default: %(default)s)",
    )
    add(
        "--strengths",
        choices=("wide", "paper"),
        default="wide",
        help="how strong contaminants are: over a wide range, or as in the paper of "
        "MaxiMask (default: %(default)s)",
    )
    add(
        "--seed",
        type=_seed,
        default=1,
        metavar="N",
        help="the same seed gives the same exposure (default: %(default)s)",
    )
    add(
        "--number",
        type=positive_integer,
        default=1,
        metavar="N",
        help="simulate several, with the seeds that follow, and put a number before "
        "the suffix of each file (default: %(default)s)",
    )
    add("--overwrite", action="store_true", help="replace files that exist")
    parser.set_defaults(run=_run, prog=_NAME, parser=parser)


def _contaminants(text):
    if text.lower() in ("all", "none"):
        return text.lower()
    try:
        names = [get_class(name).abbreviation for name in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from None
    for name in names:
        if name in ("BBG", "BG"):
            raise argparse.ArgumentTypeError(f"{name} is no contaminant")
    return names


def _seed(text):
    if not (text.isascii() and text.isdigit() and int(text) <= _LARGEST_SEED):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a whole number from 0 to {_LARGEST_SEED}"
        )
    return int(text)


def _paths(output, number):
    """Where to write each of the exposures."""
    path = Path(output)
    name = path.name
    compressed = name.lower().endswith(".gz")
    stem = Path(name[:-3] if compressed else name)
    if stem.suffix.lower() not in _SUFFIXES:
        raise InputError(
            f"The name of the output, {output}, must end in "
            f"{', '.join(_SUFFIXES)}, or that and .gz."
        )
    if number == 1:
        return [path]
    end = name[len(stem.stem) :]
    digits = len(str(number))
    return [
        path.with_name(f"{stem.stem}_{index:0{digits}d}{end}")
        for index in range(1, number + 1)
    ]


def _run(args):
    if args.seed + args.number - 1 > _LARGEST_SEED:
        args.parser.error(f"the last seed would be above {_LARGEST_SEED}")
    paths = _paths(args.output, args.number)
    # Not after the work is done.
    check_outputs(paths, overwrite=args.overwrite)

    from maximask_astro.inference import keep_compiled
    from maximask_astro.simulation import SimulationConfig, simulate_exposure

    keep_compiled()
    config = SimulationConfig(tuple(args.shape), strengths=args.strengths)
    for seed, path in enumerate(paths, args.seed):
        exposure = simulate_exposure(seed, classes=args.classes, config=config)
        exposure.write(path, overwrite=args.overwrite)
        found = [
            f"{name} {100 * plane.mean():.2g}%"
            for name, plane in exposure.labels.items()
            if plane.any()
        ]
        print(f"{path}: {', '.join(found)}")
    return SUCCESS
