"""The command ``maximask``, with the options of the original."""

import argparse
import sys

from maximask_astro.batch import process
from maximask_astro.scripts.arguments import boolean
from maximask_astro.scripts.common import (
    Reporter,
    guarded,
    set_up_logging,
    usage_errors,
)
from maximask_astro.scripts.options import add_original_options

__all__ = ["main"]


def _parser():
    parser = argparse.ArgumentParser(
        prog="maximask",
        description="Find contaminants in FITS images and write their masks, with "
        "the network, the options and the defaults of MaxiMask 1.4.1. "
        "'maximask-astro mask' has more options.",
    )
    parser.add_argument(
        "--net_dir",
        default="maximask-1.4.1",
        help="name of an installed model, or directory of a model in this library's "
        "or the original's format (default: %(default)s)",
    )
    parser.add_argument(
        "--config_dir",
        help="directory with classes.flags, classes.priors and classes.thresh "
        "(default: all classes, with MaxiMask's default priors and thresholds)",
    )
    parser.add_argument(
        "--prior_modif",
        type=boolean,
        default=True,
        metavar="BOOL",
        help="whether to update probabilities to the priors (default: True)",
    )
    parser.add_argument(
        "--proba_thresh",
        type=boolean,
        default=True,
        metavar="BOOL",
        help="whether to write masks rather than probabilities (default: True)",
    )
    parser.add_argument(
        "--single_mask",
        type=boolean,
        default=False,
        metavar="BOOL",
        help="whether to write one bit mask for all classes (default: False)",
    )
    add_original_options(parser, batch_size=8)
    return parser


def _run(args, parser):
    from maximask_astro.inference import keep_compiled, keep_memory
    from maximask_astro.masking import ContaminantMasker
    from maximask_astro.scripts.config_files import read_config_files

    keep_memory()
    keep_compiled()
    classes, thresholds = "all", "default"
    priors = "default" if args.prior_modif else None
    if args.config_dir is not None:
        classes, given_priors, given_thresholds = read_config_files(
            args.config_dir, priors=args.prior_modif, thresholds=args.proba_thresh
        )
        priors = given_priors or priors
        thresholds = given_thresholds or thresholds
    content = "masks" if args.proba_thresh else "probabilities"
    with usage_errors(parser):
        masker = ContaminantMasker(
            args.net_dir,
            classes=classes,
            priors=priors,
            thresholds=thresholds,
            tiling="original",
            saturation=None,
            batch_size=args.batch_size,
            keep_probabilities=not args.proba_thresh,
        )
    reporter = Reporter("maximask")
    results = process(
        args.im_path,
        masker,
        content="bitmask" if args.single_mask else content,
        if_exists="overwrite",
        on_result=reporter,
    )
    return reporter.finish(results, quiet=not args.verbose)


def main(argv=None):
    """
    Run the command.

    Parameters
    ----------
    argv : list of str, optional
        Arguments; those of the process by default.

    Returns
    -------
    code : int
        Exit code: 0, or 1 if a file could not be masked (completely). Wrong
        usage exits with 2.
    """
    parser = _parser()
    args = parser.parse_args(argv)
    if args.single_mask and not args.proba_thresh:
        parser.error("--single_mask True needs --proba_thresh True")
    set_up_logging(args.verbose)
    return guarded("maximask", lambda: _run(args, parser))


if __name__ == "__main__":
    sys.exit(main())
