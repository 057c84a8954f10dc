"""
Light that does not belong on an exposure, for ``response.py``.

Each function takes a generator of random numbers and a `~response_sky.Sky`,
draws shapes, and returns a function of the strength, which gives the image with
the contaminant and, by the name of a row of the table, the pixels that have to
be found: those brighter than half of the contaminant's peak, unless the
function says otherwise. Strengths are peaks above the sky, in units of the
noise of the sky from pixel to pixel.
"""

from functools import partial

import numpy as np
from astropy.io import fits
from response_sky import SIZE, Moffat, log_uniform, paste, places
from scipy import fft
from scipy.ndimage import gaussian_filter, median_filter, zoom

# Distance between the ridges of a satellite out of focus, their width, and the
# light between them in units of theirs.
_RIDGES, _RIDGE_FWHM, _BETWEEN = (14.0, 30.0), 5.0, 0.55
_SHORT_FWHM, _SHORT_LENGTH, _N_SHORT = 3.0, 100, 4

# Bands across the frame: of fringes and of broad ones, the scale of a
# labyrinth in pixels, and how much of a fringe's light is needed for its truth.
_BANDS, _BROAD_BANDS, _LABYRINTH = (6.0, 25.0), (2.0, 4.0), (25.0, 90.0)
_LEAST_ENVELOPE = 0.7

# Power of the clouds' spectra, from those of cirrus (Miville-Deschênes et al.
# 2007, A&A 469, 595: near 2.9 in two dimensions) to smooth ones.
_CLOUD_POWERS = (2.8, 3.6)
_CLOUD_CONTRASTS = (0.2, 0.6)  # standard deviation of the logarithm
# Their peak and their truth are those of the clouds smoothed by this part of their
# scale: what lies between knots is to be found with them.
_SMOOTHING = 1 / 30

# Pixels where a spike's light has fallen to half, its width, and the vanes.
_SPIKE_LENGTHS, _SPIKE_FWHM, _VANES = (50.0, 120.0), (2.0, 4.0), (4, 6, 8)
_WEAKER_VANES = 0.6  # every second one of eight

_RADII = (3, 8, 20)  # of disks of persistence


def _grid():
    return np.indices((SIZE, SIZE)).astype(float)


def _gaussian(distance, fwhm):
    return np.exp2(-((2 * distance / fwhm) ** 2))


def _simple(rng, sky, light, rows):
    """What to do with a strength where light is all there is."""

    def make(strength):
        return sky.with_light(rng, strength * sky.noise * light), rows

    return make


def _across(rng):
    """Distances from a line through the middle of the frame, and along it."""
    y, x = _grid()
    angle = rng.uniform(0, np.pi)
    x0, y0 = rng.uniform(0.25 * SIZE, 0.75 * SIZE, 2)
    cos, sin = np.cos(angle), np.sin(angle)
    return cos * (y - y0) - sin * (x - x0), cos * (x - x0) + sin * (y - y0)


def trail(rng, sky, *, fwhm):
    """A straight trail through the frame."""
    light = _gaussian(_across(rng)[0], fwhm)
    return _simple(rng, sky, light, {f"FWHM {fwhm}": light > 0.5})


def two_ridges(rng, sky):
    """A satellite so near that it is out of focus; truth includes the middle."""
    distance = np.abs(_across(rng)[0])
    half = rng.uniform(*_RIDGES) / 2
    light = _gaussian(distance - half, _RIDGE_FWHM)
    light = np.where(distance < half, np.maximum(light, _BETWEEN), light)
    return _simple(rng, sky, light, {"two ridges": light > 0.5})


def short_trails(rng, sky):
    """Trails that begin and end in the frame."""
    light = np.zeros((SIZE, SIZE))
    y, x = _grid()
    for x0, y0 in rng.uniform(0.15 * SIZE, 0.85 * SIZE, (_N_SHORT, 2)):
        angle = rng.uniform(0, np.pi)
        along = np.cos(angle) * (x - x0) + np.sin(angle) * (y - y0)
        across = np.cos(angle) * (y - y0) - np.sin(angle) * (x - x0)
        beyond = np.maximum(np.abs(along) - _SHORT_LENGTH / 2, 0)
        light = np.maximum(light, _gaussian(np.hypot(across, beyond), _SHORT_FWHM))
    return _simple(rng, sky, light, {f"{_SHORT_LENGTH} px": light > 0.5})


