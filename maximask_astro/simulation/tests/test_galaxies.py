import jax
import numpy as np
import pytest

from maximask_astro.simulation.galaxies import draw_galaxies
from maximask_astro.simulation.tests.conftest import SHAPE, keys
from maximask_astro.tests.helpers import quick_jit


@pytest.fixture(scope="module")
def draw(scenes):
    function = jax.vmap(lambda key, scene: draw_galaxies(key, scene, SHAPE))
    jitted = quick_jit(function)

    def call(scenes):
        return np.asarray(jitted(keys(6), scenes))

    return call


def test_galaxies_are_light(draw, scenes):
    galaxies = draw(scenes)
    assert galaxies.shape[1:] == SHAPE
    assert np.isfinite(galaxies).all()
    assert galaxies.min() >= 0
    peak = galaxies.max(axis=(1, 2))
    # About a quarter has no object of any kind.
    assert 0.02 < np.mean(peak == 0) < 0.6


def test_galaxies_trail_as_stars_do(draw, scenes):
    one = np.ones(len(scenes.sky), np.float32)
    still = scenes._replace(defocus=0 * one, trailing=0 * one, angle=0 * one, fwhm=one)
    moved = still._replace(trailing=40 * one)

    def roughness(images):
        along = np.abs(np.diff(images, axis=2)).sum(axis=(1, 2))
        across = np.abs(np.diff(images, axis=1)).sum(axis=(1, 2))
        some = across > 0
        return np.median(along[some] / across[some])

    assert roughness(draw(moved)) < 0.7 * roughness(draw(still))
