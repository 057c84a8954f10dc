"""Read exposures and their masks from a directory."""

from pathlib import Path

import numpy as np
from astropy.io import fits

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.training.examples import make_examples
from maximask_astro.utils.errors import InputError

__all__ = ["read_examples"]

_SUFFIXES = (".fits", ".fit", ".fts", ".fits.gz", ".fits.fz")
_MASKS = ".masks.fits"


def _images(path):
    """Name, header and values of the two-dimensional images of a file, by HDU."""
    try:
        with fits.open(path, memmap=False) as file:
            return {
                index: (hdu.name, hdu.header.copy(), np.asarray(hdu.data))
                for index, hdu in enumerate(file)
                if hdu.is_image and np.ndim(hdu.data) == 2
            }
    except (OSError, TypeError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error


def _known(header):
    """The classes that the header of a mask lists."""
    return tuple(name for name in ABBREVIATIONS if f"{name}_SM" in header)


def _with_mask_file(masks):
    """Images and masks of an exposure with its masks in a file beside it."""
    stem = masks.name.removesuffix(_MASKS)
    found = [masks.with_name(f"{stem}{suffix}") for suffix in _SUFFIXES]
    found = [path for path in found if path.is_file()]
    if not found:
        raise InputError(f"{masks} is a mask file without its {stem}.fits.")
    images, bits = _images(found[0]), _images(masks)
    if bits and "MM_FMT" in bits.get(0, ("", {}))[1]:
        # One map; what follows are other images of it.
        bits = {0: bits[0]}
        fitting = [i for i, item in images.items() if item[2].shape == bits[0][2].shape]
        if 0 not in images and len(fitting) == 1:
            bits = {fitting[0]: bits[0]}
    shared = bits.keys() & images.keys()
    if not shared:
        raise InputError(f"{masks} has no bit mask for an image of {found[0]}.")
    for index in sorted(shared):
        yield f"HDU {index} of {masks}", images[index][2], *bits[index][1:]


def _with_extension(path):
    """Images and masks of a file that has our bits in extensions DQ."""
    images = _images(path)
    last = None
    for index, (name, header, values) in images.items():
        if name == "DQ" and _known(header) and last is not None:
            yield f"HDU {index} of {path}", last, header, values
        last = values


def _pairs(directory):
    directory = Path(directory)
    if not directory.is_dir():
        raise InputError(f"{directory} is not a directory with exposures and masks.")
    for path in sorted(directory.iterdir()):
        if path.name.startswith(".") or not path.name.lower().endswith(_SUFFIXES):
            continue
        if path.name.endswith(_MASKS):
            yield from _with_mask_file(path)
        else:
            yield from _with_extension(path)


def read_examples(directory, card):
    """
    Read the exposures of a directory that have masks.

    An image in ``a.fits`` goes with the bit mask in the same HDU of
    ``a.masks.fits``, as ``maximask-astro mask`` writes it, or with the
    extension DQ that follows it in the same file, as ``maximask-astro
    simulate`` writes it. A class is known if the mask's header lists it
    (``CR_SM`` and so on); without such cards, if its bit occurs in any of the
    masks. BG has no bit, and is never known.

    Parameters
    ----------
    directory : path-like
        The directory. Files without a mask are left out.

    card : `~maximask_astro.weights.ModelCard`
        Card of the model that will learn from them.

    Returns
    -------
    examples : list of `Example`
        The examples.

    Raises
    ------
    InputError
        There are none, or a file cannot be used.
    """
    groups = {}
    for where, image, header, mask in _pairs(directory):
        if image.shape != mask.shape or mask.dtype.kind not in "iu":
            raise InputError(
                f"{where} is not a bit mask for its image: it has the shape "
                f"{mask.shape} and the dtype '{mask.dtype}', the image {image.shape}."
            )
        groups.setdefault(_known(header), []).append((image, mask))
    if not groups:
        raise InputError(
            f"{directory} has no masks: an exposure a.fits needs an a{_MASKS}."
        )
    examples = []
    for known, pairs in groups.items():
        images, masks = zip(*pairs, strict=True)
        examples += make_examples(
            images, masks, classes=known or None, normalization=card.normalization
        )
    return examples
