"""Real skies to learn on: exposures without masks, and what is known about them."""

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from scipy.ndimage import binary_dilation, maximum_filter, median_filter, minimum_filter

from maximask_astro.background import array_reader, estimate_sky, fill_invalid
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.training.sky_marks import mark_classes, read_marks
from maximask_astro.training.sky_measures import (
    estimate_fwhm,
    estimate_noise,
    find_quantum,
    outstanding_lines,
)
from maximask_astro.utils.errors import InputError, MaximaskWarning
from maximask_astro.utils.files import file_sha256
from maximask_astro.utils.hdus import why_no_exposure
from maximask_astro.utils.quiet import quiet

__all__ = ["LEAST_SKIES", "SMALLEST_SKY", "Sky", "read_skies"]

_LOG = logging.getLogger(__name__)

# Fewer skies than this would be learned by heart; smaller ones show no context. Of
# larger ones the middle is read: 10 bytes a pixel stay in the memory.
LEAST_SKIES, SMALLEST_SKY, _LARGEST = 5, 64, 2048

_SUFFIXES = (".fits", ".fit", ".fts", ".fits.gz", ".fits.fz", ".fit.gz", ".fts.gz")
_MASKS = (".masks.fits", ".mask.fits")

# What is counted as absent from skies without marks, since it is rare and users leave
# such exposures out; in all other classes pixels are unknown that stand this far out,
# in units of the noise, and those this near.
_ABSENT, _OUTSTANDING, _NEAR = "TRL FR NEB P OV", 4.0, 2

# A posterior above this makes a class unknown that marks do not speak of.
_SUSPECTED = 0.3

# Blocks of so many equal pixels a side are no sky: borders, or what was cut out. Those
# this far above the sky, in units of the noise, are saturated stars.
_BLOCK, _SATURATED = 8, 20.0

# At least so much of a sky has to be usable.
_USABLE = 0.2

# Header cards with the electrons a data number, by cameras and observatories.
_GAINS = ("GAIN", "EGAIN", "CCDGAIN", "HIERARCH ESO DET OUT1 CONAD")

# The light of objects is not known where the level about the pixel (in boxes of 200
# pixels) differs from that of the frame by more than this in units of the noise and
# this fraction of the light: it could be a gradient of the sky.
_DIFFERENCE, _FRACTION = 3.0, 0.3


@dataclass(frozen=True, eq=False)
class Sky:
    """
    A real exposure to put contaminants on.

    Parameters
    ----------
    name : str
        The file, and the HDU in brackets if it has more than one image.

    image : `~numpy.ndarray`
        float32, (value - ``level``) / ``noise``: gradients, vignetting and
        nebulae are still in it. Pixels that are not valid are filled.

    valid : `~numpy.ndarray` of bool
        True where the file has a value.

    present, known : `~numpy.ndarray`
        uint16, bit ``i`` for class ``i`` of
        `maximask_astro.flags.ABBREVIATIONS`: whether the pixel is of the class,
        and whether that is known. Without BBG and BG, which `light` says.

    light : `~numpy.ndarray`
        float16, light of objects in units of the noise: the median of 3×3
        pixels; NaN where it may be the sky.

    level, noise : float
        Median of the exposure, and noise of its pixels without what varies over
        more than some pixels, in the exposure's unit.

    quantum : float
        Step between values in units of the noise; 0 if there is none.

    fwhm : float
        Of the stars, in pixels.

    noise_binned : float
        Noise after the mean of 2×2 pixels, in units of the noise: 0.5 where
        pixels are independent.

    gain : float or None
        Electrons in a unit of the exposure, if the header says so.
    """

    name: str
    image: np.ndarray
    valid: np.ndarray
    present: np.ndarray
    known: np.ndarray
    light: np.ndarray
    level: float
    noise: float
    quantum: float
    fwhm: float
    noise_binned: float
    gain: float | None = None


