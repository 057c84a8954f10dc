"""The command ``maximask-astro`` and its subcommands."""

import argparse
import sys

from maximask_astro import __version__
from maximask_astro.scripts import demo, mask, simulate, track, train, weights
from maximask_astro.scripts.common import guarded, set_up_logging

__all__ = ["main"]


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
        Exit code: 0, or 1 if something failed. Wrong usage exits with 2.
    """
    parser = argparse.ArgumentParser(
        prog="maximask-astro",
        description="Which pixels of an exposure to trust, and which exposures.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (mask, track, train, weights, demo, simulate):
        module.add_parser(subparsers)
    args = parser.parse_args(argv)
    set_up_logging(getattr(args, "verbose", False))
    return guarded(args.prog, lambda: args.run(args))


if __name__ == "__main__":
    sys.exit(main())
