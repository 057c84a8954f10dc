"""Hot and dead columns, lines, clusters and pixels."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.bad_clusters import draw_clusters
from maximask_astro.simulation.bad_lines import N_LINES, draw_lines, spread
from maximask_astro.simulation.dead_values import draw_dead_values
from maximask_astro.simulation.draws import log_between, uniforms
from maximask_astro.simulation.tiles import tiled_normal

__all__ = [
    "add_dead_lines",
    "add_dead_pixels",
    "add_hot_lines",
    "add_hot_pixels",
]

# What is added to hot pixels and lines as in the paper, in units of the sky noise,
# and the scatter of it.
_HOT_OF_PAPER, _SCATTER_OF_PAPER = (15.0, 100.0), 0.02

# The most that is added to hot lines, in units of the sky noise, and how much it
# varies from pixel to pixel.
_HOTTEST_LINE, _MOST_SCATTER = 200.0, 0.1

# How often an exposure with dead lines has no clusters, or clusters only.
_LINES_ONLY, _CLUSTERS_ONLY = 0.4, 0.3
# In so many calibrated exposures dead lines and clusters were set to the level of
# the sky, within half of its noise.
_SET_TO_SKY, _OFF_SKY = 0.17, 0.5
# Those that must lack more to be seen are too small for that to show.
_LARGE = 4.0
# Defects lack nothing where there is less than half of the sky's light, as in the
# overscan; where the sky is fainter than this, in units of its noise, there is no
# overscan.
_LIT, _FAINT_SKY = 0.5, 0.6

# Fraction of the pixels that are hot or dead: in most exposures and, of hot ones,
# in warm detectors (5% of an amateur's dark exposure at ambient temperature); and
# as in the paper.
_FRACTIONS, _WARM, _FRACTIONS_WARM = (5e-5, 3e-3), 0.15, (3e-3, 5e-2)
_FRACTIONS_OF_PAPER = (2e-4, 5e-4)
# Hot and dead pixels stand out by these many times the local noise.
_HOT, _DEAD = 4.0, 3.0
# The least that they differ by, and the most that is added to hot ones, in units
# of the sky noise. Half of the exposures have hot pixels of every strength in that
# range, in the others their logarithms scatter by so much about a typical one
# (0.5 in that dark exposure).
_LEAST_HOT, _HOTTEST = 4.0, (20.0, 1000.0)
_TYPICAL, _TYPICAL_STRENGTHS, _WIDTHS = 0.5, (4.0, 100.0), (0.3, 1.3)
# Pixels of infrared and CMOS detectors share signal with their four neighbors: how
# often that is seen, and the part that each gets.
_CROSSES, _CROSS = 0.15, (0.005, 0.08)

# Pixels cannot read more than where others pile up, if that is this many times the
# noise above the sky.
_PILE_UP = 25.0


def _ceiling(image, scene):
    """The most that a pixel can read: where the saturated ones are, if any."""
    top = image.max()
    saturated = (image == top).sum() > 1
    saturated = saturated & (top > scene.sky + _PILE_UP * scene.sigma)
    return jnp.where(saturated, jnp.minimum(top, scene.full_well), scene.full_well)


def _noise(image, scene):
    """Noise of the pixels, with that of the light above the sky."""
    return jnp.sqrt(scene.sigma**2 + jnp.maximum(image - scene.sky, 0.0))


def _around(image):
    """Mean of the 9 by 9 pixels around each."""
    for window in ((9, 1), (1, 9)):
        padded = jnp.pad(image, [(n // 2, n // 2) for n in window], mode="edge")
        image = jax.lax.reduce_window(padded, 0.0, jax.lax.add, window, (1, 1), "VALID")
        image = image / 9.0
    return image


def add_hot_lines(key, image, scene):
    """
    Add hot columns and lines (Paillassa et al. 2020, section 2.1.4).

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons, shape (height, width), with noise.

    scene : `Scene`
        The exposure.

    Returns
    -------
    image, mask : array
        With the defects, and where they are: of lines that fade, where they are
        at least half as strong as at their start or above the local noise. The
        faintest have an integrated signal-to-noise ratio of 7.
    """
    first, second, third = jax.random.split(key, 3)
    lines = draw_lines(first, image.shape, scene)
    draw = uniforms(second, "strength", "scatter", shape=(N_LINES + 1,))
    low, high = _HOT_OF_PAPER
    peak = scene.sigma * jnp.where(
        scene.as_paper,
        low + (high - low) * draw.strength[0],
        log_between(draw.strength, lines.visible, _HOTTEST_LINE),
    )
    peak = spread(lines, peak)
    scatter = jnp.where(
        scene.as_paper, _SCATTER_OF_PAPER, _MOST_SCATTER * draw.scatter[0]
    )
    light = peak * lines.strength
    top = jnp.maximum(_ceiling(image, scene), image)
    shot = jnp.where(scene.as_paper, 0.0, jnp.maximum(light, 0.0))
    varied = jnp.sqrt((scatter * light) ** 2 + shot) * tiled_normal(third, image.shape)
    read = jnp.minimum(image + light + varied, top)
    # On bright objects, a faint line is lost in their noise.
    seen = jnp.minimum(jnp.abs(light), jnp.where(light > 0, top - image, jnp.inf))
    mask = seen >= jnp.minimum(0.5 * peak / scene.sigma, 1.0) * _noise(image, scene)
    there = lines.strength != 0
    return jnp.where(there, read, image), mask & there


def add_dead_lines(key, image, scene):
    """
    Add dead columns, lines and clusters (Paillassa et al. 2020, section 2.1.4).

    Parameters
    ----------
    key, image, scene : array, array, `Scene`
        As for `add_hot_lines`.

    Returns
    -------
    image, mask : array
        With the defects, and where they are, as for `add_hot_lines`. They read
        nothing, next to nothing, a fraction of the light, or too little.
    """
    keys = jax.random.split(key, 5)
    draw = uniforms(keys[0], "what", "smooth", "level")
    only = draw.what < _LINES_ONLY + _CLUSTERS_ONLY
    lines_only = draw.what < _LINES_ONLY
    clusters_only = only & ~lines_only
    lines = draw_lines(keys[1], image.shape, scene)
    clusters, visible_clusters = draw_clusters(keys[2], image.shape)
    clusters = jnp.where(lines_only, 0, clusters)
    in_cluster = clusters > 0
    strength = jnp.where(clusters_only, 0.0, jnp.clip(lines.strength, -1.0, 1.0))
    strength = jnp.where(in_cluster, 1.0, strength)
    visible = jnp.concatenate([lines.visible, visible_clusters])
    values = draw_dead_values(keys[3], scene, visible)

    def of(numbers):
        of_clusters = numbers[N_LINES + clusters]
        return jnp.where(in_cluster, of_clusters, spread(lines, numbers))

    typical = of(values.lack(scene.sky))
    values = jax.tree.map(of, values)
    around = _around(image)
    faint_sky = scene.sky < _FAINT_SKY * scene.sigma
    around = jnp.where(faint_sky, jnp.maximum(around, scene.sky), around)
    # What calibrations took away, they took from the light.
    lack = values.lack(jnp.where(values.keep == 1, scene.sky, around))
    lit = (lack > _LIT * typical) & (faint_sky | (around > _LIT * scene.sky))
    there = (strength != 0) & lit
    read = values.keep * image + values.offset
    read = read + values.scatter * tiled_normal(keys[4], image.shape)
    read = image + strength * (read - image)
    seen = jnp.abs(strength) * lack
    least = jnp.minimum(0.5 * typical / scene.sigma, 1.0) * _noise(image, scene)
    mask = there & (seen >= least)
    # What gives those away that have the level of the sky is that they have no
    # noise, if they are not too few.
    smooth = (draw.smooth < _SET_TO_SKY) & ~clusters_only & ~scene.as_paper
    level = scene.sky + scene.sigma * _OFF_SKY * (2 * draw.level - 1)
    large = (strength != 0) & (of(visible) < _LARGE)
    there, mask = jnp.where(smooth, large, there), jnp.where(smooth, large, mask)
    return jnp.where(there, jnp.where(smooth, level, read), image), mask


def _single_pixels(draw, pixels, as_paper, warm=0.0):
    """Where pixels at random are, and uniform numbers for them."""
    fraction = log_between(draw.fraction, *_FRACTIONS)
    fraction_warm = log_between(draw.fraction, *_FRACTIONS_WARM)
    fraction = jnp.where(draw.warm < warm, fraction_warm, fraction)
    low, high = _FRACTIONS_OF_PAPER
    of_paper = low + (high - low) * draw.fraction
    fraction = jnp.where(as_paper, of_paper, fraction)
    return pixels < fraction, jnp.minimum(pixels / fraction, 1.0)


def add_hot_pixels(key, image, scene):
    """
    Add hot pixels (Paillassa et al. 2020, section 2.1.4).

    Parameters
    ----------
    key, image, scene : array, array, `Scene`
        As for `add_hot_lines`.

    Returns
    -------
    image, mask : array
        With the defects, and where they are: where a pixel stands out by more
        than 4 times the local noise, be it a neighbor that got a part of the
        signal.
    """
    first, second = jax.random.split(key)
    draw = uniforms(
        first,
        *("fraction", "warm", "kind", "top", "typical", "width"),
        *("crosses", "cross"),
    )
    pixels = jax.random.uniform(second, image.shape)
    hot, u = _single_pixels(draw, pixels, scene.as_paper, _WARM)
    # Logarithms of strengths, evenly or about a typical one: the logistic
    # distribution is like the normal one, and faster.
    even = (
        jnp.log(_LEAST_HOT) + jnp.log(log_between(draw.top, *_HOTTEST) / _LEAST_HOT) * u
    )
    v = jnp.clip(u, 1e-4, 1 - 1e-4)
    low, high = _WIDTHS
    width = (low + (high - low) * draw.width) * 3**0.5 / jnp.pi
    typical = jnp.log(log_between(draw.typical, *_TYPICAL_STRENGTHS))
    about = typical + width * jnp.log(v / (1 - v))
    strength = jnp.exp(jnp.where(draw.kind < _TYPICAL, about, even))
    low, high = _HOT_OF_PAPER
    of_paper = (low + (high - low) * draw.top) * (
        1 + _SCATTER_OF_PAPER * 12**0.5 * (u - 0.5)
    )
    strength = jnp.where(scene.as_paper, of_paper, strength)
    light = jnp.where(hot, scene.sigma * strength, 0.0)
    light = jnp.where(light > _HOT * _noise(image, scene), light, 0.0)

    def share(light):
        padded = jnp.pad(light, 1)
        beside = padded[1:-1, :-2] + padded[1:-1, 2:]
        beside = beside + padded[:-2, 1:-1] + padded[2:, 1:-1]
        return light + log_between(draw.cross, *_CROSS) * beside

    crosses = (draw.crosses < _CROSSES) & ~scene.as_paper
    light = jax.lax.cond(crosses, share, lambda light: light, light)
    top = jnp.maximum(_ceiling(image, scene), image)
    read = jnp.minimum(image + light, top)
    mask = read > image + _HOT * _noise(image, scene)
    # Of pixels that hardly differ, only neighbors are seen.
    there = mask | (crosses & (light > 0) & ~hot)
    return jnp.where(there, read, image), mask


def add_dead_pixels(key, image, scene):
    """
    Add dead pixels (Paillassa et al. 2020, section 2.1.4).

    Parameters
    ----------
    key, image, scene : array, array, `Scene`
        As for `add_hot_lines`.

    Returns
    -------
    image, mask : array
        With the defects, and where they are: where a pixel lacks more than 3
        times the sky noise.
    """
    keys = jax.random.split(key, 4)
    draw = uniforms(keys[0], "fraction", "warm", "share")
    pixels = jax.random.uniform(keys[1], image.shape)
    dead, u = _single_pixels(draw, pixels, scene.as_paper)
    # Pixels of two kinds in an exposure.
    values = draw_dead_values(keys[2], scene, jnp.full(2, _LEAST_HOT))
    values = jax.tree.map(lambda pair: jnp.where(u < draw.share, *pair), values)
    noise = tiled_normal(keys[3], image.shape)
    read = values.keep * image + values.offset + values.scatter * noise
    mask = dead & (read < image - _DEAD * scene.sigma)
    return jnp.where(mask, read, image), mask
