"""
What a detector does to an exposure, for ``response.py``.

As in ``response_light.py``, functions draw shapes and return a function of the
strength, which gives the image and the pixels to be found by row of the table.
Strengths are differences from the sky in units of its noise, but for saturation,
where they are the level in counts.
"""

import dataclasses

import numpy as np
from response_sky import SIZE, paste, places
from scipy.ndimage import gaussian_filter1d

# Blur of cosmic rays by the diffusion of charge, in pixels, their lengths, how many
# there are of each kind, and how a worm turns from step to step, in radians.
_BLUR, _TRACKS, _WORMS, _N_RAYS, _TURN = 0.45, (8, 60), (25, 80), 20, 0.35
_STEPS = 4  # a pixel

_N_PIXELS, _N_PAIRS = 60, 20
_N_COLUMNS, _PARTS = 2, (60, 350)

# Noise of values that light does not reach, in units of that of the sky.
_READ_NOISE, _DEAD_NOISE = 0.4, 0.3

_WIDTHS = (8, 24, 60)  # of strips of overscan

_CORES, _N_CORES = (1, 3, 8, 25, 80), 5  # pixels above the level
_BLOOMING = (3, 25, 80)
# Shares of the charge above the level that flow on; more is lost.
_SPREAD, _LONGEST_BLOOM = (0.1, 0.6), 150
_BRIGHTEST = 1.04  # the faintest pixel of a core, in units of the level
# The sky is below this part of the level, and its noise below that one.
_LARGEST_PEDESTAL, _LARGEST_NOISE = 0.25, 1 / 150
_FLAT = 0.01  # variation of pixels of every second frame, as flat fields leave it


def _charge(path, weights):
    """Charge along a path of points (x, y), blurred; its peak is 1."""
    line = np.zeros((SIZE, SIZE))
    (left, bottom), (right, top) = path.min(axis=0), path.max(axis=0)
    x = np.arange(max(int(left) - 3, 0), min(int(right) + 4, SIZE))
    y = np.arange(max(int(bottom) - 3, 0), min(int(top) + 4, SIZE))
    columns = np.exp(-0.5 * ((x[:, None] - path[:, 0]) / _BLUR) ** 2)
    rows = np.exp(-0.5 * ((y[:, None] - path[:, 1]) / _BLUR) ** 2) * weights
    line[y[0] : y[-1] + 1, x[0] : x[-1] + 1] = rows @ columns.T
    return line / line.max()


def _path(rng, kind):
    """Points of a cosmic ray, and how much charge each leaves."""
    start = rng.uniform(40, SIZE - 40, 2)
    if kind == "points":
        path = start + np.linspace(0, 1, 4)[:, None] * rng.uniform(-0.7, 0.7, 2)
        return path, np.ones(len(path))
    length = rng.uniform(*(_TRACKS if kind == "tracks" else _WORMS))
    n = int(length * _STEPS)
    angles = np.full(n, rng.uniform(0, 2 * np.pi))
    weights = np.ones(n)
    if kind == "worms":
        turns = rng.normal(0, _TURN / np.sqrt(_STEPS), n)
        angles += np.cumsum(turns)
        weights = np.exp(0.4 * 3 * gaussian_filter1d(rng.normal(size=n), 6))
    steps = np.stack([np.cos(angles), np.sin(angles)], axis=1) / _STEPS
    path = start + np.cumsum(steps, axis=0)
    return np.clip(path, 2, SIZE - 3), weights


def cosmic_rays(rng, sky):
    """Points, straight tracks and worms; truth: above half of their peaks."""
    charge, rows = np.zeros((SIZE, SIZE)), {}
    for kind in ("points", "tracks", "worms"):
        rows[kind] = np.zeros((SIZE, SIZE), bool)
        for _ in range(_N_RAYS):
            hit = _charge(*_path(rng, kind))
            charge = np.maximum(charge, hit)
            rows[kind] |= hit > 0.5

    def make(strength):
        return sky.with_light(rng, strength * sky.noise * charge), rows

    return make


def bad_pixels(rng, sky, *, sign):
    """Single pixels and pairs, too bright (1) or too dark (-1)."""
    rows = {name: np.zeros((SIZE, SIZE), bool) for name in ("single", "pairs")}
    for name, number in (("single", _N_PIXELS), ("pairs", _N_PAIRS)):
        x, y = rng.integers(2, SIZE - 3, (2, number))
        rows[name][y, x] = True
        if name == "pairs":
            across = rng.random(number) < 0.5
            rows[name][y + ~across, x + across] = True
    mask = rows["single"] | rows["pairs"]
    values = rng.normal(0, 1.0 if sign > 0 else _DEAD_NOISE, mask.sum())

    def make(strength):
        image = sky.image.copy()
        image[mask] = sky.level + sky.noise * (sign * strength + values)
        return image, rows

    return make