def _valid_pixels(data):
    """True where there is a value that is not one of a block of equal, low ones."""
    valid = np.isfinite(data)
    if not valid.any():
        return valid
    filled = np.where(valid, data, np.inf)
    lowest = minimum_filter(filled, _BLOCK)
    filled[~valid] = -np.inf
    same = maximum_filter(filled, _BLOCK) == lowest
    # The corner of a block stands for all of it.
    same = maximum_filter(same, _BLOCK, origin=-1 + _BLOCK % 2)
    values = data[valid & ~same]
    if values.size:
        level, noise = np.median(values), estimate_noise(data, valid & ~same)
        same &= ~(data > level + _SATURATED * noise)
    return valid & ~same


def _gain(header):
    for name in _GAINS:
        try:
            gain = float(header[name])
        except (KeyError, TypeError, ValueError):
            continue
        if np.isfinite(gain) and gain > 0:
            return gain
    return None


def _suspect(judge, data, present, known):
    """Take out of what is known what a model suspects."""
    planes = judge(data)
    for name, plane in planes.items():
        if name not in ABBREVIATIONS:
            continue
        plane = np.asarray(plane)
        if plane.shape != data.shape:
            raise ValueError(
                f"The judge's plane of {name} has the shape {plane.shape}, the sky "
                f"{data.shape}."
            )
        bit = np.uint16(1 << ABBREVIATIONS.index(name))
        known[(plane > _SUSPECTED) & ((present & bit) == 0)] &= ~bit


