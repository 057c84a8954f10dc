"""What of contaminant maps goes into mask files, and where these are."""

from pathlib import Path

import numpy as np

from maximask_astro.batch.inputs import fits_stem
from maximask_astro.flags import CLASSES, NO_DATA
from maximask_astro.masking import BACKGROUND_CODE, class_cards, provenance_cards
from maximask_astro.utils.headers import derived_header

__all__ = ["CONTENTS", "MaskImage", "output_path"]

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


class MaskImage:
    """
    The image of masks or probabilities that goes into a file.

    Parameters
    ----------
    masker : `~maximask_astro.masking.ContaminantMasker`
        What makes the maps.

    content : {'bitmask', 'masks', 'probabilities'}
        One image with a bit a class, or a plane a class with 0 and 1, or with
        probabilities. The planes of a cube come first. Without a verdict a pixel has
        the bit ``NO_DATA``, or is 0 in all planes, or NaN.

    shape : tuple of int
        Of the exposure, two or three dimensions.

    origin : tuple of two str
        Digests of the exposure's file and of the settings, see
        `maximask_astro.batch.resume`.
    """

    def __init__(self, masker, content, shape, origin):
        self.masker, self.content, self.origin = masker, content, origin
        names = masker.classes
        self._planes = 1 if content == "bitmask" else len(names)
        between = () if content == "bitmask" else (len(names),)
        self.shape = (*shape[:-2], *between, *shape[-2:])
        self.dtype = {"bitmask": _FITS_DTYPE, "masks": np.uint8}.get(content, "f4")
        self._counts, self._levels = np.zeros(1 << 16, np.int64), set()
        self._unlike = set()

    def header(self, header):
        """
        Make the header.

        Parameters
        ----------
        header : `~astropy.io.fits.Header`
            Of the exposure's HDU.

        Returns
        -------
        header : `~astropy.io.fits.Header`
            The exposure's, with cards on classes and provenance.
        """
        header = derived_header(header)
        cards = class_cards(
            self.masker.settings,
            thresholded=self.content != "probabilities",
            single_mask=self.content == "bitmask",
        )
        for keyword, value, comment in (
            *provenance_cards(self.masker.provenance, self.n_invalid),
            ("MM_SRC", self.origin[0], "start of the source's SHA-256"),
            ("MM_SET", self.origin[1], "digest of the settings"),
            ("MM_STATE", "failed", "masked, partial or failed"),
            *cards,
        ):
            header[keyword] = (value, comment)
        return header

    def add(self, writer, plane, rows, cmap):
        """
        Write some rows and count their pixels.

        Parameters
        ----------
        writer : `~maximask_astro.batch.writer.ImageWriter`
            Where to.

        plane : tuple of int
            Which plane of a cube; empty for an image.

        rows : slice
            Which rows.

        cmap : `~maximask_astro.masking.ContaminantMap`
            Their map.
        """
        self._levels.add(cmap.provenance.get("saturation_level"))
        self._unlike.add(cmap.provenance.get("unlike"))
        # The background's bit, the highest of four bytes, is that of two here.
        codes = cmap.bitmask | (cmap.verdicts >> 16).astype(np.uint16)
        self._counts += np.bincount(codes.ravel(), minlength=len(self._counts))
        if self.content == "bitmask":
            writer.write(rows, cmap.bitmask, plane)
            return
        for number, name in enumerate(cmap.classes):
            if self.content == "masks":
                values = cmap.class_mask(name)
            else:
                values = cmap.probability_planes[number]
            writer.write(rows, values, (*plane, number))

    @property
    def n_invalid(self):
        """Number of pixels without a verdict so far."""
        return int(self._counts[NO_DATA.bit])

    @property
    def saturation_level(self):
        """At which pixels count as saturated, so far; None if no level is known."""
        return min(self._levels - {None}, default=None)

    @property
    def unlike(self):
        """How unlike what the model was trained on it is; None if that is unknown."""
        return max(self._unlike - {None}, default=None)

    @property
    def pixels(self):
        """Number of pixels of each class, and without a verdict, by abbreviation."""
        codes = np.flatnonzero(self._counts)
        counts = {}
        for item in self.masker.settings:
            bit = item.bit or BACKGROUND_CODE >> 16
            counts[item.name] = int(self._counts[codes[(codes & bit) != 0]].sum())
        return {**counts, NO_DATA.abbreviation: self.n_invalid}
