"""
The command ``maxitrack``, with the options of the original.

Its results are those of MaxiTrack 1.4.1, but for one thing. Where the number of
blocks is no multiple of the batch size, the original writes the results of the
blocks left over onto those of the batch before, and leaves their own at 0. Here
each block counts once.
"""

import argparse
import sys

import numpy as np

from maximask_astro.batch import judge
from maximask_astro.scripts.arguments import number_within
from maximask_astro.scripts.common import (
    Reporter,
    guarded,
    set_up_logging,
    usage_errors,
)
from maximask_astro.scripts.options import add_original_options
from maximask_astro.utils.errors import InputError
from maximask_astro.utils.files import append_whole

__all__ = ["main"]

OUTPUT = "maxitrack.out"


def _parser():
    parser = argparse.ArgumentParser(
        prog="maxitrack",
        description="Find exposures that are affected by tracking errors, with the "
        "network, the options and the defaults of MaxiTrack 1.4.1. Probabilities are "
        f"appended to {OUTPUT} in the current directory. Unlike in the original, the "
        "blocks of an incomplete batch count like all others. 'maximask-astro track' "
        "has more options.",
    )
    parser.add_argument(
        "--net_dir",
        default="maxitrack-1.4.1",
        help="name of an installed model, or directory of a model in this library's "
        "or the original's format (default: %(default)s)",
    )
    parser.add_argument(
        "--prior",
        type=number_within("(0, 1)"),
        default=0.05,
        metavar="P",
        help="expected fraction of exposures that are affected (default: %(default)s)",
    )
    parser.add_argument(
        "--frac",
        type=number_within("(0, 1]"),
        default=1,
        metavar="F",
        help="fraction of the HDUs of a file to use, chosen at random but always the "
        "same for a file (default: %(default)s)",
    )
    add_original_options(parser, batch_size=16)
    return parser


def _probability(result):
    """Mean over the blocks of an image, then over images."""
    from maximask_astro.tracking import posterior_of

    return np.mean(
        [
            posterior_of([tile.evidence for tile in image.tiles], image.prior).mean()
            for image in result.images
            if image.tiles
        ]
    )


def _lines(verdict):
    """What the original writes about a file."""
    channels, images = [], []
    for exposure in verdict.exposures:
        if exposure.result is None:
            continue
        probability = _probability(exposure.result)
        if exposure.channel is None:
            images.append(f"{verdict.source} {probability:.4f}\n")
        else:
            where = f"HDU {exposure.hdu} Channel {exposure.channel}"
            channels.append(f"{verdict.source} {where} {probability:.4f}\n")
    return "".join(channels + images)


def _append(verdict):
    lines = _lines(verdict)
    if not lines:
        return
    try:
        append_whole(OUTPUT, lines)
    except OSError as error:
        raise InputError(f"{OUTPUT} cannot be written: {error.strerror}.") from error


def _run(args, parser):
    from maximask_astro.tracking import TrackingClassifier

    with usage_errors(parser):
        classifier = TrackingClassifier(
            args.net_dir, prior=args.prior, batch_size=args.batch_size
        )
    reporter = Reporter("maxitrack")

    def on_result(done, total, verdict):
        _append(verdict)
        reporter(done, total, verdict)

    verdicts = judge(
        args.im_path, classifier, hdu_fraction=args.frac, on_result=on_result
    )
    return reporter.finish(verdicts, quiet=not args.verbose)


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
        Exit code: 0, or 1 if a file could not be judged (completely). Wrong
        usage exits with 2.
    """
    parser = _parser()
    args = parser.parse_args(argv)
    set_up_logging(args.verbose)
    return guarded("maxitrack", lambda: _run(args, parser))


if __name__ == "__main__":
    sys.exit(main())
