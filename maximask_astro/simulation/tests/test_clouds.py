import jax
import numpy as np
import pytest

from maximask_astro.simulation import clouds
from maximask_astro.simulation.fields import make_grid
from maximask_astro.simulation.tests.conftest import keys
from maximask_astro.tests.helpers import quick_jit

SHAPE = (128, 160)
GRID = make_grid(SHAPE, 2)


def draw(image, number=12, plain=False):
    one = quick_jit(
        jax.vmap(lambda key: clouds.draw_cloud(key, GRID, image, 1.5, plain=plain))
    )
    return np.asarray(one(keys(9, number)))


@pytest.mark.parametrize("kind", clouds.KINDS)
def test_each_kind_has_light(monkeypatch, kind):
    weights = [float(name == kind) for name in clouds.KINDS]
    monkeypatch.setattr(clouds, "_WEIGHTS", weights)
    images = draw(np.zeros(SHAPE, np.float32))
    assert images.shape == (12, *GRID.shape)
    assert np.isfinite(images).all()
    assert images.min() >= 0
    assert np.all(images.max(axis=(1, 2)) > 0)
    assert np.all(images.std(axis=(1, 2)) > 0)


def test_the_brightest_star_lights_some_reflection_nebulae(monkeypatch):
    weights = [float(name == "reflection") for name in clouds.KINDS]
    monkeypatch.setattr(clouds, "_WEIGHTS", weights)
    image = np.zeros(SHAPE, np.float32)
    image[90, 40] = 1e4
    images = draw(image, 16)
    y, x = GRID.coordinates()
    near = np.hypot(y - 90, x - 40) < 8
    brighter = [light[near].mean() > 1.5 * np.median(light) for light in images]
    assert np.mean(brighter) > 0.3


def test_plain_clouds_have_no_dark_ones(monkeypatch):
    monkeypatch.setattr(clouds, "_ALL", 1.0)
    images = draw(np.zeros(SHAPE, np.float32), plain=True)
    low, high = np.percentile(images, (1, 50), axis=(1, 2))
    assert np.all(low > 0.005 * high)
