"""Exposures with masks of one's own, as examples to learn from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from maximask_astro.background import BLOCK, estimate_background, normalize
from maximask_astro.flags import ABBREVIATIONS, CLASSES, NO_DATA, get_class
from maximask_astro.training.frames import Frames
from maximask_astro.utils.errors import InputError
from maximask_astro.utils.nddata import unpack

__all__ = ["Example", "draw_crops", "make_examples"]

_INVALID = np.uint32(1 << 31)


@dataclass(frozen=True, eq=False)
class Example:
    """
    An exposure and what is known about its pixels.

    Parameters
    ----------
    image : `~numpy.ndarray`
        float32, in units of the sky noise above the level of the sky of the whole
        exposure; pixels without a value are filled.

    codes : `~numpy.ndarray`
        uint32: bit ``i`` is set where class ``i`` of
        `maximask_astro.flags.ABBREVIATIONS` is, the highest where nothing is
        known about the pixel.

    known : `~numpy.ndarray` of bool
        One a class: whether its absence from ``codes`` means that it is not
        there, rather than that nobody looked.
    """

    image: np.ndarray
    codes: np.ndarray
    known: np.ndarray

    @property
    def valid(self):
        """True where something is known."""
        return (self.codes & _INVALID) == 0


def _in_units_of_noise(exposure, normalization):
    """
    An exposure in units of its noise, and its invalid pixels, None if there are none.

    The sky keeps its shape, which the network sees, too.
    """
    image, invalid = normalize(exposure.data, mask=exposure.mask, method=normalization)
    if normalization != "photutils":
        return image, invalid
    level, noise = estimate_background(exposure.data, mask=exposure.mask)
    image = image * noise + (level - np.median(level))
    return (image / np.median(noise)).astype(np.float32), invalid


def _planes(mask, where):
    """Boolean planes by abbreviation, and where there was no verdict."""
    if isinstance(mask, Mapping):
        planes = {get_class(name).abbreviation: mask[name] for name in mask}
        return {name: np.asarray(p, dtype=bool) for name, p in planes.items()}, None
    if hasattr(mask, "class_mask"):  # a ContaminantMap
        return {name: mask.class_mask(name) for name in mask.classes}, mask.invalid
    bits = np.asarray(mask)
    if bits.dtype.kind not in "iu":
        raise InputError(
            f"The mask of {where} has the dtype '{bits.dtype}'; it must be a bit mask "
            "of integers, a ContaminantMap, or a dictionary of boolean arrays."
        )
    planes = {flag.abbreviation: (bits & flag.bit) != 0 for flag in CLASSES if flag.bit}
    return planes, (bits & NO_DATA.bit) != 0


def _known(names, masks, planes):
    """Which classes the masks are about."""
    if names is not None:
        names = names.split(",") if isinstance(names, str) else names
        found = {get_class(name).abbreviation for name in names}
        return [found & classes.keys() for classes, _ in planes]
    # All bit masks together say which classes were looked for.
    occurring = {
        name
        for mask, (classes, _) in zip(masks, planes, strict=True)
        if not isinstance(mask, Mapping) and not hasattr(mask, "class_mask")
        for name, plane in classes.items()
        if plane.any()
    }
    return [
        set(classes)
        if isinstance(mask, Mapping) or hasattr(mask, "class_mask")
        else occurring
        for mask, (classes, _) in zip(masks, planes, strict=True)
    ]


def make_examples(images, masks, *, classes=None, normalization="photutils"):
    """
    Make examples of exposures and their masks.

    Parameters
    ----------
    images : iterable of `~astropy.nddata.CCDData`, array_like and so on
        Two-dimensional exposures, as for a masker.

    masks : iterable
        One a exposure: a bit mask of integers (see `maximask_astro.flags`), a
        `~maximask_astro.masking.ContaminantMap`, or a mapping from
        abbreviations of classes to boolean arrays.

    classes : str or iterable of str, optional
        Abbreviations of the classes that the masks are about. Without it, they
        are those of the map or mapping, and for bit masks those whose bit is
        set anywhere in them. There is no loss for others. BG has no bit, so
        that bit masks say nothing about it.

    normalization : str, optional
        Key of `maximask_astro.background.NORMALIZATIONS`.

    Returns
    -------
    examples : list of `Example`
        The examples.

    Raises
    ------
    InputError
        The numbers or shapes do not match, or no mask is about any class.
    """
    images, masks = list(images), list(masks)
    if not images or len(images) != len(masks):
        raise InputError(
            f"There are {len(images)} images and {len(masks)} masks; there must be a "
            "mask for each of one or more images."
        )
    planes = [_planes(mask, f"image {i}") for i, mask in enumerate(masks)]
    known = _known(classes, masks, planes)
    if not any(known):
        raise InputError("The masks are about no class: no pixel is marked in them.")
    examples = []
    for index, (data, (marked, unknown), names) in enumerate(
        zip(images, planes, known, strict=True)
    ):
        exposure = unpack(data)
        shape = exposure.data.shape
        for name, plane in marked.items():
            if plane.shape != shape or len(shape) != 2:
                raise InputError(
                    f"Image {index} has the shape {shape} and its mask of {name} "
                    f"{plane.shape}; both must be the same and have two dimensions."
                )
        image, invalid = _in_units_of_noise(exposure, normalization)
        codes = np.zeros(shape, np.uint32)
        for number, name in enumerate(ABBREVIATIONS):
            if name in names and name in marked:
                codes[marked[name]] |= np.uint32(1 << number)
        for holes in (invalid, unknown):
            if holes is not None:
                codes[holes] = _INVALID
        flags = np.array([name in names for name in ABBREVIATIONS])
        examples.append(Example(image, codes, flags))
    return examples


def proportions(examples):
    """
    Fraction of pixels of each class, where it is known.

    Parameters
    ----------
    examples : list of `Example`
        The examples.

    Returns
    -------
    fractions : tuple of two `~numpy.ndarray`
        Of the pixels, and of the blocks of the whole-frame view, one a class; NaN for
        classes that no example is about.
    """
    yes, total, blocks, all_blocks = np.zeros((4, len(ABBREVIATIONS)))
    for example in examples:
        valid = example.valid
        n, m = (size // BLOCK for size in valid.shape)
        cells = example.codes[: n * BLOCK, : m * BLOCK].reshape(n, BLOCK, m, BLOCK)
        cells = np.bitwise_or.reduce(np.bitwise_or.reduce(cells, axis=3), axis=1)
        codes = example.codes[valid]
        for number in np.flatnonzero(example.known):
            bit = np.uint32(1 << number)
            yes[number] += np.count_nonzero(codes & bit)
            total[number] += codes.size
            blocks[number] += np.count_nonzero(cells & bit)
            all_blocks[number] += cells.size
    with np.errstate(invalid="ignore", divide="ignore"):
        return yes / total, blocks / all_blocks


def _crop(example, size, random):
    """A random part of an example, mirrored if it is smaller, randomly turned."""
    starts, pads = [], []
    for length in example.image.shape:
        room = length - size
        starts.append(random.integers(0, max(room, 0), endpoint=True))
        pads.append((0, max(-room, 0)))
    turns, mirrored = random.integers(0, 4), random.integers(0, 2)
    cut = tuple(slice(start, start + size) for start in starts)
    result = []
    for array in (example.image, example.codes):
        part = np.pad(array[cut], pads, mode="symmetric")
        part = np.rot90(part, turns)
        result.append(part[:, ::-1] if mirrored else part)
    return result


def draw_crops(examples, number, size, seed):
    """
    Draw random crops, turned and mirrored at random.

    Parameters
    ----------
    examples : list of `Example`
        The examples.

    number : int
        How many crops.

    size : int
        Their height and width in pixels. What is smaller is continued by its mirror
        image.

    seed : int or sequence of int
        The same seed gives the same crops.

    Returns
    -------
    frames : `~maximask_astro.training.frames.Frames`
        The crops, as NumPy arrays.
    """
    random = np.random.default_rng(seed)
    bits = np.uint32(1) << np.arange(len(ABBREVIATIONS), dtype=np.uint32)
    images, labels, known = [], [], []
    for index in random.integers(0, len(examples), number):
        image, codes = _crop(examples[index], size, random)
        images.append(image)
        labels.append((codes & bits.sum()).astype(np.uint16))
        of_example = bits[examples[index].known].sum()
        known.append(np.where(codes & _INVALID, 0, of_example).astype(np.uint16))
    return Frames(np.stack(images), np.stack(labels), np.stack(known))