def columns(rng, sky, *, sign):
    """Whole columns of one to two pixels, and parts of columns."""
    rows = {name: np.zeros((SIZE, SIZE), bool) for name in ("whole", "parts")}
    at = rng.permutation(np.arange(20, SIZE - 20, 8))[: 2 * _N_COLUMNS]
    for number, x in enumerate(at):
        width = 1 + number % 2
        if number < _N_COLUMNS:
            rows["whole"][:, x : x + width] = True
        else:
            length = rng.integers(*_PARTS)
            start = rng.integers(SIZE - length)
            rows["parts"][start : start + length, x : x + width] = True
    offset = sign * (rows["whole"] | rows["parts"])

    def make(strength):
        return sky.image + strength * sky.noise * offset, rows

    return make


def overscan(rng, sky, frame, *, width):
    """A strip that light does not reach, at one side or at two that touch."""
    mask = np.zeros((SIZE, SIZE), bool)
    mask[:, -width:] = True
    if frame % 2:
        mask[:width] = True
    mask = np.rot90(mask, rng.integers(4))
    noise = rng.normal(0, _READ_NOISE, mask.sum())

    def make(strength):
        image = sky.image.copy()
        image[mask] = sky.level + sky.noise * (noise - strength)
        return image, {f"width {width}": mask}

    return make


def _flow(charge, level, spread):
    """Clip at a level; a share of the rest fills the column up and down."""
    clipped = np.minimum(charge, level)
    for column in np.nonzero((charge > level).any(axis=0))[0]:
        values, above = clipped[:, column], charge[:, column] - level
        for step in (1, -1):
            carried, since = 0.0, 0
            for row in range(SIZE)[::step]:
                if above[row] > 0:
                    carried, since = carried + spread * above[row] / 2, 0
                elif carried > 0 and since < _LONGEST_BLOOM:
                    moved = min(level - values[row], carried)
                    values[row] += moved
                    carried, since = carried - moved, since + 1
                else:
                    carried = 0.0
    return clipped


def saturation(rng, sky, frame, *, bleeding):
    """
    Stars whose cores are clipped at a level in counts, alone or with bleeding.

    Truth: pixels at the level; those that bleeding filled count with their star.
    """
    sizes = _BLOOMING if bleeding else _CORES
    at = places(rng, _N_CORES * len(sizes))
    offsets = rng.uniform(-0.5, 0.5, at.shape)
    spread = rng.uniform(*_SPREAD) if bleeding else 0.0
    flat = 1 + _FLAT * (frame % 2) * rng.normal(size=(SIZE, SIZE))

    def make(level):
        # No camera has a sky near to its highest value, or noise like it.
        scale = min(1.0, level * _LARGEST_NOISE / sky.noise)
        unit = dataclasses.replace(
            sky,
            image=(sky.image - sky.level) * scale,
            gain=sky.gain / scale,
            noise=sky.noise * scale,
        )
        pedestal = sky.level if sky.level < _LARGEST_PEDESTAL * level else 0.0
        light = np.zeros((SIZE, SIZE))
        for number, ((x, y), offset) in enumerate(zip(at, offsets, strict=True)):
            stamp = sky.psf.stamp(49, *offset)
            faintest = np.sort(stamp, axis=None)[-sizes[number % len(sizes)]]
            paste(light, _BRIGHTEST * level / faintest * stamp, x, y)
        image = unit.with_light(rng, light) + pedestal
        image = _flow(image, level, spread)
        full = image >= level
        rows = {f"{n} px": np.zeros((SIZE, SIZE), bool) for n in sizes}
        for number, (x, y) in enumerate(at):
            reach = _LONGEST_BLOOM if bleeding else 12
            beside = slice(max(x - 12, 0), x + 13)
            part = slice(max(y - reach, 0), y + reach + 1), beside
            rows[f"{sizes[number % len(sizes)]} px"][part] |= full[part]
        if bleeding:
            rows = {f"{name}, bleeding": mask for name, mask in rows.items()}
        return image * flat, rows

    return make


def detector_kinds():
    """
    Functions of ``(rng, sky, frame)`` by class.

    Returns
    -------
    kinds : dict of str to list of tuple
        See `~response_light.light_kinds`.
    """

    def plain(function, **options):
        return lambda rng, sky, frame: function(rng, sky, **options)

    def framed(function, **options):
        return lambda rng, sky, frame: function(rng, sky, frame, **options)

    spots, lines = (5.0, 10.0, 30.0, 100.0, 300.0), (0.5, 1.0, 2.0, 4.0, 10.0)
    depths, contrasts = (3.0, 5.0, 10.0, 20.0, 50.0), (3.0, 10.0, 30.0, 100.0, 300.0)
    levels = (4_000.0, 10_000.0, 25_000.0, 55_000.0, 150_000.0)
    return {
        "CR": [(spots, plain(cosmic_rays))],
        "HCL": [(lines, plain(columns, sign=1))],
        "DCL": [(lines, plain(columns, sign=-1))],
        "HP": [(spots, plain(bad_pixels, sign=1))],
        "DP": [(depths, plain(bad_pixels, sign=-1))],
        "SAT": [(levels, framed(saturation, bleeding=b)) for b in (False, True)],
        "OV": [(contrasts, framed(overscan, width=width)) for width in _WIDTHS],
    }
