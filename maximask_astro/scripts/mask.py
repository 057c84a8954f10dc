"""``maximask-astro mask``: find contaminants in FITS files."""

from maximask_astro.batch import AUXILIARY_FILES, CONTENTS, IF_EXISTS, process
from maximask_astro.scripts.arguments import (
    class_and_number,
    class_list,
    positive_integer,
    radius,
    saturation,
)
from maximask_astro.scripts.common import Reporter, usage_errors, write_json
from maximask_astro.scripts.options import add_file_options

__all__ = ["add_parser"]

_NAME = "maximask-astro mask"


def add_parser(subparsers):
    """
    Add the subcommand.

    Parameters
    ----------
    subparsers : object
        What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = subparsers.add_parser(
        "mask",
        help="find contaminants in FITS files",
        description="Find contaminants in FITS files and write their masks.",
    )
    add = parser.add_argument
    add("-o", "--output-dir", metavar="DIR", help="default: beside each exposure")
    add(
        "--if-exists",
        choices=IF_EXISTS,
        default="error",
        help="what to do if the output exists (default: %(default)s)",
    )
    add(
        "--content",
        choices=CONTENTS,
        default="bitmask",
        help="one image with a bit a class, or a plane a class with masks or "
        "probabilities (default: %(default)s)",
    )
    add(
        "--classes",
        type=class_list,
        default="all",
        metavar="LIST",
        help="'all', 'unusable', or abbreviations with commas, as in CR,SAT,TRL "
        "(default: %(default)s)",
    )
    add(
        "--prior",
        type=class_and_number("prior"),
        action="append",
        default=[],
        metavar="CLASS=P",
        help="expected fraction of a class, or none to keep the network's; repeatable",
    )
    add(
        "--network-priors",
        action="store_true",
        help="keep the network's probabilities for all classes not named in --prior",
    )
    add(
        "--threshold",
        type=class_and_number("threshold"),
        action="append",
        default=[],
        metavar="CLASS=T",
        help="threshold of a class, a number or, as in CR=fpr=1e-3, the "
        "false-positive rate that it is to have; repeatable; fpr=1e-3 alone is for "
        "all classes that are not named",
    )
    add(
        "--grow",
        type=radius,
        default=0,
        metavar="R",
        help="grow the masks of contaminants by R pixels (default: %(default)s)",
    )
    add(
        "--saturation",
        type=saturation,
        default="header",
        metavar="LEVEL",
        help="level at which pixels are saturated: a number, header keywords with "
        "commas, or none to ask the network alone (default: the usual keywords)",
    )
    add("--model", metavar="MODEL", help="name of an installed model, or a directory")
    add(
        "--tiling",
        choices=("seamless", "original"),
        default="seamless",
        help="as in one pass, or in the blocks of MaxiMask 1.4.1 "
        "(default: %(default)s)",
    )
    add(
        "--tile-size", type=positive_integer, metavar="N", help="largest tile in pixels"
    )
    add(
        "--jobs",
        type=positive_integer,
        default=1,
        metavar="N",
        help="processes on this machine (default: %(default)s, which uses all "
        "processors, too); more than one needs dask.distributed",
    )
    add(
        "--dask-scheduler",
        metavar="ADDRESS",
        help="let the workers of this Dask scheduler mask the files",
    )
    add_file_options(parser)
    parser.set_defaults(run=_run, prog=_NAME, parser=parser)


def _run(args):
    from maximask_astro.inference import keep_compiled, keep_memory
    from maximask_astro.masking import DEFAULT_MODEL, ContaminantMasker

    keep_memory()
    keep_compiled()
    priors = dict(args.prior)
    with usage_errors(args.parser):
        masker = ContaminantMasker(
            args.model or DEFAULT_MODEL,
            classes=args.classes,
            priors=_priors(priors, args.network_priors),
            thresholds=_thresholds(args.threshold),
            saturation=args.saturation,
            grow=args.grow,
            tiling=args.tiling,
            tile_size=args.tile_size,
            batch_size=args.batch_size,
            keep_probabilities=args.content == "probabilities",
        )
    reporter = Reporter(_NAME, progress_bar=not args.quiet)
    results = process(
        args.paths,
        masker,
        content=args.content,
        output_dir=args.output_dir,
        if_exists=args.if_exists,
        exclude=AUXILIARY_FILES if args.exclude is None else args.exclude,
        on_result=reporter,
        jobs=args.jobs,
        scheduler=args.dask_scheduler,
    )
    if args.json is not None:
        write_json(results, args.json)
    return reporter.finish(results, quiet=args.quiet)


def _thresholds(given):
    """Thresholds by class, those not given the default or the rate for all."""
    given = dict(given)
    if None not in given:
        return given
    from maximask_astro.flags import ABBREVIATIONS

    rate = given.pop(None)
    return {**dict.fromkeys(ABBREVIATIONS, rate), **given}


def _priors(given, keep_others):
    """Priors by class, those not given the default or the network's."""
    if not keep_others:
        return given
    from maximask_astro.flags import ABBREVIATIONS

    return {**dict.fromkeys(ABBREVIATIONS), **given}