def _make_sky(name, data, header, entry, judge):
    """One sky, or an `InputError` that says why not."""
    if min(data.shape) < SMALLEST_SKY:
        raise InputError(
            f"{name} has {data.shape[1]}×{data.shape[0]} pixels; a sky must have "
            f"{SMALLEST_SKY} either way."
        )
    middle = tuple(
        slice((size - _LARGEST) // 2, (size - _LARGEST) // 2 + _LARGEST)
        if size > _LARGEST
        else slice(None)
        for size in data.shape
    )
    data = np.array(data[middle], dtype=np.float64)
    valid = _valid_pixels(data)
    if valid.mean() < _USABLE:
        raise InputError(f"{name} has values in less than {_USABLE:.0%} of its pixels.")
    level, noise = float(np.median(data[valid])), estimate_noise(data, valid)
    if not (noise > 0 and np.isfinite(noise)):
        raise InputError(f"{name} is constant; a sky must have noise.")
    image = ((np.where(valid, data, level) - level) / noise).astype(np.float32)

    sky = estimate_sky(array_reader(image, ~valid), image.shape)
    local = sky.level.values(range(image.shape[0]), range(image.shape[1]))
    unclear = np.abs(image - local) > _OUTSTANDING
    unclear = binary_dilation(unclear, np.ones((3, 3)), iterations=_NEAR)
    lines = outstanding_lines(image, valid)
    values = np.where(valid, data, np.nan)
    present, known = mark_classes(
        {"absent": _ABSENT} if entry is None else entry, image, values, unclear, lines
    )
    if judge is not None:
        _suspect(judge, values.astype(np.float32), present, known)
    present[~valid] = 0
    known[~valid] = 0

    light = median_filter(image, 3)
    doubtful = np.abs(local) > _DIFFERENCE + _FRACTION * np.abs(light)
    light = np.clip(light, -6e4, 6e4).astype(np.float16)
    light[doubtful | ~valid] = np.nan
    quantum = find_quantum(data[valid]) / noise
    fwhm = (entry or {}).get("fwhm") or estimate_fwhm(image, valid)
    binned, pairs = (_binned(array) for array in (image, valid.astype(np.float32)))
    noise_binned = estimate_noise(binned, pairs == 1)
    if not valid.all():
        fill_invalid(image, ~valid)
    return Sky(
        name, image, valid, present, known, light, level, noise, quantum, float(fwhm),
        noise_binned, _gain(header),
    )  # fmt: skip


def _binned(array):
    """Means of 2×2 pixels."""
    height, width = (size // 2 * 2 for size in array.shape)
    return array[:height, :width].reshape(height // 2, 2, width // 2, 2).mean((1, 3))


def _images(path):
    """The two-dimensional images of a file, by HDU."""
    try:
        with quiet(AstropyWarning), fits.open(path, memmap=False) as file:
            reasons, found = [], {}
            for index, hdu in enumerate(file):
                reason = why_no_exposure(hdu)
                if reason is None and len(hdu.shape) != 2:
                    reason = f"it has {len(hdu.shape)} dimensions, not 2"
                if reason is not None:
                    reasons.append(reason)
                    continue
                found[index] = np.asarray(hdu.data), hdu.header.copy()
    except Exception as error:  # damage makes the readers raise nearly anything
        text = str(error).split("\n")[0].rstrip(".")
        raise InputError(f"{path.name} cannot be read: {text}.") from error
    if not found:
        raise InputError(
            f"{path.name} has no image: {'; '.join(dict.fromkeys(reasons))}."
        )
    return found


def _files(directory, names):
    directory = Path(directory)
    if not directory.is_dir():
        raise InputError(f"{directory} is not a directory with exposures.")
    if names is not None:
        return [directory / name for name in names]
    return sorted(
        path
        for path in directory.iterdir()
        if path.name.lower().endswith(_SUFFIXES)
        and not path.name.lower().endswith(_MASKS)
        and not path.name.startswith(".")
    )


def read_skies(directory, *, marks=None, names=None, judge=None, least=LEAST_SKIES):
    """
    Read the exposures of a directory as skies to learn on.

    No masks are needed. Contaminants will be drawn on the skies; what is on them
    already is either marked, or left out of the loss: without marks, TRL, FR,
    NEB, P and OV count as absent, and other classes do so where pixels are
    within 4 sigma of the sky; brighter and darker ones are unknown, as are for
    HCL and DCL whole columns and rows that stand out.

    Parameters
    ----------
    directory : path-like
        Of FITS files (.fits, .fit, .fts, also compressed). Hidden files, masks
        of this library and HDUs that are auxiliary by their names are left out.
        Of images of more than 2048 pixels a side, the middle is read.

    marks : path-like or mapping, optional
        Entries as for ``mark_classes`` of ``maximask_astro.training.sky_marks``, by the
        names of files, in a JSON file under ``"skies"`` or in the mapping. An
        entry may have ``fwhm``, in pixels, and ``sha256`` of the file.

    names : iterable of str, optional
        The files to read; by default all.

    judge : callable, optional
        From an exposure (float32, NaN where there is no value) to a mapping from
        abbreviations to planes of posterior probability, for instance those of
        a masker. Above 0.3 a class that is not marked becomes unknown, so that
        real contaminants do not teach that they are clean.

    least : int, optional
        How many skies there must be.

    Returns
    -------
    skies : list of `Sky`
        In the order of their names.

    Raises
    ------
    InputError
        There are fewer skies than ``least``, a mark is wrong, or the file of a
        mark has changed.

    Warns
    -----
    MaximaskWarning
        Some files cannot be used: which, and why.
    """
    marks = {} if marks is None else read_marks(marks)
    skies, problems = [], []
    for path in _files(directory, names):
        entry = marks.get(path.name)
        try:
            images = _images(path)
        except InputError as error:
            problems.append(str(error))
            continue
        digest = (entry or {}).get("sha256")
        if digest is not None and digest != file_sha256(path):
            raise InputError(
                f"{path} is not the file that its marks were made on: its SHA-256 "
                "is another."
            )
        for index, (data, header) in images.items():
            name = path.name if len(images) == 1 else f"{path.name}[{index}]"
            if data.dtype.kind not in "iuf":
                problems.append(f"{name} has the dtype '{data.dtype}', not numbers.")
                continue
            try:
                skies.append(_make_sky(name, data, header, entry, judge))
            except InputError as error:
                problems.append(str(error))
    if problems:
        for problem in problems:
            _LOG.warning("%s", problem)
        text = f"{len(problems)} of the skies in {directory} cannot be used: "
        warnings.warn(text + " ".join(problems), MaximaskWarning, stacklevel=2)
    if len(skies) < least:
        raise InputError(
            f"{directory} has {len(skies)} usable exposure{'s' * (len(skies) != 1)}; "
            f"to learn on skies there must be at least {least}."
        )
    return skies
