"""Galaxies so near that their arms, dust and knots are seen, and the glare of stars."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, uniforms
from maximask_astro.simulation.fields import (
    larger_period,
    periodic_field,
    sample_periodic,
)

__all__ = ["KINDS", "draw_resolved"]

# What there is, and how often each is drawn. An early galaxy is an elliptical or
# lenticular one, or the light between the galaxies of a cluster; glare is that of a
# star far beyond saturation, often outside of the frame.
KINDS = ("spiral", "edge-on", "irregular", "early", "glare")
_WEIGHTS = (0.38, 0.16, 0.16, 0.22, 0.08)

# Radii in pixels up to which they are seen, in scale lengths (3.5 for the optical
# radius of an exponential disk), and how far outside of the frame centers may be, in
# radii.
_RADII, _SCALE_LENGTHS, _BEYOND = (30.0, 900.0), 3.5, 0.3
# Distance of a companion in its own radii.
_APART = (0.5, 1.5)

# Surface brightness of the disk's center in units of the sky noise; the bulge's is so
# many times that. Of the real ones at hand: 10 to 100 in disks, up to 3,000 in nuclei.
_DISKS, _BULGES, _BULGE_RADII = (0.7, 150.0), (0.3, 30.0), (0.04, 0.35)

# Early galaxies: Sersic's index, axis ratio, brightness at the half-light radius.
_INDICES, _EARLY_RATIOS, _EARLY = (1.0, 6.0), (0.45, 1.0), (0.2, 40.0)

# Disks: axis ratio; pitch of the arms in radians (11 to 40 degrees); how bright, and
# how narrow, the arms are; how far they wander; radius of a bar in scale lengths.
_RATIOS, _PITCHES = (0.25, 1.0), (0.2, 0.7)
_ARMS, _NARROW, _WANDER = (0.2, 4.0), (0.5, 4.0), (0.2, 1.2)
_BARRED, _BARS = 0.35, (0.3, 1.2)
# Two arms or more, or none but pieces.
_TWO_ARMS, _FLOCCULENT = 0.6, 0.3

# Spread of the logarithm of the brightness, of irregular galaxies as well; optical
# depth of the dust, in lanes along the arms and in spurs (0.1 to 0.3 is measured in
# M 51 and NGC 3756 at scales of a few pixels).
_CLUMPS, _IRREGULAR = (0.05, 0.7), (0.4, 1.4)
_DUST, _SPURS = (0.1, 1.6), (0.05, 1.0)

# Knots of young stars and ionized gas: where a field is above so many standard
# deviations; how bright beside the disk.
_KNOT_LEVEL, _KNOTS = 2.0, (0.1, 8.0)

# Edge-on disks: thickness in scale lengths, that of the dust in thicknesses, its
# optical depth, and how far the plane is bent.
_THICKNESS, _LAYER, _LAYER_DUST, _BENT = (0.1, 0.35), (0.1, 0.5), (0.1, 4.0), 0.006

# Glare: surface brightness in units of the noise at so many pixels from the star, and
# how steeply it falls: as the distance to minus this (2 to 3; King 1971, PASP 83, 199).
_GLARE, _GLARE_AT, _GLARE_FALL = (0.3, 30.0), 40.0, (1.8, 3.0)

# The seeing reaches so many pixels.
_REACH = 40

# The texture of disks is drawn over the turn and over the logarithm of the radius.
_TEXTURE = (384, 256)
_TEXTURE_SLOPE, _TEXTURE_STRETCH, _PERIOD_OF_RADIUS = (1.8, 3.0), (1.5, 5.0), 5.0


def _between(number, limits):
    """Uniform within limits."""
    return limits[0] + (limits[1] - limits[0]) * number


def _sersic(distance, index):
    """Sersic's (1963) profile in half-light radii, 1 there, with a soft cusp."""
    steep = 2 * index - 1 / 3
    return jnp.exp(-steep * ((distance**2 + 1e-3) ** (0.5 / index) - 1))


def _disk(draw, r, p, q, fields):
    """An inclined disk with arms, a bar, dust and knots."""
    gas, dust, knots = fields
    turn = jnp.arctan2(q, p)
    pitch = log_between(draw.pitch, *_PITCHES)
    number = jnp.where(draw.number < _TWO_ARMS, 2.0, jnp.floor(2 + 4 * draw.many))
    angle = number * (turn - jnp.log(r + 0.05) / jnp.tan(pitch))
    angle = angle + _between(draw.wander, _WANDER) * gas
    narrow = log_between(draw.narrow, *_NARROW)
    arms = log_between(draw.arms, *_ARMS) * jnp.exp(narrow * (jnp.cos(angle) - 1))
    arms = arms * jnp.where(draw.flocculent < _FLOCCULENT, 0.15, 1.0)
    # Arms begin at the bar, and dissolve outside.
    bar = log_between(draw.bar, *_BARS) * jnp.where(draw.barred < _BARRED, 1.0, 0.3)
    arms = arms * jax.nn.sigmoid(6 * (r / bar - 1)) * jnp.exp(-((r / 5.0) ** 4))
    clumps = jnp.exp(log_between(draw.clumps, *_CLUMPS) * gas)
    lane = jnp.exp(2 * narrow * (jnp.cos(angle - 0.9) - 1))
    lane = lane * jax.nn.sigmoid(6 * (r / bar - 0.8)) * jax.nn.sigmoid(2 * dust + 1)
    depth = log_between(draw.dust, *_DUST) * lane
    depth = depth + log_between(draw.spurs, *_SPURS) * jnp.maximum(dust, 0.0) ** 1.5
    young = 0.15 + arms
    light = jnp.exp(-r) * ((1 + arms) * clumps + young * knots)
    ends = jnp.exp(-((p / bar) ** 2) - (q / (0.3 * bar)) ** 2)
    light = light + jnp.where(draw.barred < _BARRED, 1.5 * ends, 0.0)
    return light * jnp.exp(-depth)


