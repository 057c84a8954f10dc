"""Work through files: one that cannot be used does not stop the others."""

import logging
import warnings
from contextlib import closing, contextmanager
from functools import partial

from maximask_astro.batch.fits_files import find_hdu, open_fits
from maximask_astro.batch.inputs import expand_paths
from maximask_astro.utils.errors import InputError, MaximaskWarning

__all__ = ["collect_problems", "open_source", "work_through"]

log = logging.getLogger(__name__)


class _SkippedError(Exception):
    """A file is not to be processed, for the reason given."""


@contextmanager
def open_source(source):
    """
    Open the file of a source within `work_through`.

    Parameters
    ----------
    source : `Source`
        The source. If it is auxiliary and has no HDU named SCI, it is skipped.

    Yields
    ------
    file : `~astropy.io.fits.HDUList`
        The file; closed in the end.

    index : int or None
        Index of the HDU that was asked for; None for all.

    Raises
    ------
    InputError
        The file cannot be read, or there is no such HDU.
    """
    path = source.path
    with open_fits(path) as file:
        index = None if source.hdu is None else find_hdu(file, source.hdu, path)
        if source.auxiliary and not any(hdu.name == "SCI" for hdu in file):
            raise _SkippedError(
                f"{path} is auxiliary by its name ({source.auxiliary})."
            )
        yield file, index


def collect_problems(function, *arguments):
    """
    Call a function and collect what it warns of.

    Parameters
    ----------
    function : callable
        What to call.

    *arguments
        Its arguments.

    Returns
    -------
    value : object
        What it returned.

    problems : list of str
        Texts of its `~maximask_astro.utils.MaximaskWarning`, without a period.
        Other warnings get through.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = function(*arguments)
    problems = []
    for item in caught:
        if issubclass(item.category, MaximaskWarning):
            problems.append(str(item.message).rstrip("."))
        else:
            warnings.warn_explicit(
                item.message, item.category, item.filename, item.lineno
            )
    return value, problems


def _attempt(function, result_type, source):
    """Call a function with a source; errors become results."""
    try:
        return function(source)
    except _SkippedError as error:
        return result_type(str(source), "skipped", message=str(error))
    except InputError as error:
        return result_type(str(source), "failed", message=str(error))
    except Exception as error:  # whatever a file does, the next one follows
        log.debug("Unexpected error", exc_info=True)
        text = f"{type(error).__name__}: {error}".strip().rstrip(".")
        message = f"{source} could not be processed ({text})."
        return result_type(str(source), "failed", message=message)


def _one_by_one(work, items):
    """The simplest way to work on sources, see `work_through`."""
    for item in items:
        if item is not None:
            index, source = item
            yield index, work(source)


def work_through(
    paths,
    work,
    result_type,
    *,
    exclude,
    on_result=None,
    claim=None,
    mapper=_one_by_one,
):
    """
    Do something with each file that paths stand for.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        As for `expand_paths`.

    work : callable
        From a `Source` to its result. Errors become results.

    result_type : type
        Of the results, called with source, status and ``message``.

    exclude : iterable of str
        Patterns of names of auxiliary files in directories.

    on_result : callable, optional
        Called with (number of files done, number of files, result) after each
        file.

    claim : callable, optional
        From a `Source` to None if it is to be worked on, or to its result. It is
        called in order, in this process, and errors become results.

    mapper : callable, optional
        From a function and an iterable of (index, source) to an iterable of (index,
        result), in any order; a generator. An item that is None asks to wait until
        nothing is under way.

    Returns
    -------
    results : list
        One a file, in order.
    """
    sources = expand_paths(paths, exclude=exclude)
    results, done = [None] * len(sources), 0

    def finish(index, result):
        nonlocal done
        results[index] = result
        done += 1
        if on_result is not None:
            on_result(done, len(sources), result)

    def claimed():
        for index, source in enumerate(sources):
            result = None
            if source.problem is not None:
                result = result_type(str(source), "failed", message=source.problem)
            elif claim is not None:
                result = _attempt(claim, result_type, source)
                if result is not None and result.status == "failed":
                    # It may be another's output that those under way will not write.
                    yield None
                    result = _attempt(claim, result_type, source)
            if result is None:
                yield index, source
            else:
                finish(index, result)

    attempt = partial(_attempt, work, result_type)
    with closing(mapper(attempt, claimed())) as worked_on:
        for index, result in worked_on:
            if isinstance(result, Exception):
                text = f"{sources[index]} could not be processed ({result})."
                result = result_type(str(sources[index]), "failed", message=text)
            finish(index, result)
    return results
