"""Mask files: FITS in, FITS out, whatever is in them."""

from collections import ChainMap
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from maximask_astro.batch.cluster import cluster_of, map_sources
from maximask_astro.batch.fits_files import lookup_tables
from maximask_astro.batch.inputs import AUXILIARY_FILES
from maximask_astro.batch.loop import open_source, work_through
from maximask_astro.batch.outputs import CONTENTS, MaskImage, output_path
from maximask_astro.batch.results import FileResult, HDUResult, no_image
from maximask_astro.batch.resume import file_digest, is_finished, settings_digest
from maximask_astro.batch.rows import image_readers
from maximask_astro.batch.threads import map_in_threads, stop_if_asked
from maximask_astro.batch.writer import FITSWriter
from maximask_astro.masking import saturation_card, unlike_card
from maximask_astro.utils.errors import InputError
from maximask_astro.utils.files import atomic_path, check_writable, remove_leftovers
from maximask_astro.utils.hdus import why_no_exposure

__all__ = ["IF_EXISTS", "process"]

IF_EXISTS = ("error", "skip", "resume", "overwrite")


@dataclass(frozen=True)
class _Options:
    """How to write: see `process`."""

    content: str
    directory: Path | None
    if_exists: str
    settings: str


def _full_header(header, primary):
    """With what an extension inherits (appendix K of the FITS standard 4.0)."""
    if header is not primary and header.get("INHERIT") is True:
        return ChainMap(header, primary)
    return header


def _mask_hdu(hdu, index, path, masker, target, writer, *, primary):
    """Mask an image, band by band, and say what was done."""
    readers = image_readers(hdu, path, index)
    image = writer.image(target.header(hdu.header), target.shape, target.dtype)
    problems = []
    for number, read in enumerate(readers):
        cube = len(hdu.shape) == 3
        where = f" of plane {number}" if cube else ""
        bands = masker.stream(
            read,
            hdu.shape[-2:],
            header=_full_header(hdu.header, primary),
            keep_probabilities=target.content == "probabilities",
            on_problem=lambda why, where=where: problems.append(
                f"No verdict{where}: {why}"
            ),
        )
        _write_bands(bands, partial(target.add, image, (number,) if cube else ()))
    action = "masked"
    if problems:  # in a cube, some planes can be judged
        everything = target.n_invalid == np.prod(hdu.shape)
        action = "failed" if everything else "partial"
    image.set("MM_NODAT", target.n_invalid)
    image.set(*saturation_card(target.saturation_level)[:2])
    image.set(*unlike_card(target.unlike)[:2])
    image.set("MM_STATE", action)
    reason = "; ".join(problems)
    counted = target.pixels, target.unlike
    return HDUResult(index, hdu.name, action, reason, hdu.shape, *counted)


def _write_bands(bands, write):
    """Write one band while the next is computed."""
    with ThreadPoolExecutor(1) as executor:
        under_way = None
        for rows, cmap in bands:
            stop_if_asked()
            if under_way is not None:
                under_way.result()
            under_way = executor.submit(write, rows, cmap)
        under_way.result()


def _process_hdus(file, numbers, path, masker, options, writer, *, chosen):
    """Write all HDUs and say what was done."""
    origin = file_digest(path), options.settings
    for number in numbers:
        hdu = file[number]
        reason = why_no_exposure(hdu, chosen=chosen)
        if reason is None:
            target = MaskImage(masker, options.content, hdu.shape, origin)
            primary = file[0].header
            yield _mask_hdu(hdu, number, path, masker, target, writer, primary=primary)
        else:
            if not chosen:
                writer.copy(hdu)
            shape = tuple(getattr(hdu, "shape", ()) or ())
            yield HDUResult(number, hdu.name, "copied", reason, shape)


def _reasons(results, *actions):
    """What was wrong with the HDUs with which this was done."""
    return [
        f"HDU {item.index}: {item.reason}" for item in results if item.action in actions
    ]


def _claim(source, options, taken):
    """Whose output it is, and whether it is there: a result if there is no work."""
    index = source.hdu
    if isinstance(index, str):
        with open_source(source) as (_, index):
            pass
    output = output_path(source.path, index, options.directory)
    key = output.resolve()
    if taken.get(key, source) is not source:
        raise InputError(
            f"{source} would be written to {output}, like {taken[key]}; put "
            "them into different output directories."
        )
    taken[key] = source
    if options.if_exists in ("error", "skip") and output.exists():
        if options.if_exists == "skip":
            message = f"{output} exists."
            return FileResult(str(source), "skipped", str(output), message)
        raise InputError(f"{output} exists; choose to overwrite or to skip it.")
    return None


