"""Saturated pixels that need no network: those at a level that is known."""

from math import isfinite
from numbers import Real

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from maximask_astro.flags import get_class
from maximask_astro.masking.contaminant_map import BACKGROUND_CODE
from maximask_astro.utils.quiet import quiet

__all__ = [
    "KEYWORDS",
    "SaturatedPixels",
    "describe_saturation",
    "known_levels",
    "resolve_saturation",
]

# Where headers have the level. SATURATE is what SExtractor asks for by default
# (SATUR_KEY), and what the pipelines of CFHT, ESO, Las Cumbres and DECam write;
# SATLEVEL is Gemini's and CASU's, SATURVAL that of PTF and ZTF; SATURATA and SATURATB
# are those of the two amplifiers of a CCD of DECam. The others are seen at times.
KEYWORDS = (
    *("SATURATE", "SATLEVEL", "SATURVAL", "SATURATA", "SATURATB"),
    *("SATURAT", "SATURLEV", "SATLEV", "SATLVL", "SATUR"),
)

# What a header says is not about these pixels (but about raw ones, or in another unit)
# if it is not so many times the noise above the sky: 3 pixels in ten million of the
# sky are.
_CLEAR = 5.0


def resolve_saturation(saturation):
    """
    Check where the level of saturation comes from.

    Parameters
    ----------
    saturation : float, str, iterable of str or None
        A level, ``'header'`` for the usual keywords, a keyword or several, or None
        to leave saturation to the network.

    Returns
    -------
    source : float, tuple of str, or None
        A level, keywords in upper case, or neither.

    Raises
    ------
    TypeError, ValueError
        It is not as described.
    """
    if saturation is None:
        return None
    if isinstance(saturation, Real) and not isinstance(saturation, (bool, np.bool_)):
        if not (isfinite(saturation) and saturation > 0):
            raise ValueError(
                f"The level of saturation is {saturation}; it must be a positive "
                "number, in units of the data."
            )
        return float(saturation)
    if isinstance(saturation, str):
        if saturation.strip().lower() == "header":
            return KEYWORDS
        saturation = (saturation,)
    if not (
        isinstance(saturation, (tuple, list))
        and all(isinstance(keyword, str) for keyword in saturation)
    ):
        raise TypeError(
            "saturation must be a level, 'header', a header keyword, a tuple of "
            f"keywords or None, not {saturation!r}."
        )
    keywords = tuple(keyword.strip().upper() for keyword in saturation)
    if not keywords or any(map(_is_no_keyword, keywords)):
        raise ValueError(
            f"saturation is {saturation!r}; keywords must be names of header cards, "
            "and a level a number rather than text."
        )
    return keywords


def _is_no_keyword(text):
    try:
        float(text)
    except ValueError:
        return not text
    return True


def describe_saturation(source):
    """
    Say in a word where the level of saturation comes from.

    Parameters
    ----------
    source : float, tuple of str, or None
        From `resolve_saturation`.

    Returns
    -------
    text : float or str
        A number, or ``'header'``, keywords with commas, or ``'none'``.
    """
    if source is None:
        return "none"
    if isinstance(source, float):
        return source
    return "header" if source == KEYWORDS else ",".join(source)


def _number(value):
    """A positive finite number, or None: headers have all kinds of things."""
    try:
        number = None if isinstance(value, (bool, np.bool_)) else float(value)
    except (TypeError, ValueError):
        return None
    return number if number is not None and isfinite(number) and number > 0 else None


def _value(header, keyword):
    """The value of a keyword in any case, None if there is none that can be read."""
    try:
        if isinstance(header, fits.Header):
            with quiet(AstropyWarning):
                return header.get(keyword)
        for key in header or ():
            if isinstance(key, str) and key.upper() == keyword:
                return header[key]
    except (fits.VerifyError, LookupError, TypeError, ValueError):
        pass
    return None


def known_levels(source, header):
    """
    Find the levels that may be the one at which an exposure is saturated.

    Parameters
    ----------
    source : float, tuple of str, or None
        From `resolve_saturation`.

    header : mapping or None
        Header of the exposure.

    Returns
    -------
    levels : tuple of float
        The given one, or those of the keywords in their order that have a positive
        finite number.
    """
    if source is None or isinstance(source, float):
        return () if source is None else (source,)
    found = (_number(_value(header, keyword)) for keyword in source)
    return tuple(level for level in found if level is not None)