def _edge_on(draw, p, z, fields):
    """A disk seen from the side, with a layer of dust."""
    gas, dust, knots = fields
    thick = log_between(draw.pitch, *_THICKNESS)
    z = z + _BENT * (2 * draw.wander - 1) * p**2
    profile = (
        jnp.exp(-jnp.abs(p)) / jnp.cosh(jnp.minimum(jnp.abs(z) / thick, 20.0)) ** 2
    )
    layer = thick * log_between(draw.narrow, *_LAYER)
    # Not quite from the side: the lane is before the nearer half.
    lane = jnp.exp(-jnp.abs(z - 0.4 * thick * draw.arms) / layer - 0.4 * jnp.abs(p))
    depth = log_between(draw.dust, *_LAYER_DUST) * lane * jnp.exp(0.7 * dust)
    clumps = jnp.exp(0.5 * log_between(draw.clumps, *_CLUMPS) * gas)
    return profile * (clumps + 0.3 * knots) * jnp.exp(-depth)


def _irregular(draw, r, fields):
    """Clumps without order."""
    gas, dust, knots = fields
    clumps = jnp.exp(_between(draw.clumps, _IRREGULAR) * (gas - 0.3))
    flat = jnp.exp(-((r / 1.3) ** (1 + draw.narrow)))
    spurs = jnp.exp(-log_between(draw.spurs, *_SPURS) * jnp.maximum(dust, 0.0))
    return flat * (clumps * spurs + knots)


