"""
What is true on the real exposures: marks made by hand, and planes of pipelines.

The marks are the tables in ``marks``. Coordinates are those of pixel centers,
x first, counted from 0. Shapes:

- ``blob``: of the pixels within ``size`` of (x0, y0), those more than 5 times
  the local noise above the local median;
- ``line``: the pixels within half of ``size`` of the segment from (x0, y0) to
  (x1, y1);
- ``box``: x0 <= x < x1 and y0 <= y < y1;
- ``above``: the pixels of such a box with values above ``size``.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.stats import mad_std
from astropy.table import Table
from scipy.ndimage import label, maximum_filter, median_filter

MARKS = Path(__file__).parent / "marks"

# Image of DECam, value in the pipeline's plane, classes that count, what it is.
# Saturation (3) is where the values are at the ceiling; bleeding (4) is what the
# pipeline added around, where many values are far below.
PLANES = (
    ("cr", 5, "CR", "plane"),
    ("sat1", 3, "SAT", "plane"),
    ("sat2", 3, "SAT", "plane"),
    ("sat3", 3, "SAT", "plane"),
    ("sat1", 4, "SAT", "around"),
    ("sat2", 4, "SAT", "around"),
    ("sat3", 4, "SAT", "around"),
    ("badcol", 1, "DCL/HCL", "plane"),
)

# The camera with 17 exposures of a field: a pixel is hot that stands out in at
# least this many of them. Every third exposure is judged.
HOT_CAMERA, HOT_AT_LEAST, HOT_STEP = "exotic_*.fits", 14, 3

DARK = "lco_sinistro_dark900s.fits.fz"

_LOCAL_MEDIAN, _LOCAL_NOISE, _BLOB_LIMIT = 21, 31, 5.0
_AROUND = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)


@dataclass(frozen=True)
class Truth:
    """
    The pixels of one class on one image.

    Parameters
    ----------
    file, hdu : str, int
        The image.

    classes : str
        The class, or several with slashes if any of them is right.

    parts : `~numpy.ndarray` of int
        0, or a number for each pixel of the truth: an object's, or that of a
        step of one pixel along a line.

    unit : str
        What a part is: ``objects``, ``length`` or nothing.

    source : str
        ``marks`` made by hand, ``plane`` of a pipeline, pixels that it added
        ``around``, or ``others``: exposures of the same camera, darks included.
    """

    file: str
    hdu: int
    classes: str
    parts: np.ndarray
    unit: str
    source: str


def read_image(data, file, hdu):
    """An image of the exposures, in two dimensions."""
    with fits.open(data / "exposures" / file, ignore_missing_end=True) as hdus:
        image = np.array(hdus[hdu].data)
    return image.reshape(image.shape[-2:])


def read_marks(name):
    """One table of marks."""
    return Table.read(MARKS / f"{name}.csv", format="ascii.csv")


def box_of(mark):
    """Slices of a box."""
    return (
        slice(round(mark["y0"]), round(mark["y1"])),
        slice(round(mark["x0"]), round(mark["x1"])),
    )


def significance(image):
    """Excess over the local median, in units of the local noise."""
    values = image.astype(np.float32)
    excess = values - median_filter(values, _LOCAL_MEDIAN)
    # The median of the square of normal deviates is 0.455.
    noise = np.sqrt(median_filter(excess**2, _LOCAL_NOISE) / 0.455)
    return excess / np.maximum(noise, 1e-6)


def draw_line(mark, shape):
    """Number of the step along a line for each of its pixels, or 0."""
    y, x = np.indices(shape)
    along = np.array([mark["x1"] - mark["x0"], mark["y1"] - mark["y0"]], float)
    length = np.hypot(*along)
    along /= length
    dx, dy = x - mark["x0"], y - mark["y0"]
    position = dx * along[0] + dy * along[1]
    distance = np.abs(dy * along[0] - dx * along[1])
    inside = (distance <= mark["size"] / 2) & (position >= 0) & (position <= length)
    return np.where(inside, position.astype(int) + 1, 0)


def draw_mark(mark, image, excess):
    """The parts of one mark and what they are."""
    shape = mark["shape"]
    if shape == "line":
        return draw_line(mark, image.shape), "length"
    if shape == "blob":
        y, x = np.indices(image.shape)
        near = np.hypot(x - mark["x0"], y - mark["y0"]) <= mark["size"]
        return (near & (excess > _BLOB_LIMIT)).astype(int), "objects"
    parts = np.zeros(image.shape, int)
    box = box_of(mark)
    parts[box] = 1 if shape == "box" else image[box] > mark["size"]
    return parts, ""


def marked(data):
    """Truths from the marks made by hand."""
    tables = [read_marks(name) for name in ("cosmic_rays", "shapes")]
    marks = [row for table in tables for row in table]
    groups = {}
    for row in marks:
        groups.setdefault((row["file"], int(row["hdu"]), row["class"]), []).append(row)
    for (file, hdu, name), rows in groups.items():
        image = read_image(data, file, hdu)
        blobs = any(row["shape"] == "blob" for row in rows)
        excess = significance(image) if blobs else None
        parts = np.zeros(image.shape, int)
        for row in rows:
            drawn, unit = draw_mark(row, image, excess)
            parts = np.where(drawn > 0, drawn + parts.max(), parts)
        yield Truth(file, hdu, name, parts, unit, "marks")


def steps_along(flagged):
    """Number pixels by their position along the longest axis of their shape."""
    y, x = np.nonzero(flagged)
    points = np.stack([x, y], axis=1) - [x.mean(), y.mean()]
    axis = np.linalg.svd(points, full_matrices=False)[2][0]
    position = points @ axis
    parts = np.zeros(flagged.shape, int)
    parts[y, x] = (position - position.min()).astype(int) + 1
    return parts


def from_planes(data):
    """Truths from the pipelines' planes."""
    for name, value, classes, source in PLANES:
        file = f"decam_cp_{name}_img.fits"
        flagged = read_image(data, f"decam_cp_{name}_dq.fits", 1) == value
        if classes == "CR":
            yield Truth(file, 1, classes, steps_along(flagged), "length", source)
        else:
            yield Truth(file, 1, classes, flagged.astype(int), "", source)


