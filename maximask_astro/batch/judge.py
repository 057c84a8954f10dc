"""Tracking of exposures in FITS files, whatever is in them."""

from functools import partial

import numpy as np

from maximask_astro.batch.fits_files import read_image
from maximask_astro.batch.inputs import AUXILIARY_FILES
from maximask_astro.batch.loop import collect_problems, open_source, work_through
from maximask_astro.batch.results import first_of, no_image
from maximask_astro.batch.verdicts import ExposureVerdict, FileVerdict
from maximask_astro.utils.errors import InputError
from maximask_astro.utils.hdus import why_no_exposure

__all__ = ["judge"]


def _choose(numbers, fraction):
    """Some of the HDUs, at random."""
    if fraction == 1 or not numbers:
        return numbers
    random = np.random.default_rng(len(numbers))
    few = max(int(fraction * len(numbers)), 1)
    return sorted(random.permutation(numbers)[:few].tolist())


def _read(file, numbers, path):
    """Images by HDU, and what is wrong with those that cannot be read."""
    images, problems = {}, []
    for number in numbers:
        try:
            images[number] = read_image(file[number], path, number)
        except InputError as error:
            problems.append(str(error).rstrip("."))
    return images, problems


def _judge_mosaic(file, numbers, path, classifier):
    """Images that were exposed together."""
    images, problems = _read(file, numbers, path)
    status = "partial" if problems else "judged"
    result = None
    if images:
        result, _ = collect_problems(classifier, list(images.values()))
        problems += [
            f"HDU {number}: {problem}"
            for number, problem in zip(images, result.problems, strict=True)
            if problem is not None
        ]
    if result is None or not result.tiles:
        return ExposureVerdict(tuple(numbers), "failed", tuple(problems))
    return ExposureVerdict(tuple(images), status, tuple(problems), result=result)


def _judge_cube(file, number, path, classifier):
    """Channels, each an exposure of its own."""
    try:
        cube = read_image(file[number], path, number)
    except InputError as error:
        yield ExposureVerdict((number,), "failed", (str(error).rstrip("."),))
        return
    for channel, image in enumerate(cube):
        result, _ = collect_problems(classifier, image)
        status, problems = "judged", ()
        if not result.tiles:
            status = "failed"
            problems = (f"HDU {number}, channel {channel}: {result.problems[0]}",)
            result = None
        yield ExposureVerdict((number,), status, problems, channel, result)


def _judge_hdus(file, numbers, path, classifier):
    # A cube with one plane is an image.
    cubes = [n for n in numbers if len(file[n].shape) == 3 and file[n].shape[0] > 1]
    images = [number for number in numbers if number not in cubes]
    exposures = []
    if images:
        exposures.append(_judge_mosaic(file, images, path, classifier))
    for number in cubes:
        exposures += _judge_cube(file, number, path, classifier)
    return exposures


def _judge_file(source, classifier, fraction):
    """Judge what is in one file; errors become results."""
    with open_source(source) as (file, index):
        numbers = range(len(file)) if index is None else [index]
        reasons = {
            number: why_no_exposure(file[number], chosen=index is not None)
            for number in numbers
        }
        usable = [number for number, reason in reasons.items() if reason is None]
        chosen = _choose(usable, fraction)
        exposures = _judge_hdus(file, chosen, source.path, classifier)
    problems = [problem for exposure in exposures for problem in exposure.problems]
    if all(exposure.result is None for exposure in exposures):
        problems = problems or [f"HDU {n}: {reason}" for n, reason in reasons.items()]
        raise InputError(no_image(source, "judge", problems))
    status, message = "judged", ""
    if problems:
        complete = all(exposure.status == "judged" for exposure in exposures)
        status = "judged" if complete else "partial"
        how = "without some of its images" if complete else "only in part"
        message = f"{source} is judged {how}: {first_of(problems)}."
    return FileVerdict(str(source), status, message, tuple(exposures))


def judge(
    paths, classifier, *, hdu_fraction=1.0, exclude=AUXILIARY_FILES, on_result=None
):
    """
    Judge how a telescope tracked during the exposures in FITS files.

    All images of a file are one exposure, a mosaic of CCDs. The planes of a cube
    are exposures of their own (an HDU with three dimensions but one plane is an
    image). A file that cannot be used does not stop the others.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        FITS files, ``file.fits[2]``, directories or ``.list`` files, as for
        `expand_paths`.

    classifier : `~maximask_astro.tracking.TrackingClassifier`
        The classifier.

    hdu_fraction : float, optional
        Fraction of the HDUs of a file to look at, in (0, 1]: they are chosen at
        random, the same ones for the same number of HDUs, and at least one.

    exclude : iterable of str, optional
        Patterns of names that are left out of directories, unless an HDU of
        the file is named SCI.

    on_result : callable, optional
        Called with (number of files done, number of files, `FileVerdict`)
        after each file.

    Returns
    -------
    verdicts : list of `FileVerdict`
        One a file, in order.

    Raises
    ------
    ValueError
        ``hdu_fraction`` is not in (0, 1].
    """
    if not 0 < hdu_fraction <= 1:
        raise ValueError(f"hdu_fraction must be in (0, 1], not {hdu_fraction!r}.")
    work = partial(_judge_file, classifier=classifier, fraction=hdu_fraction)
    return work_through(paths, work, FileVerdict, exclude=exclude, on_result=on_result)
