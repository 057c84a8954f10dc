"""Compose exposures with contaminants and their labels."""

from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import jax
import jax.numpy as jnp

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.simulation.cosmic_rays import add_cosmic_rays
from maximask_astro.simulation.defects import (
    add_dead_lines,
    add_dead_pixels,
    add_hot_lines,
    add_hot_pixels,
)
from maximask_astro.simulation.detector import add_noise, digitize, sky_structure
from maximask_astro.simulation.draws import chance
from maximask_astro.simulation.fringes import add_fringes
from maximask_astro.simulation.nebulosity import add_nebulosity
from maximask_astro.simulation.overscan import add_overscan
from maximask_astro.simulation.persistence import add_persistence
from maximask_astro.simulation.saturation import saturate
from maximask_astro.simulation.scene import draw_scene
from maximask_astro.simulation.sky import draw_galaxies, draw_stars, render_stars
from maximask_astro.simulation.spikes import add_spikes
from maximask_astro.simulation.trails import add_trails
from maximask_astro.utils.errors import InputError

__all__ = [
    "DEFAULT_FREQUENCIES",
    "STRENGTHS",
    "SimulationConfig",
    "frequencies_of_one",
    "keys_of",
    "simulate",
    "spoil",
]

# How often an exposure for training has a class of contaminants. Saturation
# comes with the stars.
DEFAULT_FREQUENCIES = MappingProxyType(
    {
        "CR": 0.55,
        "HCL": 0.3,
        "DCL": 0.35,
        "HP": 0.5,
        "DP": 0.5,
        "P": 0.35,
        "TRL": 0.3,
        "FR": 0.22,
        "NEB": 0.25,
        "SAT": 1.0,
        "SP": 0.6,
        "OV": 0.2,
    }
)

# What any exposure may have, and how frequent the rest is in quiet ones.
_EVERYWHERE = ("CR", "SAT")
_QUIET = 0.1

# How strong contaminants are.
STRENGTHS = ("wide", "paper")

# An object is bright background where it is above this many times the noise.
_BRIGHT = 10.0


@dataclass(frozen=True)
class SimulationConfig:
    """
    What to simulate.

    Parameters
    ----------
    shape : tuple of two int
        Height and width in pixels.

    frequencies : mapping of str to float, optional
        How often, in [0, 1], an exposure has each class of contaminants, by
        abbreviation; classes left out as in `DEFAULT_FREQUENCIES`.

    strengths : {'wide', 'paper'}, optional
        How strong contaminants are: over a wide range, from hardly visible to
        overwhelming, or as in Paillassa et al. (2020), section 2.1.

    quiet : float, optional
        Fraction of the exposures, in [0, 1], that have hardly any contaminants
        but cosmic rays and saturated pixels: others are ten times as rare in
        them. Most calibrated exposures are like this.

    Raises
    ------
    InputError
        A class cannot be simulated, a frequency is not a fraction, or there are
        no such strengths.
    """

    shape: tuple = (416, 416)
    frequencies: tuple = ()
    strengths: str = "wide"
    quiet: float = 0.0

    def __post_init__(self):
        given = dict(self.frequencies)
        for name, frequency in given.items():
            if name not in DEFAULT_FREQUENCIES:
                raise InputError(
                    f"There is no contaminant '{name}' to simulate; there are "
                    f"{', '.join(DEFAULT_FREQUENCIES)}."
                )
            if not 0 <= frequency <= 1:
                raise InputError(
                    f"The frequency of {name} is {frequency}; it must be from 0 to 1."
                )
        if self.strengths not in STRENGTHS:
            raise InputError(
                f"The strengths of contaminants are '{self.strengths}'; they must be "
                f"{' or '.join(map(repr, STRENGTHS))}."
            )
        if not 0 <= self.quiet <= 1:
            raise InputError(
                f"The fraction of quiet exposures is {self.quiet}; it must be from 0 "
                "to 1."
            )
        every = {**DEFAULT_FREQUENCIES, **given}
        # Hashable, for the compiler's cache.
        object.__setattr__(self, "frequencies", tuple(every.items()))
        object.__setattr__(self, "shape", tuple(self.shape))

    @property
    def arrays(self):
        """The frequencies, whether they are as in the paper, and how many are quiet."""
        given = dict(self.frequencies)
        frequencies = {name: jnp.float32(given[name]) for name in DEFAULT_FREQUENCIES}
        as_paper = jnp.asarray(self.strengths == "paper")
        return frequencies, as_paper, jnp.float32(self.quiet)


def _apply(function, key, image, frequency, *arguments):
    """Apply a contaminant to some of the exposures."""
    first, second = jax.random.split(key)

    def add(image):
        return function(first, image, *arguments)

    def leave(image):
        return image, jnp.zeros(image.shape, bool)

    return jax.lax.cond(chance(second, frequency), add, leave, image)


