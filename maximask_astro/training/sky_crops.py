"""Crops of real skies for a batch: turned, mirrored, binned, and noisier."""

from typing import NamedTuple

import numpy as np

from maximask_astro.flags import ABBREVIATIONS

__all__ = ["SkyCrops", "draw_sky_crops"]

# A sky is drawn in proportion to its number of pixels to this power: large ones show
# more, but small ones are skies of their own.
_BY_SIZE = 0.5

# Skies that are smaller than a crop are mirrored at their edges to fill it; so often
# they are shown as they are, with nothing around them.
_OFTEN_ALONE = 0.1

# Means of 2×2 pixels, where the sky has at least this many pixels more or less than
# the crop then: an undersampled and deeper sky.
_OFTEN_BINNED, _LEAST_BINNED = 0.25, 0.5

# White noise is added so often, which makes the noise larger by this factor, whose
# logarithm is uniform: as in a shorter exposure, what is faint drowns.
_OFTEN_NOISIER, _NOISIER = 0.5, (1.0, 3.0)

# The least FWHM of binned stars, in pixels: those of one pixel.
_LEAST_FWHM = 0.9

# Objects are bright by this factor of the noise in the simulation. Between these
# factors a real pixel's light is too near to it for its noise.
_DIM, _BRIGHT = 8.0, 12.0

# Marked contaminants of few pixels that are fainter than this after noise was added
# are not known any more.
_DROWNED = 3.0


def _bits(*names):
    return np.uint16(sum(1 << ABBREVIATIONS.index(name) for name in names))


_SMALL, _OBJECT, _CLEAR = _bits("CR", "HP", "DP"), _bits("BBG"), _bits("BG")
_NOT_OBJECTS = _bits(*(name for name in ABBREVIATIONS if name not in ("BBG", "BG")))
_ALL_BUT_CLEAR = _NOT_OBJECTS | _OBJECT


class SkyCrops(NamedTuple):
    """
    Crops of skies.

    Parameters
    ----------
    images : `~numpy.ndarray`
        float32, shape (number, size, size), in units of each one's noise above
        the level of its whole sky; 0 outside of it.

    present, known : `~numpy.ndarray`
        uint16, of that shape: bit ``i`` for class ``i`` of
        `maximask_astro.flags.ABBREVIATIONS`, whether the pixel is of the class
        and whether that is known.

    inside : `~numpy.ndarray` of bool
        Of that shape: False where the sky has no pixel or no value. Nothing is
        known there.

    fwhm : `~numpy.ndarray`
        float32, shape (number,): of the stars in pixels.

    level, noise : `~numpy.ndarray`
        float32, shape (number,): of the sky in the unit of its file.

    quantum : `~numpy.ndarray`
        float32, shape (number,): step between values in units of the noise, 0
        for none.

    gain : `~numpy.ndarray`
        float32, shape (number,): electrons in a unit of the file; NaN where the
        header does not say.

    chosen : `~numpy.ndarray`
        int, shape (number,): which of the skies each is of.
    """

    images: np.ndarray
    present: np.ndarray
    known: np.ndarray
    inside: np.ndarray
    fwhm: np.ndarray
    level: np.ndarray
    noise: np.ndarray
    quantum: np.ndarray
    gain: np.ndarray
    chosen: np.ndarray


def _window(length, size, alone, rng):
    """
    Where the pixels of a crop are along an axis of a sky, and which are in it.

    A sky that is smaller continues as in a mirror, or is somewhere in the crop.
    """
    if length >= size:
        start = rng.integers(length - size + 1)
        return np.arange(start, start + size), np.ones(size, bool)
    if alone:
        positions = np.arange(size) - rng.integers(size - length + 1)
        within = (positions >= 0) & (positions < length)
        return np.clip(positions, 0, length - 1), within
    positions = np.arange(size) + rng.integers(2 * length)
    positions %= 2 * length
    return np.minimum(positions, 2 * length - 1 - positions), np.ones(size, bool)


def _fold(array, combine):
    """Combine 2×2 pixels."""
    rows = combine(array[0::2], array[1::2])
    return combine(rows[:, 0::2], rows[:, 1::2])