class SaturatedPixels:
    """
    Read the rows of an image, and keep in mind which of its pixels are saturated.

    It is called like the reader that it is made of: at first for the sky, and after
    `choose` for the network. Then `mark` puts what it saw into the verdicts.

    Parameters
    ----------
    read : callable
        Gives rows of the image, see `~maximask_astro.background.array_reader`.

    source : float, tuple of str, or None
        From `resolve_saturation`.

    header : mapping or None
        Header of the image.

    settings : sequence of `ClassSettings`
        The classes; without SAT there is nothing to do.

    Attributes
    ----------
    level : float or None
        In use; None if none is known, or before `choose`.

    unlike : float or None
        How unlike the exposures that the model was trained on the image is, see
        `~maximask_astro.inference.likeness_of`; None if nobody has said so.
    """

    def __init__(self, read, source, header, settings):
        names = [item.name for item in settings]
        wanted = "SAT" in names
        self._read, self._given = read, isinstance(source, float)
        self._levels = known_levels(source, header) if wanted else ()
        self._planes = [
            (names.index(name), value)
            for name, value in (("SAT", 1.0), ("BG", 0.0))
            if name in names
        ]
        self._highest, self._looked_at, self._rows = -np.inf, 0, {}
        self.level, self.unlike, self._done = None, None, 0

    def __call__(self, start, stop):
        """
        Read rows.

        Parameters
        ----------
        start, stop : int
            The first row and the one after the last.

        Returns
        -------
        image, invalid : `~numpy.ndarray`
            What the reader gives.
        """
        image, invalid = self._read(start, stop)
        if self.level is not None:
            self._record(start, image)
        elif self._levels and not self._given and start <= self._looked_at:
            self._highest = max(self._highest, image.max(initial=-np.inf))
            self._looked_at = max(self._looked_at, stop)
        return image, invalid

    def _record(self, start, image):
        # Invalid pixels are 0, and levels positive. As exact as the pixels are: a
        # double that was rounded is compared with a level that is.
        full = image >= np.float32(self.level)
        for row in np.flatnonzero(full.any(axis=1)):
            if start + row >= self._done:
                self._rows[start + row] = np.flatnonzero(full[row])

    def choose(self, sky, height):
        """
        Choose the level when the sky is known.

        A level that was given is taken. Of those in the header it is the first that
        is clearly above the sky and that some pixel has reached.

        Parameters
        ----------
        sky : `~maximask_astro.background.Sky`
            Of the image.

        height : int
            Of the image: if not all rows were read, nobody knows the highest pixel.
        """
        # Boxes that are full of saturated pixels must not count.
        level, noise = (np.median(s.coefficients) for s in (sky.level, sky.noise))
        highest = self._highest if self._looked_at >= height else np.inf
        for value in self._levels:
            above_sky = value > level + _CLEAR * noise
            if self._given or (above_sky and np.float32(value) <= highest):
                self.level = value
                return

    def mark(self, band):
        """
        Put saturated pixels into the verdicts.

        Parameters
        ----------
        band : `~maximask_astro.inference.Band`
            From the first rows to the last; its arrays are changed: SAT is added,
            with the probability 1, and BG taken away.

        Returns
        -------
        band : `~maximask_astro.inference.Band`
            The same.
        """
        first, self._done = band.rows.start, band.rows.stop
        found = [
            (row - first, self._rows.pop(row))
            for row in range(first, self._done)
            if row in self._rows
        ]
        if not found:
            return band
        rows = np.repeat([row for row, _ in found], [len(each) for _, each in found])
        where = rows, np.concatenate([each for _, each in found])
        codes = band.codes[where] | np.uint32(get_class("SAT").bit)
        band.codes[where] = codes & ~np.uint32(BACKGROUND_CODE)
        for plane, value in self._planes:
            if band.probabilities is not None:
                band.probabilities[plane][where] = value
            if band.uncertainties is not None:
                band.uncertainties[plane][where] = 0.0
        return band