def frequencies_of_one(key, frequencies, quiet):
    """
    Find how often an exposure has each class, once it is known whether it is quiet.

    Parameters
    ----------
    key : array
        PRNG key.

    frequencies : dict of str to array
        How often exposures that are not quiet have them.

    quiet : float or array
        Fraction of quiet exposures.

    Returns
    -------
    frequencies : dict of str to array
        Of this one.
    """
    factor = jnp.where(chance(key, quiet), _QUIET, 1.0)
    return {
        name: often if name in _EVERYWHERE else factor * often
        for name, often in frequencies.items()
    }


_NAMES = ("scene", "stars", "galaxies", "sky", "noise", "digits", *DEFAULT_FREQUENCIES)


def keys_of(key):
    """
    Give each part of an exposure a key of its own.

    Parameters
    ----------
    key : array
        PRNG key.

    Returns
    -------
    keys : dict of str to array
        For what a clean exposure is made of, and each contaminant.
    """
    return dict(zip(_NAMES, jax.random.split(key, len(_NAMES)), strict=True))


def spoil(keys, frequencies, scene, objects, stars, expose):
    """
    Spoil an exposure.

    Parameters
    ----------
    keys : dict of str to array
        From `keys_of`.

    frequencies : dict of str to array
        How often each contaminant is there.

    scene : `Scene`
        The exposure.

    objects : array
        Electrons of what is in the sky, shape (height, width).

    stars : `Stars`
        Those that may have spikes.

    expose : callable
        From the same with what adds light, to electrons with the sky and noise.

    Returns
    -------
    image : array
        Electrons.

    masks : dict of str to array
        Boolean, by abbreviation; without BG.
    """
    masks = {"BBG": objects > _BRIGHT * scene.sigma}

    def apply(name, function, image, *arguments):
        image, masks[name] = _apply(
            function, keys[name], image, frequencies[name], scene, *arguments
        )
        return image

    # Light first, then charge, then what the detector makes of it.
    image = apply("SP", add_spikes, objects, stars)
    image = apply("NEB", add_nebulosity, image)
    image = apply("FR", add_fringes, image)
    image = apply("TRL", add_trails, image)
    image = apply("P", add_persistence, image)
    image = apply("CR", add_cosmic_rays, image)
    image = expose(image)
    image = apply("SAT", saturate, image)
    image = apply("OV", add_overscan, image)
    # Nothing is seen through the overscan.
    masks = {
        name: mask if name == "OV" else mask & ~masks["OV"]
        for name, mask in masks.items()
    }
    # Static defects come last: they decide what a pixel reads.
    image = apply("HCL", add_hot_lines, image)
    image = apply("DCL", add_dead_lines, image)
    image = apply("HP", add_hot_pixels, image)
    return apply("DP", add_dead_pixels, image), masks


def _simulate_one(key, frequencies, as_paper, quiet, shape):
    """One exposure in data numbers, its labels, and its scene."""
    # Apart from the keys of the split, which `fold_in` gives for small numbers.
    first = jax.random.fold_in(key, 1000)
    frequencies = frequencies_of_one(first, frequencies, quiet)
    keys = keys_of(key)
    scene = draw_scene(keys["scene"], as_paper)
    stars = draw_stars(keys["stars"], scene, shape)
    objects = render_stars(stars, scene, shape)
    objects = objects + draw_galaxies(keys["galaxies"], scene, shape)

    def expose(light):
        light = light + sky_structure(keys["sky"], scene, shape)
        return add_noise(keys["noise"], light, scene)

    image, masks = spoil(keys, frequencies, scene, objects, stars, expose)
    masks["BG"] = ~jnp.stack(list(masks.values())).any(0)
    labels = jnp.stack([masks[name] for name in ABBREVIATIONS], axis=-1)
    return digitize(keys["digits"], image, scene), labels, scene


@partial(jax.jit, static_argnames=("number", "shape"))
def _simulate(key, frequencies, as_paper, quiet, number, shape):
    """Simulate: compiled once whatever the contaminants are, as it takes long."""
    keys = jax.random.split(key, number)

    def one(key):
        return _simulate_one(key, frequencies, as_paper, quiet, shape)

    # One by one, a processor is spared what an exposure does not have; an
    # accelerator makes them side by side and all that any of them has.
    if jax.default_backend() == "cpu":
        return jax.lax.map(one, keys)
    return jax.vmap(one)(keys)


def simulate(key, number=1, config=SimulationConfig()):
    """
    Simulate exposures with contaminants.

    The same key gives the same exposures.

    Parameters
    ----------
    key : array
        PRNG key, from `jax.random.key`.

    number : int, optional
        How many.

    config : `SimulationConfig`, optional
        What to simulate.

    Returns
    -------
    images : array
        float32, shape (number, height, width): data numbers above the bias,
        the sky included.

    labels : array
        Boolean, shape (number, height, width, 14): the classes of each pixel
        in the order of `maximask_astro.flags.ABBREVIATIONS`.

    scenes : `Scene`
        What the exposures are like: arrays of shape (number,).
    """
    return _simulate(key, *config.arrays, number, config.shape)