def stands_out(image):
    """Whether a pixel is far above the median of those around, and each of them."""
    values = image.astype(np.float32)
    excess = values - median_filter(values, footprint=_AROUND)
    noise = mad_std(excess)
    highest = maximum_filter(values, footprint=_AROUND)
    return (excess > 5 * noise) & (values - highest > 2.5 * noise)


def hot_pixels(data):
    """Truths on hot pixels, from other exposures of the same cameras."""
    files = sorted(path.name for path in (data / "exposures").glob(HOT_CAMERA))
    count = sum(stands_out(read_image(data, file, 0)).astype(int) for file in files)
    hot = count >= HOT_AT_LEAST
    for file in files[::HOT_STEP]:
        yield Truth(file, 0, "HP", label(hot)[0], "objects", "others")
    # What stands out of a dark is a hot pixel, or a cosmic ray of one pixel.
    alone = stands_out(read_image(data, DARK, 1))
    alone[:20] = alone[:, :20] = alone[:, -20:] = False  # overscan and glow
    yield Truth(DARK, 1, "HP/CR", label(alone)[0], "objects", "others")
    dark = read_image(data, "aspen_dark90_comb.fit.gz", 0).astype(np.float32)
    excess = dark - median_filter(dark, footprint=_AROUND)
    hot = label(excess > 10 * mad_std(excess))[0]
    yield Truth("aspen_kelt16_hotcol.fit.gz", 0, "HP/HCL", hot, "objects", "others")
    flags = read_image(data, "hst_nicmos2_dq.fits", 3)
    bad = label((flags & (16 | 32)) > 0)[0]
    yield Truth("hst_nicmos2_dq.fits", 1, "HP/DP/DCL", bad, "objects", "plane")


def all_truths(data):
    """All truths, of planes, marks and hot pixels."""
    yield from from_planes(data)
    yield from marked(data)
    yield from hot_pixels(data)
