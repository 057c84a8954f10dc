"""What the commands share: progress, reports and exit codes."""

import contextlib
import json
import logging
import signal
import sys
import threading
import warnings

from tqdm import tqdm

from maximask_astro.batch import summarize
from maximask_astro.utils.errors import (
    InputError,
    ModelIntegrityError,
    ModelNotFoundError,
)
from maximask_astro.utils.files import atomic_path, check_writable

__all__ = [
    "FAILURE",
    "SUCCESS",
    "Reporter",
    "check_outputs",
    "guarded",
    "set_up_logging",
    "usage_errors",
    "write_json",
    "writing",
]

SUCCESS, FAILURE, INTERRUPTED, TERMINATED = 0, 1, 130, 143

# Errors whose message is meant for users; anything else is a bug and shows
# where it came from.
USER_ERRORS = (InputError, ModelIntegrityError, ModelNotFoundError, OSError)


def set_up_logging(verbose):
    """
    Send log messages and warnings to the standard error stream.

    Parameters
    ----------
    verbose : bool
        Whether to show what is being done, not only what went wrong.
    """
    level = logging.DEBUG if verbose else logging.WARNING
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    logging.getLogger("maximask_astro").setLevel(level)
    if not verbose:
        warnings.simplefilter("ignore")


def guarded(command, function):
    """
    Run a command and turn errors into a sentence and an exit code.

    Parameters
    ----------
    command : str
        Name of the command, for the message.

    function : callable
        Without arguments; returns an exit code.

    Returns
    -------
    code : int
        0 if all went well, 1 if something failed, 130 if interrupted, 143 if
        terminated.
    """
    try:
        with _termination_interrupts():
            return function()
    except USER_ERRORS as error:
        print(f"{command}: error: {error}", file=sys.stderr)
        return FAILURE
    except _TerminatedError:
        print(f"{command}: terminated; finished files are whole.", file=sys.stderr)
        return TERMINATED
    except KeyboardInterrupt:
        print(f"{command}: interrupted; finished files are whole.", file=sys.stderr)
        return INTERRUPTED


class _TerminatedError(KeyboardInterrupt):
    """The process is to end: what is under way is cleaned up first."""


def _raise_terminated(*_):
    raise _TerminatedError


@contextlib.contextmanager
def _termination_interrupts():
    """Let SIGTERM do what Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def usage_errors(parser):
    """
    Turn what the library says about wrong arguments into wrong usage.

    Parameters
    ----------
    parser : `argparse.ArgumentParser`
        The command's parser, which exits.

    Yields
    ------
    None
        Nothing.
    """
    try:
        yield
    except ValueError as error:
        if type(error) is not ValueError:  # a damaged model, say
            raise
        parser.error(str(error).rstrip("."))


class Reporter:
    """
    Show how a batch comes along and what went wrong.

    Parameters
    ----------
    command : str
        Name of the command, for messages.

    progress_bar : bool
        Whether to show a bar (only ever on a terminal).
    """

    def __init__(self, command, *, progress_bar=True):
        self.command = command
        self._disable = None if progress_bar else True  # None: only on a terminal
        self._bar = None

    def __call__(self, done, total, result):
        """
        Take note of a finished file.

        Parameters
        ----------
        done, total : int
            Files done, and files in all.

        result : `~maximask_astro.batch.SourceResult`
            What happened.
        """
        if self._bar is None and total > 1:
            self._bar = tqdm(total=total, unit="file", disable=self._disable)
        if not result.ok:
            with tqdm.external_write_mode(file=sys.stderr):
                print(f"{self.command}: error: {result.message}", file=sys.stderr)
        elif result.message:
            logging.getLogger("maximask_astro").info(result.message)
        if result.warning:
            with tqdm.external_write_mode(file=sys.stderr):
                print(f"{self.command}: warning: {result.warning}", file=sys.stderr)
        if self._bar is not None:
            self._bar.update()

    def finish(self, results, *, quiet=False):
        """
        Print the summary.

        Parameters
        ----------
        results : list of `~maximask_astro.batch.SourceResult`
            The results.

        quiet : bool, optional
            Whether to print it only if something failed.

        Returns
        -------
        code : int
            0 if all went well, else 1.
        """
        if self._bar is not None:
            self._bar.close()
        failed = not all(result.ok for result in results)
        if failed or not quiet:
            print(f"{self.command}: {summarize(results)}", file=sys.stderr)
        return FAILURE if failed else SUCCESS


def check_outputs(paths, *, overwrite):
    """
    Find out before the work whether files can be written.

    Parameters
    ----------
    paths : list of `~pathlib.Path`
        The files, all in one directory.

    overwrite : bool
        Whether files that exist may be replaced.

    Raises
    ------
    InputError
        A file exists, or there is no directory that it can be written to.
    """
    directory = paths[0].parent
    if not directory.is_dir():
        raise InputError(f"There is no directory {directory} to write to.")
    check_writable(directory)
    for path in paths:
        if path.exists() and not overwrite:
            raise InputError(f"{path} exists; give --overwrite to replace it.")


@contextlib.contextmanager
def writing(what, target, *, overwrite):
    """
    Write a file, all of it or nothing.

    Parameters
    ----------
    what : str
        What is written, for the error.

    target : path-like
        The file.

    overwrite : bool
        Whether it is replaced if it exists.

    Yields
    ------
    temporary : `~pathlib.Path`
        Where to write.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    try:
        with atomic_path(target, overwrite=overwrite) as temporary:
            yield temporary
    except OSError as error:
        reason = error.strerror or str(error).rstrip(".")
        raise InputError(f"The {what} {target} cannot be written: {reason}.") from error


def write_json(results, target):
    """
    Write the results of a batch as JSON.

    Parameters
    ----------
    results : list of `~maximask_astro.batch.SourceResult`
        The results.

    target : str
        A file, or ``-`` for the standard output.
    """
    content = {
        "summary": summarize(results),
        "ok": all(result.ok for result in results),
        "files": [result.as_dict() for result in results],
    }
    text = json.dumps(content, indent=2)
    if target == "-":
        with contextlib.suppress(BrokenPipeError):
            print(text)
        return
    with writing("summary", target, overwrite=True) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