def _process_file(source, masker, options):
    """Mask one file and say what happened; it may have been done before."""
    path = source.path
    with open_source(source) as (file, index):
        output = output_path(path, index, options.directory)
        if options.if_exists == "resume" and is_finished(
            output, file_digest(path), options.settings
        ):
            why = f"{output} was made of the same exposure in the same way."
            return FileResult(str(source), "skipped", str(output), why)
        check_writable(output.parent)
        remove_leftovers(output)

        chosen = index is not None
        numbers = [index] if chosen else range(len(file))
        tables = lookup_tables(file, file[index]) if chosen else []
        with (
            _writing(output) as temporary,
            FITSWriter(temporary, len(numbers) + len(tables)) as writer,
        ):
            results = tuple(
                _process_hdus(
                    file, numbers, path, masker, options, writer, chosen=chosen
                )
            )
            for table in tables:
                writer.copy(table)
            failed = _reasons(results, "failed", "partial")
            if not any(result.action in ("masked", "partial") for result in results):
                reasons = failed or _reasons(results, "copied")
                raise InputError(no_image(source, "mask", reasons))

    message = f"{source} is masked only in part: {'; '.join(failed)}." if failed else ""
    status = "partial" if failed else "masked"
    return FileResult(str(source), status, str(output), message, results)


@contextmanager
def _writing(output):
    """A temporary path, and errors that are about the output."""
    try:
        with atomic_path(output, overwrite=True) as temporary:
            yield temporary
    except OSError as error:
        # Of a full disk NumPy only says how many items it could not write, and
        # astropy how many bytes there are, twice.
        first, _, _ = str(error).partition(". ")
        reason = error.strerror or f"the disk may be full ({first})"
        raise InputError(f"{output} cannot be written: {reason}.") from error


def process(
    paths,
    masker,
    *,
    content="bitmask",
    output_dir=None,
    if_exists="error",
    exclude=AUXILIARY_FILES,
    on_result=None,
    jobs=1,
    scheduler=None,
):
    """
    Mask FITS files.

    A file that cannot be used does not stop the others, masks are written
    under a temporary name and renamed, and exposures are never changed.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        FITS files, ``file.fits[2]``, directories or ``.list`` files, as for
        `expand_paths`.

    masker : `~maximask_astro.masking.ContaminantMasker`
        The masker. For ``content='probabilities'`` it must keep them.

    content : {'bitmask', 'masks', 'probabilities'}, optional
        What to write: one image with a bit a class, a cube with a plane of 0
        and 1 a class, or a cube of probabilities.

    output_dir : path-like, optional
        Where to write; beside each exposure by default. It is made if needed.

    if_exists : {'error', 'skip', 'resume', 'overwrite'}, optional
        What to do where the output exists already. ``'resume'`` skips it if the
        exposure and all settings are those that it was made with, and replaces it
        otherwise, or if it was masked only in part: a batch that was interrupted,
        or had failures, goes on.

    exclude : iterable of str, optional
        Patterns of names that are left out of directories, unless an HDU of
        the file is named SCI.

    on_result : callable, optional
        Called with (number of files done, number of files, `FileResult`)
        after each file, in any order.

    jobs : int, optional
        Processes on this machine; each gets its share of the processors. More than
        one needs ``dask.distributed``. One process uses all processors, too, and
        works on three files at a time.

    scheduler : str, optional
        Address of a ``dask.distributed`` scheduler, whose workers mask the files in
        place of ``jobs``. They must see the files under the same paths.

    Returns
    -------
    results : list of `FileResult`
        One a file, in order.

    Raises
    ------
    ValueError
        ``content`` or ``if_exists`` is unknown, or ``jobs`` not positive.

    InputError
        ``dask.distributed`` is not installed, or there is no such scheduler.
    """
    for value, allowed, name in (
        (content, CONTENTS, "content"),
        (if_exists, IF_EXISTS, "if_exists"),
    ):
        if value not in allowed:
            raise ValueError(f"{name} is {value!r}; it must be one of {allowed}.")
    directory = None if output_dir is None else Path(output_dir)
    settings = settings_digest(masker, content)
    options = _Options(content, directory, if_exists, settings)
    if jobs < 1:
        raise ValueError(f"jobs must be at least 1, not {jobs}.")
    taken = {}

    def note(done, total, result):
        # What could not be written does not keep others from it.
        if result.status == "failed":
            for output in [k for k, v in taken.items() if str(v) == result.source]:
                del taken[output]
        if on_result is not None:
            on_result(done, total, result)

    work_on_all = partial(
        work_through,
        paths,
        partial(_process_file, masker=masker, options=options),
        FileResult,
        exclude=exclude,
        on_result=note,
        claim=partial(_claim, options=options, taken=taken),
    )
    if jobs == 1 and scheduler is None:
        return work_on_all(mapper=map_in_threads)
    with cluster_of(jobs, scheduler) as client:
        return work_on_all(mapper=partial(map_sources, client))
