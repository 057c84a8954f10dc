"""Options that several commands have."""

from maximask_astro.batch import AUXILIARY_FILES
from maximask_astro.scripts.arguments import positive_integer

__all__ = ["add_file_options", "add_original_options"]


def add_file_options(parser):
    """
    Add what the subcommands that work through files have in common.

    Parameters
    ----------
    parser : `argparse.ArgumentParser`
        Parser of the subcommand.
    """
    add = parser.add_argument
    add(
        "paths",
        nargs="+",
        metavar="PATH",
        help="file.fits, file.fits[2], file.fits[SCI], compressed or not, a directory, "
        "or a .list file with one of them a line",
    )
    add("--batch-size", type=positive_integer, metavar="N", help="tiles at a time")
    add(
        "--exclude",
        action="append",
        metavar="PATTERN",
        help="file names to leave out of directories; repeatable "
        f"(default: {' '.join(AUXILIARY_FILES)})",
    )
    add("--json", metavar="FILE", help="write a summary as JSON, - for standard output")
    add("-q", "--quiet", action="store_true", help="no progress bar, only errors")
    add("-v", "--verbose", action="store_true", help="tell what is being done")


def add_original_options(parser, *, batch_size):
    """
    Add what the commands of MaxiMask and MaxiTrack have in common.

    Parameters
    ----------
    parser : `argparse.ArgumentParser`
        Parser of the command.

    batch_size : int
        Default of the batch size.
    """
    add = parser.add_argument
    add(
        "im_path",
        help="image(s) to process: file.fits, file.fits[2], compressed or not, a "
        "directory, or a .list file with one of them a line",
    )
    add(
        "--batch_size",
        type=positive_integer,
        default=batch_size,
        metavar="N",
        help="blocks evaluated at a time; smaller needs less memory "
        "(default: %(default)s)",
    )
    add("-v", "--verbose", action="store_true", help="tell what is being done")
