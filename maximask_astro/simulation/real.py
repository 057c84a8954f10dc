"""Contaminants on real skies, of which not everything is known."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.simulation.draws import normal
from maximask_astro.simulation.exposure import hide_behind_overscan, plan, spoil
from maximask_astro.simulation.psf import psf_peak
from maximask_astro.simulation.sky import N_BRIGHT, Stars
from maximask_astro.simulation.stages import run_stage, simulate_each

__all__ = ["RealSkies", "spoil_skies"]

# Stars that may get spikes are the brightest pixels of cells of so many pixels a side,
# brighter than all around in the cells beside them, and than so many times the noise.
_CELL, _STAR = 32, 100.0

_EVERY = np.uint16((1 << len(ABBREVIATIONS)) - 1)
_GROUND = np.uint16(1 << ABBREVIATIONS.index("BG"))


class RealSkies(NamedTuple):
    """
    Real exposures, or parts of them, to be spoilt.

    Parameters
    ----------
    images : array
        float32, shape (number, height, width): in units of the sky noise above the
        level of the sky.

    labels, known : array
        uint16, of the same shape: bit ``i`` says whether a pixel has class ``i`` of
        `maximask_astro.flags.ABBREVIATIONS`, and whether that is known.

    inside : array
        Boolean, of the same shape: False where the exposure has no pixel.

    fwhm : array
        Full width at half maximum of a star in pixels, shape (number,).
    """

    images: jax.Array
    labels: jax.Array
    known: jax.Array
    inside: jax.Array
    fwhm: jax.Array


def _brightest_stars(image, scene):
    """Stars by their brightest pixels."""
    height, width = image.shape
    n, m = height // _CELL, width // _CELL
    cells = image[: n * _CELL, : m * _CELL].reshape(n, _CELL, m, _CELL)
    cells = cells.transpose(0, 2, 1, 3).reshape(n, m, -1)
    peaks, places = cells.max(-1), cells.argmax(-1)
    around = jax.lax.reduce_window(peaks, -jnp.inf, jax.lax.max, (3, 3), (1, 1), "SAME")
    stars = (peaks >= around) & (peaks > _STAR * scene.sigma)
    flux = jnp.where(stars, peaks, 0.0).ravel()
    number = min(N_BRIGHT, n * m)
    flux, index = jax.lax.top_k(flux, number)
    places = places.ravel()[index]
    y = _CELL * (index // m) + places // _CELL
    x = _CELL * (index % m) + places % _CELL
    nothing = jnp.zeros(N_BRIGHT)

    def padded(values):
        return nothing.at[:number].set(values)

    return Stars(
        padded(x),
        padded(y),
        padded(flux / psf_peak(scene)),
        nothing + scene.ellipticity,
        nothing + scene.angle,
    )


def _prepare(scene, sky):
    """Scene, electrons of what is there, and stars that may have spikes."""
    # Camera and level of the sky are anybody's guess; the rest shows.
    nothing = jnp.float32(0.0)
    scene = scene._replace(
        fwhm=sky.fwhm, trailing=nothing, defocus=nothing, smoothing=nothing
    )
    real = sky.images * scene.sigma
    return scene, real, _brightest_stars(real, scene)


def _expose(key, light, real, scene):
    """Add the level of the sky, and the noise of what was added."""
    added = light - real
    noise = jnp.sqrt(jnp.maximum(added, 0.0)) * normal(key, real.shape)
    return scene.sky + light + noise


def _finish(sky, image, masks, scene):
    """Image and labels, where they are known."""
    # Which real objects are bright is known already.
    masks = hide_behind_overscan(masks)
    added = sum(
        mask.astype(jnp.uint16) << ABBREVIATIONS.index(name)
        for name, mask in masks.items()
    )
    # What is under overscan is not seen; what is added is known to be there.
    overscan = masks["OV"]
    labels = jnp.where(overscan, jnp.uint16(0), sky.labels & ~_GROUND) | added
    known = jnp.where(overscan, _EVERY, sky.known | added)
    # Where anything is, background alone is not; where it was, it still may be.
    anything = labels > 0
    known = jnp.where(anything, known | _GROUND, known)
    labels = jnp.where(anything, labels, sky.labels & _GROUND)
    # Beyond the exposure nothing was added.
    image = jnp.where(sky.inside, image, scene.sky)
    labels, known = (jnp.where(sky.inside, b, jnp.uint16(0)) for b in (labels, known))
    return image, labels, known


def _spoil(key, sky, *chances):
    keys, there, scene = run_stage(plan, key, *chances)
    there = jax.device_get(there)
    scene, real, stars = run_stage(_prepare, scene, sky)

    def expose(light):
        return run_stage(_expose, keys["noise"], light, real, scene)

    image, masks = spoil(keys, there, scene, real, stars, expose)
    return *run_stage(_finish, sky, image, masks, scene), scene


def spoil_skies(key, skies, config):
    """
    Add contaminants to real exposures.

    They are those of `simulate`, in whose exposures stars, galaxies, sky and noise
    are simulated, too.

    Parameters
    ----------
    key : array
        PRNG key.

    skies : `RealSkies`
        The exposures.

    config : `SimulationConfig`
        What to add; its shape does not matter.

    Returns
    -------
    images : array
        float32, shape (number, height, width).

    labels, known : array
        uint16, of the same shape, as in `RealSkies`: contaminants that were added
        are known.

    scenes : `Scene`
        What was assumed: arrays of shape (number,).
    """
    number = len(skies.images)
    keys = jax.random.split(key, number)
    return simulate_each(_spoil, keys, skies, *config.arrays(number))
