"""Mask files: FITS in, FITS out, whatever is in them."""

import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from maximask_astro.batch.fits_files import lookup_tables, read_image
from maximask_astro.batch.inputs import AUXILIARY_FILES
from maximask_astro.batch.loop import collect_problems, open_source, work_through
from maximask_astro.batch.outputs import CONTENTS, mask_hdu, output_path
from maximask_astro.batch.results import FileResult, HDUResult, no_image
from maximask_astro.flags import NO_DATA
from maximask_astro.utils.errors import InputError
from maximask_astro.utils.files import atomic_path, check_writable
from maximask_astro.utils.hdus import why_no_exposure

__all__ = ["IF_EXISTS", "process"]

IF_EXISTS = ("error", "skip", "overwrite")


@dataclass(frozen=True)
class _Options:
    """How to write: see `process`."""

    content: str
    directory: Path | None
    if_exists: str


def _process_hdu(hdu, index, path, masker, options, *, chosen):
    """Output HDU and `HDUResult` of one HDU."""
    reason = why_no_exposure(hdu, chosen=chosen)
    shape = tuple(getattr(hdu, "shape", ()) or ())
    if reason is not None:
        # The HDU itself, not hdu.copy(): astropy then copies its bytes, and does
        # not lose arrays of variable length.
        return hdu, HDUResult(index, hdu.name, "copied", reason, shape)
    cmap, problems = collect_problems(masker, read_image(hdu, path, index))
    primary = chosen or isinstance(hdu, fits.PrimaryHDU)
    action = "masked"
    if problems:  # in a cube, some planes can be judged
        action = "failed" if cmap.invalid.all() else "partial"
    result = HDUResult(
        index,
        hdu.name,
        action,
        "; ".join(problems),
        shape,
        {
            **{name: int(cmap.class_mask(name).sum()) for name in cmap.classes},
            NO_DATA.abbreviation: int(cmap.invalid.sum()),
        },
    )
    return mask_hdu(cmap, hdu.header, options.content, primary=primary), result


def _reasons(results, *actions):
    """What was wrong with the HDUs with which this was done."""
    return [
        f"HDU {item.index}: {item.reason}" for item in results if item.action in actions
    ]


def _process_file(source, masker, options, taken):
    """Mask one file and say what happened; errors become results."""
    path = source.path
    with open_source(source) as (file, index):
        output = output_path(path, index, options.directory)
        key = output.resolve()
        if key in taken:
            raise InputError(
                f"{source} would be written to {output}, like {taken[key]}; put "
                "them into different output directories."
            )
        if output.exists() and options.if_exists != "overwrite":
            if options.if_exists == "skip":
                message = f"{output} exists."
                return FileResult(str(source), "skipped", str(output), message)
            raise InputError(f"{output} exists; choose to overwrite or to skip it.")
        taken[key] = source
        check_writable(output.parent)

        chosen = range(len(file)) if index is None else [index]
        hdus, results = [], []
        for number in chosen:
            hdu, result = _process_hdu(
                file[number], number, path, masker, options, chosen=index is not None
            )
            hdus.append(hdu)
            results.append(result)
        if index is not None:
            hdus += lookup_tables(file, file[index])
        failed = _reasons(results, "failed", "partial")
        if not any(result.action in ("masked", "partial") for result in results):
            reasons = failed or _reasons(results, "copied")
            raise InputError(no_image(source, "mask", reasons))
        _write(hdus, output, overwrite=options.if_exists == "overwrite")

    message = f"{source} is masked only in part: {'; '.join(failed)}." if failed else ""
    status = "partial" if failed else "masked"
    return FileResult(str(source), status, str(output), message, tuple(results))


def _write(hdus, output, *, overwrite):
    try:
        with (
            atomic_path(output, overwrite=overwrite) as temporary,
            warnings.catch_warnings(),
        ):
            # What astropy mends in a source's header is no news here.
            warnings.simplefilter("ignore", AstropyWarning)
            fits.HDUList(hdus).writeto(
                temporary, overwrite=True, output_verify="silentfix+ignore"
            )
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

    if_exists : {'error', 'skip', 'overwrite'}, optional
        What to do where the output exists already.

    exclude : iterable of str, optional
        Patterns of names that are left out of directories, unless an HDU of
        the file is named SCI.

    on_result : callable, optional
        Called with (number of files done, number of files, `FileResult`)
        after each file.

    Returns
    -------
    results : list of `FileResult`
        One a file, in order.

    Raises
    ------
    ValueError
        ``content`` or ``if_exists`` is unknown.
    """
    for value, allowed, name in (
        (content, CONTENTS, "content"),
        (if_exists, IF_EXISTS, "if_exists"),
    ):
        if value not in allowed:
            raise ValueError(f"{name} is {value!r}; it must be one of {allowed}.")
    directory = None if output_dir is None else Path(output_dir)
    options = _Options(content, directory, if_exists)
    work = partial(_process_file, masker=masker, options=options, taken={})
    return work_through(paths, work, FileResult, exclude=exclude, on_result=on_result)
