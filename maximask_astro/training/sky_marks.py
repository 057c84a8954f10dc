"""What is known about the pixels of a real sky, from marks made by hand."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.ndimage import binary_dilation, convolve, median_filter

from maximask_astro.flags import ABBREVIATIONS, get_class
from maximask_astro.utils.errors import InputError

__all__ = ["MARKABLE", "draw_shape", "inside_polygon", "mark_classes", "read_marks"]

# The classes that can be marked: what is an object, and what is background, follows
# from the brightness.
MARKABLE = tuple(name for name in ABBREVIATIONS if name not in ("BBG", "BG"))

# The pixels of a ``bright`` or ``dark`` mark stand out of the median of a square of
# this side, which is wider than cosmic rays are, by more than this, in units of the
# noise. Those beside them, and others, are too faint to be sure of beyond the others.
_AROUND, _SURE, _FAINT_BESIDE, _FAINT_ALONE = 9, 5.0, 2.0, 4.0

# The four neighbors of a ``single`` pixel have, in the mean, less than the first of
# these fractions of what it has; up to the second it may be one, and beyond it is not.
_SINGLE, _MAYBE_SINGLE = 0.25, 0.5
_NEIGHBORS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4

_STATES = ("absent", "unclear", "unknown")


def inside_polygon(vertices, shape):
    """
    Find the pixels whose centers are inside of a polygon.

    By the rule of even and odd crossings: a part that a polygon goes round twice
    is outside.

    Parameters
    ----------
    vertices : array_like
        Shape (vertices, 2): x and y in pixels, counted from 0 at the center of
        the first pixel. The last is joined to the first.

    shape : tuple of two int
        Height and width of the image.

    Returns
    -------
    inside : `~numpy.ndarray` of bool
        Of that shape.
    """
    vertices = np.asarray(vertices, dtype=float)
    inside = np.zeros(shape, bool)
    low = np.clip(np.ceil(vertices.min(axis=0)), 0, None).astype(int)
    high = np.minimum(np.floor(vertices.max(axis=0)) + 1, shape[::-1]).astype(int)
    if (high <= low).any():
        return inside
    y, x = np.mgrid[low[1] : high[1], low[0] : high[0]].astype(float)
    odd = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        # Half open, so that a vertex between two edges counts once.
        crosses = (y0 <= y) != (y1 <= y)
        odd ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    inside[low[1] : high[1], low[0] : high[0]] = odd
    return inside


def draw_shape(shape, size):
    """
    Draw one shape of a mark.

    Parameters
    ----------
    shape : sequence
        ``[x, y, radius]`` is a disk, ``[x0, y0, x1, y1]`` a box of the pixels
        from the first to before the last, ``[x0, y0, x1, y1, width]`` a line,
        and a sequence of three or more ``[x, y]`` a polygon. All are in pixels,
        counted from 0 at the center of the first one.

    size : tuple of two int
        Height and width of the image.

    Returns
    -------
    drawn : `~numpy.ndarray` of bool
        True inside.

    Raises
    ------
    InputError
        It is none of these.
    """
    try:
        numbers = np.asarray(shape, dtype=float)
    except (TypeError, ValueError):
        numbers = np.zeros(0)
    if numbers.ndim == 2 and numbers.shape[1] == 2 and len(numbers) >= 3:
        return inside_polygon(numbers, size)
    drawn = np.zeros(size, bool)
    if numbers.shape == (3,):
        x, y, radius = numbers
        rows, columns = np.ogrid[: size[0], : size[1]]
        return np.hypot(columns - x, rows - y) <= radius
    if numbers.shape == (4,):
        x0, y0, x1, y1 = np.maximum(numbers.astype(int), 0)
        drawn[y0:y1, x0:x1] = True
        return drawn
    if numbers.shape == (5,):
        start, stop, width = numbers[:2], numbers[2:4], numbers[4]
        across = (stop - start)[::-1] * (-1, 1)
        across *= width / 2 / max(np.hypot(*across), 1e-9)
        corners = start - across, stop - across, stop + across, start + across
        return inside_polygon(corners, size)
    raise InputError(
        f"The shape {shape!r} of a mark must be a disk of 3 numbers, a box of 4, a "
        "line of 5, or a polygon of three or more pairs of them."
    )


def read_marks(marks):
    """
    Read marks of skies.

    Parameters
    ----------
    marks : path-like or mapping
        A JSON file, or what is in it, see `mark_classes`.

    Returns
    -------
    marks : dict
        By the name of the sky.

    Raises
    ------
    InputError
        The file cannot be read, or has no marks.
    """
    if isinstance(marks, Mapping):
        return dict(marks)
    try:
        found = json.loads(Path(marks).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"The marks {marks} cannot be read: {error}.") from error
    found = found.get("skies", found) if isinstance(found, dict) else found
    if not isinstance(found, dict):
        raise InputError(
            f"The marks {marks} must be a JSON object with an entry for each sky."
        )
    return found


class _Marker:
    """Draws the marks of one sky."""

    def __init__(self, image, data):
        self.image, self.data = image, data
        self._excess = None

    def excess(self):
        """Above the median of those around; slow, and needed by few marks."""
        if self._excess is None:
            self._excess = self.image - median_filter(self.image, _AROUND)
        return self._excess

    def draw(self, mark, unclear, present, known):
        """Draw a mark over what there is so far, changed in place."""
        kind, *rest = mark
        level = rest.pop(0) if kind == "above" else None
        where = np.ones(self.image.shape, bool)
        if rest and rest[0] != "all":
            where = draw_shape(rest[0], self.image.shape)
        if kind == "single":
            excess = self.excess()
            beside = convolve(excess, _NEIGHBORS, mode="nearest")
            sure = where & (excess > _SURE) & (beside < _SINGLE * excess)
            maybe = (excess > _FAINT_ALONE) & (beside < _MAYBE_SINGLE * excess)
            known[where & maybe] = False
        elif kind in ("bright", "dark"):
            excess = self.excess() if kind == "bright" else -self.excess()
            sure = where & (excess > _SURE)
            faint = binary_dilation(sure) & (excess > _FAINT_BESIDE)
            known[where & (faint | (excess > _FAINT_ALONE))] = False
        elif kind == "above":
            sure = where & (self.data >= level)
        elif kind == "unclear":
            sure = np.zeros_like(where)
            known[where & unclear] = False
        elif kind in ("absent", "present", "unknown"):
            sure = where & (kind == "present")
            present[where] = False
            known[where] = kind != "unknown"
        else:
            raise InputError(
                f"A mark is {kind!r}; it must be present, absent, unknown, unclear, "
                "bright, dark, single or above."
            )
        present[sure] = True
        known[sure] = True


def mark_classes(entry, image, data, unclear, lines):
    """
    Say what is known about the classes of each pixel of a sky.

    Parameters
    ----------
    entry : mapping
        ``absent``, ``unclear`` and ``unknown`` are abbreviations of classes with
        spaces between them: sure to be absent from the whole sky, unknown where
        pixels stand out (and absent elsewhere), and unknown everywhere. ``marks``
        maps each of the others to a sequence of marks over a sky from which the
        class is absent otherwise; a later mark covers earlier ones. A mark is
        ``[kind, shape]``, with a shape of `draw_shape` or ``"all"``, and of the
        kinds

        - ``present``, ``absent``, ``unknown``: all that is inside;
        - ``unclear``: unknown what stands out inside;
        - ``bright``, ``dark``: present what stands 5 sigma out of the median of
          9×9 pixels inside, unknown what does so less;
        - ``single``: of these bright pixels, those whose neighbors are not;
        - ``["above", level, shape]``: present what is at this value or above.

        A class that is nowhere is unclear. ``left_out`` is a sequence of shapes
        in which nothing is known.

    image : `~numpy.ndarray`
        float32, in units of the noise.

    data : `~numpy.ndarray`
        The same as it was in the file.

    unclear : `~numpy.ndarray` of bool
        True where pixels stand out.

    lines : `~numpy.ndarray` of bool
        True in columns and rows that stand out, for HCL and DCL.

    Returns
    -------
    present, known : `~numpy.ndarray`
        uint16, bit ``i`` is that of class ``i`` of
        `maximask_astro.flags.ABBREVIATIONS`. What is not known is not present.

    Raises
    ------
    InputError
        A class or a mark is wrong, or a class is named twice.
    """
    marks = entry.get("marks", {})
    marks = {get_class(name).abbreviation: marks[name] for name in marks}
    states = dict.fromkeys(marks, "marks")
    for state in _STATES:
        for name in entry.get(state, "").split():
            name = get_class(name).abbreviation
            if name in states:
                raise InputError(f"The marks of a sky name the class {name} twice.")
            states[name] = state
    if not states.keys() <= set(MARKABLE):
        raise InputError(
            f"The marks of a sky must be about {', '.join(MARKABLE)}, not about "
            f"{', '.join(sorted(states.keys() - set(MARKABLE)))}."
        )
    present, known = np.zeros(image.shape, "u2"), np.zeros(image.shape, "u2")
    marker = _Marker(image, data)
    for name in MARKABLE:
        state = states.get(name, "unclear")
        bit = np.uint16(1 << ABBREVIATIONS.index(name))
        is_present = np.zeros(image.shape, bool)
        is_known = np.full(image.shape, state != "unknown")
        stands_out = unclear | lines if name in ("HCL", "DCL") else unclear
        for mark in marks.get(name, [["unclear"]] if state == "unclear" else []):
            marker.draw(mark, stands_out, is_present, is_known)
        present[is_present & is_known] |= bit
        known[is_known] |= bit
    for shape in entry.get("left_out", ()):
        present[draw_shape(shape, image.shape)] = 0
        known[draw_shape(shape, image.shape)] = 0
    return present, known
