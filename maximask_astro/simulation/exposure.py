"""Compose exposures with contaminants and their labels."""

from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import jax
import jax.numpy as jnp
import numpy as np

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
from maximask_astro.simulation.stages import run_stage, simulate_each, some_of
from maximask_astro.simulation.trails import add_trails
from maximask_astro.simulation.visibility import where_seen
from maximask_astro.utils.errors import InputError

__all__ = [
    "DEFAULT_FREQUENCIES",
    "STRENGTHS",
    "SimulationConfig",
    "expose_light",
    "hide_behind_overscan",
    "plan",
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

    unusual : float, optional
        How often, in [0, 1], there is what few exposures of a night have, in units
        of exposures for training: stars trailed, out of focus or in clusters, large
        galaxies, round fields, stray light, counted photons, images of eight bits.

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
    unusual: float = 1.0

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
        for what, value in (
            ("fraction of quiet exposures", self.quiet),
            ("frequency of unusual exposures", self.unusual),
        ):
            if not 0 <= value <= 1:
                raise InputError(f"The {what} is {value}; it must be from 0 to 1.")
        every = {**DEFAULT_FREQUENCIES, **given}
        # Hashable, for the compiler's cache.
        object.__setattr__(self, "frequencies", tuple(every.items()))
        object.__setattr__(self, "shape", tuple(self.shape))

    def arrays(self, number):
        """
        Give so many exposures what ``plan`` takes.

        Parameters
        ----------
        number : int
            How many.

        Returns
        -------
        frequencies, as_paper, quiet, unusual : tree of arrays
            Of each of them.
        """
        given = dict(self.frequencies)
        frequencies = {
            name: np.full(number, given[name], np.float32)
            for name in DEFAULT_FREQUENCIES
        }
        as_paper = np.full(number, self.strengths == "paper")
        fractions = (np.full(number, f, np.float32) for f in (self.quiet, self.unusual))
        return frequencies, as_paper, *fractions


_NAMES = ("scene", "stars", "galaxies", "sky", "noise", "digits", *DEFAULT_FREQUENCIES)


def plan(key, frequencies, as_paper, quiet, unusual=1.0):
    """
    Draw what an exposure is like and what is in it.

    Parameters
    ----------
    key : array
        PRNG key.

    frequencies : dict of str to array
        How often exposures that are not quiet have each class.

    as_paper : array
        Boolean: whether contaminants are as strong as in the paper.

    quiet : array
        Fraction of quiet exposures.

    unusual : array, optional
        How often there is what few exposures have.

    Returns
    -------
    keys : dict of str to array
        For what a clean exposure is made of, and each contaminant.

    there : dict of str to array
        Boolean: whether it has each class.

    scene : `Scene`
        What it is like.
    """
    # Apart from the keys of the split, which `fold_in` gives for small numbers.
    first = jax.random.fold_in(key, 1000)
    factor = jnp.where(chance(first, quiet), _QUIET, 1.0)
    keys = dict(zip(_NAMES, jax.random.split(key, len(_NAMES)), strict=True))
    there = {}
    for name, often in frequencies.items():
        keys[name], second = jax.random.split(keys[name])
        often = often if name in _EVERYWHERE else factor * often
        there[name] = chance(second, often)
    return keys, there, draw_scene(keys["scene"], as_paper, unusual)


def spoil(keys, there, scene, objects, stars, expose):
    """
    Spoil an exposure.

    Parameters
    ----------
    keys : dict of str to array
        From `plan`.

    there : dict of str to `~numpy.ndarray`
        Which contaminants there are.

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
        Boolean, by abbreviation, but for BBG and BG. Of spikes, nebulae, fringes,
        trails and persistence, what is not to be seen is left out, see `where_seen`.
    """
    masks, lights = {}, {}

    def apply(name, function, image, *arguments):
        image, masks[name] = some_of(
            function, there[name], keys[name], image, scene, *arguments
        )
        return image

    def shine(name, function, before, *arguments):
        image = apply(name, function, before, *arguments)
        if np.any(there[name]):
            lights[name] = image - before
        return image

    # Light first, then charge, then what the detector makes of it.
    image = shine("SP", add_spikes, objects, stars)
    image = shine("NEB", add_nebulosity, image)
    image = shine("FR", add_fringes, image)
    image = shine("TRL", add_trails, image)
    image = shine("P", add_persistence, image)
    image = apply("CR", add_cosmic_rays, image)
    image = expose(image)
    for name, light in lights.items():
        masks[name] = masks[name] & run_stage(where_seen, light, image, scene)
    image = apply("SAT", saturate, image)
    image = apply("OV", add_overscan, image)
    # Static defects come last: they decide what a pixel reads.
    image = apply("HCL", add_hot_lines, image)
    image = apply("DCL", add_dead_lines, image)
    image = apply("HP", add_hot_pixels, image)
    return apply("DP", add_dead_pixels, image), masks


# Light, and what hides it: nothing is seen through the overscan.
_BEHIND_OVERSCAN = ("BBG", "SP", "NEB", "FR", "TRL", "P", "CR", "SAT")


def hide_behind_overscan(masks):
    """
    Take out of masks what is behind the overscan.

    Parameters
    ----------
    masks : dict of str to array
        Boolean, by abbreviation.

    Returns
    -------
    masks : dict of str to array
        Those that remain.
    """
    return {
        name: mask & ~masks["OV"] if name in _BEHIND_OVERSCAN else mask
        for name, mask in masks.items()
    }


def _draw_objects(keys, scene, shape):
    """Stars, and the electrons of all objects."""
    stars = draw_stars(keys["stars"], scene, shape)
    objects = render_stars(stars, scene, shape)
    return stars, objects + draw_galaxies(keys["galaxies"], scene, shape)


def expose_light(sky_key, noise_key, light, scene, shape):
    """
    Add the sky to light, and count electrons.

    Parameters
    ----------
    sky_key, noise_key : array
        PRNG keys.

    light : array
        Electrons expected, shape (height, width).

    scene : `Scene`
        The exposure.

    shape : tuple of two int
        Its size.

    Returns
    -------
    image : array
        Electrons, with noise.
    """
    light = light + sky_structure(sky_key, scene, shape)
    return add_noise(noise_key, light, scene)


def _finish(key, image, objects, masks, scene):
    """Data numbers and labels."""
    masks = {**masks, "BBG": objects > _BRIGHT * scene.sigma}
    masks = hide_behind_overscan(masks)
    masks["BG"] = ~jnp.stack(list(masks.values())).any(0)
    labels = jnp.stack([masks[name] for name in ABBREVIATIONS], axis=-1)
    return digitize(key, image, scene), labels


def _simulate(key, *chances, shape):
    """Exposures in data numbers, their labels, and their scenes."""
    keys, there, scene = run_stage(plan, key, *chances)
    there = jax.device_get(there)
    stars, objects = run_stage(_draw_objects, keys, scene, shape=shape)

    def expose(light):
        noisy = keys["sky"], keys["noise"], light, scene
        return run_stage(expose_light, *noisy, shape=shape)

    image, masks = spoil(keys, there, scene, objects, stars, expose)
    return *run_stage(_finish, keys["digits"], image, objects, masks, scene), scene


def simulate(key, number=1, config=SimulationConfig()):
    """
    Simulate exposures with contaminants.

    The same key gives the same exposures. It is compiled part by part, so that it
    cannot be a part of a program that is compiled itself.

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
    simulation = partial(_simulate, shape=config.shape)
    return simulate_each(
        simulation, jax.random.split(key, number), *config.arrays(number)
    )
