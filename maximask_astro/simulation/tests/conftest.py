"""Exposures with one contaminant each, made once for all tests."""

from typing import NamedTuple

import jax
import numpy as np
import pytest

from maximask_astro.simulation.scene import draw_scene
from maximask_astro.tests.helpers import quick_jit

# Not square, so that rows and columns cannot be mistaken for one another.
SHAPE = (96, 128)
N_EXPOSURES = 24


class Contaminated(NamedTuple):
    """Exposures before and after a contaminant, its masks, and the sky noise."""

    before: np.ndarray
    after: np.ndarray
    mask: np.ndarray
    sigma: np.ndarray

    @property
    def change(self):
        """What was added, in units of the sky noise."""
        return (self.after - self.before) / self.sigma


def keys(seed, number=N_EXPOSURES):
    return jax.random.split(jax.random.key(seed), number)


def random_scenes(number, seed=1):
    """Scenes of several exposures, as NumPy arrays."""
    scenes = quick_jit(jax.vmap(draw_scene))(keys(seed, number))
    return jax.tree.map(np.asarray, scenes)


@pytest.fixture(scope="session")
def scenes():
    """Scenes of the exposures."""
    return random_scenes(N_EXPOSURES)


@pytest.fixture(scope="session")
def scene(scenes):
    """A sharp exposure with a moderate sky, whatever is drawn."""
    numbers = {
        "sky": 400.0,
        "read_noise": 5.0,
        "sigma": 425.0**0.5,
        "full_well": 1e5,
        "gain": 2.0,
        "fwhm": 2.5,
        "moffat": 4.0,
        "wings": 0.002,
        "ellipticity": 0.1,
        "angle": 0.5,
        "coma": 0.0,
        "trailing": 0.0,
        "defocus": 0.0,
        "halo": 0.0,
        "reflected": 0.0,
        "rings": 0.0,
        "smoothing": 0.0,
    }
    numbers = {name: np.float32(x) for name, x in numbers.items()}
    return type(scenes)(**numbers, as_paper=np.bool_(False))


@pytest.fixture(scope="session")
def skies(scenes):
    """Noisy skies without anything in them, shape (exposures, height, width)."""
    noise = np.random.RandomState(1).standard_normal((N_EXPOSURES, *SHAPE))
    column = (slice(None), None, None)
    return (scenes.sky[column] + scenes.sigma[column] * noise).astype(np.float32)


@pytest.fixture(scope="session")
def contaminate(scenes, skies):
    """Function that applies an ``add_*`` function to all the skies."""
    done, jitted = {}, {}

    def apply(function, images=skies, as_paper=False):
        add = jitted.setdefault(function, quick_jit(jax.vmap(function)))
        if (function, as_paper) not in done:
            these = scenes._replace(as_paper=np.full(N_EXPOSURES, as_paper))
            after, mask = add(keys(2), images, these)
            done[function, as_paper] = Contaminated(
                images,
                np.asarray(after),
                np.asarray(mask),
                scenes.sigma[:, None, None],
            )
        return done[function, as_paper]

    return apply
