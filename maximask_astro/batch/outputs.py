"""Turn contaminant maps into the HDUs of mask files."""

from pathlib import Path

import numpy as np
from astropy.io import fits

from maximask_astro.batch.inputs import fits_stem
from maximask_astro.flags import CLASSES, NO_DATA
from maximask_astro.masking import class_cards, provenance_cards
from maximask_astro.utils.headers import derived_header

__all__ = ["CONTENTS", "mask_hdu", "output_path"]

CONTENTS = ("bitmask", "masks", "probabilities")

# The smallest signed integer that holds all bits, as the original wrote them.
_FITS_DTYPE = np.min_scalar_type(-sum(flag.bit for flag in (*CLASSES, NO_DATA)))


def output_path(source, index=None, directory=None):
    """
    Where the masks of an exposure go.

    Parameters
    ----------
    source : path-like
        The exposure's file.

    index : int, optional
        The index of the HDU, if only one is processed.

    directory : path-like, optional
        The directory; that of the exposure by default.

    Returns
    -------
    path : `~pathlib.Path`
        ``a.masks.fits`` for ``a.fits``, ``a.masks2.fits`` for its HDU 2.
    """
    source = Path(source)
    directory = source.parent if directory is None else Path(directory)
    number = "" if index is None else index
    return directory / f"{fits_stem(source)}.masks{number}.fits"


def _image(cmap, content):
    """The array that goes into the file."""
    if content == "bitmask":
        return cmap.bitmask.astype(_FITS_DTYPE)
    if content == "masks":
        planes = [cmap.class_mask(name).astype(np.uint8) for name in cmap.classes]
        return np.stack(planes, axis=-3)
    # (classes, [plane,] y, x) to ([plane,] classes, y, x)
    return np.moveaxis(cmap.probability_planes, 0, -3)


def mask_hdu(cmap, header, content, *, primary=False):
    """
    Make the HDU for a contaminant map.

    Parameters
    ----------
    cmap : `~maximask_astro.masking.ContaminantMap`
        The map.

    header : `~astropy.io.fits.Header`
        Header of the exposure's HDU.

    content : {'bitmask', 'masks', 'probabilities'}
        One image with a bit a class, or a plane a class with 0 and 1, or with
        probabilities. The planes of a cube come first.

    primary : bool, optional
        Whether to make a primary HDU rather than an extension.

    Returns
    -------
    hdu : `~astropy.io.fits.PrimaryHDU` or `~astropy.io.fits.ImageHDU`
        The image under the exposure's header, with cards on classes and
        provenance. Without a verdict a pixel has the bit ``NO_DATA``, or is 0
        in all planes, or NaN.
    """
    header = derived_header(header)
    cards = class_cards(
        cmap,
        thresholded=content != "probabilities",
        single_mask=content == "bitmask",
    )
    for keyword, value, comment in (*provenance_cards(cmap), *cards):
        header[keyword] = (value, comment)
    if primary:
        return fits.PrimaryHDU(_image(cmap, content), header)
    return fits.ImageHDU(_image(cmap, content), header)