def power_law(rng, power, scale):
    """A random field of unit variance; power falls from a scale in pixels on."""
    # Made at half the resolution: there is no power in the finest scales.
    n = SIZE
    k = np.hypot(*np.meshgrid(fft.fftfreq(n), fft.rfftfreq(n), indexing="ij"))
    amplitude = (k**2 + (2.0 / scale) ** 2) ** (-power / 4)
    amplitude[0, 0] = 0
    noise = fft.rfft2(rng.normal(size=(n, n)))
    field = fft.irfft2(noise * amplitude, s=(n, n))[: n // 2 + 2, : n // 2 + 2]
    field = zoom(field, 2, order=3)[:SIZE, :SIZE]
    return (field - field.mean()) / field.std()


def _fringes(rng, sky, name, pattern, frame):
    """Fringes of a pattern; every second frame has them in a part only."""
    pattern = (pattern - pattern.mean()) / pattern.std() / np.sqrt(2)
    envelope = np.ones((SIZE, SIZE))
    if frame % 2:
        envelope = 1 / (1 + np.exp(-_across(rng)[0] / (0.08 * SIZE)))
    return _simple(rng, sky, pattern * envelope, {name: envelope > _LEAST_ENVELOPE})


def fringe_arcs(rng, sky, frame, *, bands=_BANDS, name="arcs"):
    """
    Contours of a bent film, sharp as those of a resonator are (Airy's function).

    The strength of fringes is the amplitude of a sine with their variance;
    truth is where the envelope is above 0.7.
    """
    across, along = _across(rng)
    u, v = across / SIZE, along / SIZE
    bend = rng.uniform(-0.8, 0.8, 3)
    film = u + bend[0] * u**2 + bend[1] * v**2 + bend[2] * u * v**2
    film = film / np.ptp(film) * log_uniform(rng, *bands)
    finesse = rng.uniform(0.3, 3.0)
    light = 1 / (1 + finesse * np.sin(np.pi * film + rng.uniform(0, np.pi)) ** 2)
    return _fringes(rng, sky, name, light, frame)


def fringe_labyrinth(rng, sky, frame):
    """Bands of one width in all directions, as of the grain of a thin chip."""
    wavelength = log_uniform(rng, *_LABYRINTH)
    k = np.hypot(*np.meshgrid(fft.fftfreq(SIZE), fft.rfftfreq(SIZE), indexing="ij"))
    passes = np.exp(-0.5 * ((k * wavelength - 1) / 0.15) ** 2)
    noise = fft.rfft2(rng.normal(size=(SIZE, SIZE)))
    field = fft.irfft2(noise * passes, s=(SIZE, SIZE))
    return _fringes(rng, sky, "labyrinth", np.tanh(1.5 * field / field.std()), frame)


def read_fringes(data):
    """The fringe map of EFOSC2 without bad columns, None if it is not there."""
    file = data / "ingredients" / "efosc2_fringe_i705.fits" if data else None
    if file is None or not file.exists():
        return None
    image = fits.getdata(file).astype(float)[60:-60, 60:-60]
    image = gaussian_filter(median_filter(image, (1, 11)), 2.0)
    low, high = np.percentile(image, (0.2, 99.8))
    return np.clip(image, low, high)


def fringe_map(rng, sky, frame, *, image):
    """A part of a real map of fringes, over the whole frame."""
    y, x = (rng.integers(size - SIZE + 1) for size in image.shape)
    part = np.rot90(image[y : y + SIZE, x : x + SIZE], rng.integers(4))
    return _fringes(rng, sky, "EFOSC2", part, 2 * frame)


def nebula(rng, sky, *, scale):
    """
    Clouds; those up to the size of the frame have an end, half of them an edge.

    Their light counts from its least in the frame, which is as good as sky.
    """
    texture = power_law(rng, rng.uniform(*_CLOUD_POWERS), scale)
    light = np.exp(rng.uniform(*_CLOUD_CONTRASTS) * texture)
    if scale <= SIZE:
        y, x = _grid()
        envelope = np.zeros_like(light)
        number = 4 if scale < 0.2 * SIZE else 1
        for x0, y0 in rng.uniform(0.2 * SIZE, 0.8 * SIZE, (number, 2)):
            angle, axis = rng.uniform(0, np.pi), rng.uniform(0.5, 1)
            u = np.cos(angle) * (x - x0) + np.sin(angle) * (y - y0)
            v = (np.cos(angle) * (y - y0) - np.sin(angle) * (x - x0)) / axis
            blob = _gaussian(np.hypot(u, v), scale)
            if rng.random() < 0.5:  # an edge, as of an ionization front
                bent = u - 0.3 * scale + 0.3 * v**2 / scale
                blob /= 1 + np.exp(np.clip(bent / (0.02 * scale + 1), -50, 50))
            envelope = np.maximum(envelope, blob)
        light *= envelope
    smooth = gaussian_filter(light, min(scale, SIZE) * _SMOOTHING)
    low, high = smooth.min(), smooth.max()
    rows = {f"{scale} px": smooth > (low + high) / 2}
    return _simple(rng, sky, np.maximum(light - low, 0) / (high - low), rows)


def spikes(rng, sky):
    """
    Bright stars with straight spikes that fade as the inverse square.

    Truth reaches from where the star is fainter than the spike to where the
    spike has half of its peak.
    """
    y, x = _grid()
    light, stars = np.zeros((SIZE, SIZE)), np.zeros((SIZE, SIZE))
    rows = {}
    corners = rng.permutation([(0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75)])
    psf = Moffat(max(sky.psf.fwhm, 2.0), rng.uniform(2.5, 3.5))
    for vanes, corner in zip(_VANES, corners, strict=False):
        x0, y0 = (corner * SIZE + rng.uniform(-50, 50, 2)).round().astype(int)
        radius = np.hypot(x - x0, y - y0)
        length, fwhm = rng.uniform(*_SPIKE_LENGTHS), rng.uniform(*_SPIKE_FWHM)
        start = rng.choice([0.0, np.pi / 4, rng.uniform(0, np.pi)])
        spike = np.zeros((SIZE, SIZE))
        near = np.zeros((SIZE, SIZE), bool)
        for index in range(vanes):
            angle = start + 2 * np.pi * index / vanes
            u = np.cos(angle) * (x - x0) + np.sin(angle) * (y - y0)
            v = np.cos(angle) * (y - y0) - np.sin(angle) * (x - x0)
            part = _gaussian(v, fwhm) / (1 + (u / length) ** 2) * (u > 0)
            if vanes == 8 and index % 2:
                part *= _WEAKER_VANES
            spike = np.maximum(spike, part)
            near |= (np.abs(v) < fwhm / 2) & (u > 0) & (u < length)
        star = np.zeros((SIZE, SIZE))
        paste(star, psf.stamp(300, oversampling=1), x0, y0)
        inner = max(3 * psf.fwhm, 10.0)
        star *= 0.5 / star[y0, min(x0 + round(inner), SIZE - 1)]
        light += spike
        stars += star
        rows[f"{vanes} vanes"] = near & (radius > inner)

    def make(strength):
        image = sky.with_light(rng, strength * sky.noise * (light + stars))
        # A star as bright as this is saturated.
        return np.minimum(image, 60_000.0), rows

    return make


def persistence(rng, sky):
    """Remains of saturated stars: disks with soft edges, some with a bar."""
    y, x = _grid()
    light = np.zeros((SIZE, SIZE))
    rows = {f"radius {radius}": np.zeros((SIZE, SIZE), bool) for radius in _RADII}
    rows["with a bar"] = np.zeros((SIZE, SIZE), bool)
    for number, (x0, y0) in enumerate(places(rng, 16)):
        name = list(rows)[number % len(rows)]
        radius = 8 if name == "with a bar" else int(name.split()[1])
        distance = np.hypot(x - x0, y - y0) - radius
        blob = 1 / (1 + np.exp(np.clip(distance / 0.4, -50, 50)))
        if name == "with a bar":
            bar = (np.abs(x - x0) <= 1) & (np.abs(y - y0) <= 40)
            blob = np.maximum(blob, bar)
        light = np.maximum(light, blob)
        rows[name] |= blob > 0.5
    return _simple(rng, sky, light, rows)


def light_kinds(fringes=None):
    """
    Functions of ``(rng, sky, frame)`` by class.

    Parameters
    ----------
    fringes : `~numpy.ndarray`, optional
        A real map of fringes, see `read_fringes`.

    Returns
    -------
    kinds : dict of str to list of tuple
        By the class's abbreviation: strengths, and a function of a random
        generator, a sky, and the number of the frame.
    """

    def plain(function, **options):
        return lambda rng, sky, frame: function(rng, sky, **options)

    usual, broad = (0.6, 1.2, 2.4, 5.0, 20.0), (1.0, 2.0, 3.0, 6.0, 20.0)
    faint, bright = (0.3, 0.6, 1.0, 2.0, 4.0), (1.0, 2.0, 5.0, 10.0, 20.0)
    kinds = {
        "TRL": [(usual, plain(trail, fwhm=fwhm)) for fwhm in (2, 4, 9, 20)],
        "FR": [
            (faint, fringe_arcs),
            (faint, partial(fringe_arcs, bands=_BROAD_BANDS, name="broad")),
            (faint, fringe_labyrinth),
        ],
        "NEB": [(bright, plain(nebula, scale=n)) for n in (100, 300, 800, 2000)],
        "SP": [((1.0, 2.0, 5.0, 10.0, 30.0), plain(spikes))],
        "P": [((1.0, 2.0, 5.0, 10.0, 30.0), plain(persistence))],
    }
    kinds["TRL"] += [
        (broad, plain(trail, fwhm=40)),
        (usual, plain(two_ridges)),
        (usual, plain(short_trails)),
    ]
    if fringes is not None:
        kinds["FR"].append((faint, partial(fringe_map, image=fringes)))
    return kinds
