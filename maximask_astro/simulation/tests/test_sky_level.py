import jax
import numpy as np
import pytest

from maximask_astro.simulation.sky_level import sky_structure
from maximask_astro.simulation.tests.conftest import SHAPE, keys, random_scenes
from maximask_astro.tests.helpers import quick_jit

NUMBER = 300


@pytest.fixture(scope="module")
def scenes():
    return random_scenes(NUMBER, seed=4)


@pytest.fixture(scope="module")
def sky(scenes):
    structure = jax.vmap(lambda key, scene: sky_structure(key, scene, SHAPE))
    return np.asarray(quick_jit(structure)(keys(9, NUMBER), scenes))


@pytest.fixture(scope="module")
def change(sky, scenes):
    """In units of the sky noise, for exposures that are not vignetted."""
    clear = (scenes.vignetting == 0) & (scenes.round_field == 0)
    return ((sky - scenes.sky[:, None, None]) / scenes.sigma[:, None, None])[clear]


def test_sky_structure_is_slight(sky, change):
    assert sky.min() >= 0
    # At most a gradient, lumps, three rings, an arc, a glowing edge and amplifier.
    assert np.abs(change).max() <= 15 + 1 + 3 * 4 + 8 + 35 + 100
    most = np.abs(change).max(axis=(1, 2))
    assert np.median(most) < 15
    assert 0.1 < np.mean(most < 0.01) < 0.9


def test_some_amplifiers_and_edges_glow(change):
    """That is: more than anything else makes the sky brighter at an edge."""
    edge = np.maximum(change[:, [0, -1]].max((1, 2)), change[:, :, [0, -1]].max((1, 2)))
    assert 0.01 < np.mean(edge > 16) < 0.2


def test_vignetted_exposures_have_dark_corners(sky, scenes):
    dark = (scenes.vignetting > 0.6) & (scenes.sky > 1000)
    corners = sky[:, [0, 0, -1, -1], [0, -1, 0, -1]].min(axis=1)
    assert dark.sum() > 2
    assert np.all(corners[dark] < 0.8 * sky.max(axis=(1, 2))[dark])
    round_ones = (scenes.round_field > 0) & (scenes.round_field < 0.9)
    assert round_ones.sum() > 1
    assert np.median(corners[round_ones] / scenes.sky[round_ones]) < 0.2


def test_the_sky_is_smooth(sky, scenes):
    """But at the edges: no step that a pixel's noise would not hide."""
    inner = sky[:, 8:-8, 8:-8] / scenes.sigma[:, None, None]
    steps = np.abs(np.diff(inner, axis=1)).max(axis=(1, 2))
    lit = (scenes.vignetting == 0) & (scenes.round_field == 0)
    assert np.quantile(steps[lit], 0.9) < 1