def _blur(light, scene, factor):
    """Blur by seeing, defocus and drift; mirrored at the sides."""
    margin = min(_REACH // factor, *light.shape)
    sizes = larger_period([size + 2 * margin for size in light.shape], 1.0)
    # As much more behind as makes a size whose transform is fast.
    behind = [size - n - margin for size, n in zip(sizes, light.shape, strict=True)]
    padded = jnp.pad(light, [(margin, more) for more in behind], mode="symmetric")
    ky = jnp.fft.fftfreq(padded.shape[0])[:, None]
    kx = jnp.fft.rfftfreq(padded.shape[1])
    # Variances: of a Gaussian, of a disk, of a uniform drift.
    round_one = (scene.fwhm / 2.355) ** 2 + scene.defocus**2 / 4
    along = jnp.cos(scene.angle) * kx + jnp.sin(scene.angle) * ky
    square = round_one * (ky**2 + kx**2) + scene.trailing**2 / 12 * along**2
    transfer = jnp.exp(-2 * (jnp.pi / factor) ** 2 * square)
    blurred = jnp.fft.irfft2(jnp.fft.rfft2(padded) * transfer, s=padded.shape)
    return blurred[margin:][: light.shape[0], margin:][:, : light.shape[1]]


def _draw_fields(keys, draw, grid, disk, coordinates, scale):
    """Gas and dust in the disk's own coordinates, and knots in those of the frame."""
    slope = _between(draw.slope, _TEXTURE_SLOPE)
    stretch = jnp.where(disk, log_between(draw.stretch, *_TEXTURE_STRETCH), 1.0)
    texture = jax.vmap(periodic_field, (0, None, None, None, None, None))(
        keys[:2], _TEXTURE, slope, 0.7, stretch, 0.0
    )
    gas, dust = sample_periodic(texture, *coordinates)
    # Nothing is seen of a texture that is finer than the cells.
    coarse = jnp.clip(scale / 6, 0.0, 1.0)
    period = larger_period(grid.shape, 1.0)
    points = periodic_field(keys[2], period, 0.3, 0.6)
    points = points[: grid.shape[0], : grid.shape[1]]
    knots = jnp.maximum(points - _KNOT_LEVEL, 0.0) ** 2
    knots = 4 * log_between(draw.knots, *_KNOTS) * knots * jax.nn.sigmoid(2 * gas)
    return coarse * gas, coarse * dust, knots


def draw_resolved(key, grid, scene, near=(0.0, 0.0), companion=False):
    """
    Draw a galaxy of which more is seen than a profile, or the glare of a star.

    Spirals of few arms or pieces, with bars, dust and knots; disks from the side;
    irregular galaxies; ellipticals and the light between galaxies; glare.

    Parameters
    ----------
    key : array
        PRNG key.

    grid : `~maximask_astro.simulation.fields.Grid`
        The cells to draw it in.

    scene : `~maximask_astro.simulation.scene.Scene`
        The exposure.

    near : tuple of float or array, optional
        A place, y and x in pixels.

    companion : bool or array, optional
        Whether it lies near that place.

    Returns
    -------
    light : array
        Electrons, of the grid's shape.

    place : tuple of array
        Where it is, y and x in pixels.
    """
    keys = jax.random.split(key, 4)
    draw = uniforms(
        keys[0], "kind", "y", "x", "radius", "tilt", "ratio", "brightness", "bulge",
        "bulge_radius", "index", "pitch", "number", "many", "wander", "narrow", "arms",
        "flocculent", "barred", "bar", "clumps", "dust", "spurs", "knots", "slope",
        "stretch", "fall",
    )  # fmt: skip
    borders = jnp.cumsum(jnp.array(_WEIGHTS))
    kind = jnp.searchsorted(borders / borders[-1], draw.kind, side="right")
    kind = jnp.minimum(kind, len(KINDS) - 1)

    # Large ones are drawn in large frames, of which small ones see a part.
    radius = log_between(draw.radius, *_RADII)
    beyond = _BEYOND * radius
    height, width = grid.frame
    y0 = draw.y * (height + 2 * beyond) - beyond
    x0 = draw.x * (width + 2 * beyond) - beyond
    turn, apart = 2 * jnp.pi * draw.y, radius * _between(draw.x, _APART)
    y0 = jnp.where(companion, near[0] + apart * jnp.sin(turn), y0)
    x0 = jnp.where(companion, near[1] + apart * jnp.cos(turn), x0)
    y, x = grid.coordinates()
    dy, dx = y - y0, x - x0
    cos, sin = jnp.cos(jnp.pi * draw.tilt), jnp.sin(jnp.pi * draw.tilt)
    length = radius / _SCALE_LENGTHS
    p, z = (cos * dx + sin * dy) / length, (cos * dy - sin * dx) / length
    disk = kind == KINDS.index("spiral")
    ratio = _between(draw.ratio, _RATIOS)
    ratio = jnp.where(kind == KINDS.index("edge-on"), 0.2, ratio)
    q = z / ratio
    r = jnp.hypot(p, q)

    # Along the arms in disks, else as it is.
    per_turn = _TEXTURE[0] / (2 * jnp.pi)
    logarithm = jnp.log(r + 0.05)
    pitch = log_between(draw.pitch, *_PITCHES)
    wound = (jnp.arctan2(q, p) - logarithm / jnp.tan(pitch)) * per_turn
    outward = logarithm * _TEXTURE[1] / _PERIOD_OF_RADIUS
    coordinates = (
        jnp.where(disk, wound, 24 * q),
        jnp.where(disk, outward, 24 * p),
    )

    def textured():
        scale = r * length / grid.factor
        fields = _draw_fields(keys[1:], draw, grid, disk, coordinates, scale)
        light = jax.lax.switch(
            kind,
            (
                lambda: _disk(draw, r, p, q, fields),
                lambda: _edge_on(draw, p, z, fields),
                lambda: _irregular(draw, r, fields),
            ),
        )
        size = _between(draw.bulge_radius, _BULGE_RADII)
        bulge = log_between(draw.bulge, *_BULGES)
        bulge = jnp.where(kind == KINDS.index("irregular"), 0.0, bulge)
        oblate = jnp.hypot(p, z / (0.5 + 0.5 * ratio)) / size
        light = light + bulge * 0.1 * _sersic(oblate, 1.0 + 2 * draw.index)
        peak = scene.sigma * log_between(draw.brightness, *_DISKS)
        return _blur(peak * light, scene, grid.factor)

    def early():
        index = _between(draw.index, _INDICES)
        flat = jnp.hypot(p, z / _between(draw.ratio, _EARLY_RATIOS))
        peak = scene.sigma * log_between(draw.brightness, *_EARLY)
        seeing = 0.5 * scene.fwhm / length
        return peak * _sersic(jnp.hypot(flat, seeing), index)

    def glare():
        fall = _between(draw.fall, _GLARE_FALL)
        distance = jnp.hypot(jnp.hypot(dy, dx), 0.5 * scene.fwhm) / _GLARE_AT
        # Beyond the radius it is lost.
        level = scene.sigma * log_between(draw.brightness, *_GLARE)
        return level * distance**-fall

    # What is textured has its Fourier transforms compiled once.
    smooth_kind = jnp.maximum(kind - KINDS.index("early") + 1, 0)
    light = jax.lax.switch(smooth_kind, (textured, early, glare))
    return jnp.maximum(light, 0.0), (y0, x0)