def _crop(sky, size, binned, often_alone, rng):
    """Image, present, known, inside and light of a crop."""
    alone = rng.uniform() < often_alone
    side = 2 * size if binned else size
    rows, row_in = _window(sky.image.shape[0], side, alone, rng)
    columns, column_in = _window(sky.image.shape[1], side, alone, rng)
    where = np.ix_(rows, columns)
    inside = row_in[:, None] & column_in & sky.valid[where]
    within = row_in[:, None] & column_in
    image = np.where(within, sky.image[where], np.float32(0))
    present, known = sky.present[where], sky.known[where]
    light = sky.light[where].astype(np.float32)
    if binned:
        scale = np.float32(0.25 / sky.noise_binned)
        image, light = (_fold(array, np.add) * scale for array in (image, light))
        present = _fold(np.where(inside, present, 0), np.bitwise_or)
        known = _fold(known, np.bitwise_and) | present
        inside = _fold(inside, np.logical_and)
    outside = ~inside
    present[outside] = 0
    known[outside] = 0
    light[outside] = np.nan
    return image, present.astype("u2"), known.astype("u2"), inside, light


def _objects(light, present, known):
    """Add what is known about objects and clear sky, changed in place."""
    # Contaminants are bright as well.
    alone = ((present & _NOT_OBJECTS) == 0) & ((known & _NOT_OBJECTS) == _NOT_OBJECTS)
    with np.errstate(invalid="ignore"):
        bright, dim = alone & (light > _BRIGHT), light < _DIM
    present[bright] |= _OBJECT
    known[bright | dim] |= _OBJECT
    anything = (present & _ALL_BUT_CLEAR) != 0
    nothing = ~anything & ((known & _ALL_BUT_CLEAR) == _ALL_BUT_CLEAR)
    present[nothing] |= _CLEAR
    known[anything | nothing] |= _CLEAR


def draw_sky_crops(skies, number, size, seed, *, often_alone=_OFTEN_ALONE):
    """
    Draw crops of skies for a batch.

    Each is mirrored and turned by quarters at random, and some are binned 2×2 or
    get white noise. What is bright enough is BBG, and what is known to be
    nothing is BG, where that can be told.

    Parameters
    ----------
    skies : sequence of `~maximask_astro.training.skies.Sky`
        To draw from.

    number : int
        Crops.

    size : int
        Their sides in pixels.

    seed : int or sequence of int
        As for `numpy.random.default_rng`: the same crops for the same seed.

    often_alone : float, optional
        How often a sky that is smaller than the crop has nothing around it, instead of
        being mirrored at its edges.

    Returns
    -------
    crops : `SkyCrops`
        The crops.
    """
    rng = np.random.default_rng(seed)
    weights = np.array([sky.image.size for sky in skies], float) ** _BY_SIZE
    chosen = rng.choice(len(skies), number, p=weights / weights.sum())
    shape = number, size, size
    crops = SkyCrops(
        np.empty(shape, "f4"), np.empty(shape, "u2"), np.empty(shape, "u2"),
        np.empty(shape, bool), *np.empty((5, number), "f4"), chosen,
    )  # fmt: skip
    for index, which in enumerate(chosen):
        sky = skies[which]
        binned = rng.uniform() < _OFTEN_BINNED
        binned &= min(sky.image.shape) >= 2 * size * _LEAST_BINNED
        image, present, known, inside, light = _crop(
            sky, size, binned, often_alone, rng
        )
        factor = 1.0
        if rng.uniform() < _OFTEN_NOISIER:
            factor = float(np.exp(rng.uniform(*np.log(_NOISIER))))
            image = image / np.float32(factor)
            light /= factor
            drowned = (present & _SMALL != 0) & (np.abs(image) < _DROWNED)
            known[drowned] &= ~(present[drowned] & _SMALL)
            present[drowned] &= ~_SMALL
            extra = (1 - factor**-2) ** 0.5
            white = rng.standard_normal(image.shape, "f4") * np.float32(extra)
            image += np.where(inside, white, np.float32(0))
        _objects(light, present, known)
        turns, mirrored = rng.integers(4), rng.integers(2)
        for into, array in zip(crops[:4], (image, present, known, inside), strict=True):
            turned = np.rot90(array, turns)
            into[index] = turned[:, ::-1] if mirrored else turned
        noise = sky.noise * factor * (sky.noise_binned if binned else 1.0)
        fwhm = max(sky.fwhm / 2, _LEAST_FWHM) if binned else sky.fwhm
        crops.fwhm[index], crops.level[index], crops.noise[index] = (
            fwhm, sky.level, noise
        )  # fmt: skip
        # Binned, or with noise of its own, a sky has no steps worth speaking of.
        plain = factor == 1.0 and not binned
        crops.quantum[index] = sky.quantum if plain else 0.0
        crops.gain[index] = np.nan if sky.gain is None else sky.gain
    return crops
