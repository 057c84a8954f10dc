"""``maximask-astro track``: judge how a telescope tracked."""

import contextlib
from pathlib import Path

from maximask_astro.batch import AUXILIARY_FILES, judge, verdict_table
from maximask_astro.scripts.arguments import number_within
from maximask_astro.scripts.common import (
    Reporter,
    check_outputs,
    usage_errors,
    write_json,
    writing,
)
from maximask_astro.scripts.options import add_file_options

__all__ = ["add_parser"]

_NAME = "maximask-astro track"

# What is printed, and how.
_SHOWN = {
    "verdict": None,
    "probability": ".4f",
    "uncertainty": ".4f",
    "blur_length": ".2f",
    "blur_angle": ".0f",
}


def add_parser(subparsers):
    """
    Add the subcommand.

    Parameters
    ----------
    subparsers : object
        What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = subparsers.add_parser(
        "track",
        help="judge how a telescope tracked",
        description="Judge from the stars of exposures in FITS files whether the "
        "telescope tracked. All images of a file are one exposure; the planes of a "
        "cube are exposures of their own. The verdicts are printed as a table, unless "
        "--output or --json is given.",
    )
    add = parser.add_argument
    add("--model", metavar="MODEL", help="name of an installed model, or a directory")
    add(
        "--prior",
        type=number_within("(0, 1)"),
        default=0.05,
        metavar="P",
        help="expected fraction of exposures that are affected (default: %(default)s)",
    )
    add(
        "--threshold",
        type=number_within("[0, 1]"),
        default=0.5,
        metavar="T",
        help="an exposure is affected above this probability (default: %(default)s)",
    )
    add(
        "--fraction",
        type=number_within("(0, 1]"),
        default=1,
        metavar="F",
        help="fraction of the tiles to look at, chosen at random but always the same "
        "for the same shapes (default: %(default)s)",
    )
    add("-o", "--output", metavar="FILE", help="write the table in the format ECSV")
    add("--overwrite", action="store_true", help="replace the table if it exists")
    add_file_options(parser)
    parser.set_defaults(run=_run, prog=_NAME, parser=parser)


def _run(args):
    from maximask_astro.tracking import DEFAULT_TRACKING_MODEL, TrackingClassifier

    if args.output is not None:  # not after the work is done
        check_outputs([Path(args.output)], overwrite=args.overwrite)
    with usage_errors(args.parser):
        classifier = TrackingClassifier(
            args.model or DEFAULT_TRACKING_MODEL,
            prior=args.prior,
            fraction=args.fraction,
            threshold=args.threshold,
            batch_size=args.batch_size,
        )
    reporter = Reporter(_NAME, progress_bar=not args.quiet)
    verdicts = judge(
        args.paths,
        classifier,
        exclude=AUXILIARY_FILES if args.exclude is None else args.exclude,
        on_result=reporter,
    )
    if args.output is not None:
        with writing("table", args.output, overwrite=args.overwrite) as temporary:
            verdict_table(verdicts).write(
                temporary, format="ascii.ecsv", overwrite=True
            )
    if args.json is not None:
        write_json(verdicts, args.json)
    if args.output is None and args.json is None:
        _print(verdict_table(verdicts))
    return reporter.finish(verdicts, quiet=args.quiet)


def _print(table):
    """Print the exposures that have a verdict."""
    table = table[~table["verdict"].mask]
    if len(table) == 0:
        return
    in_cubes = [] if table["channel"].mask.all() else ["hdu", "channel"]
    table = table["file", *in_cubes, *_SHOWN]
    for name, style in _SHOWN.items():
        table[name].format = style
    left = ["<"] + [">"] * (len(table.columns) - 1)
    with contextlib.suppress(BrokenPipeError):
        table.pprint(max_lines=-1, max_width=-1, align=left)
