import jax
import numpy as np
import pytest
from scipy import ndimage

from maximask_astro.simulation import resolved
from maximask_astro.simulation.fields import make_grid
from maximask_astro.simulation.tests.conftest import keys
from maximask_astro.tests.helpers import quick_jit

SHAPE = (160, 192)
GRID = make_grid(SHAPE, 2)


@pytest.fixture
def draw(monkeypatch, scene):
    """Galaxies of one kind, all of it within the frame."""
    monkeypatch.setattr(resolved, "_RADII", (60.0, 80.0))
    monkeypatch.setattr(resolved, "_BEYOND", -0.4)
    monkeypatch.setattr(resolved, "_DISKS", (5.0, 100.0))
    monkeypatch.setattr(resolved, "_EARLY", (5.0, 40.0))

    def call(kind, number=12):
        weights = [float(name == kind) for name in resolved.KINDS]
        monkeypatch.setattr(resolved, "_WEIGHTS", weights)
        one = quick_jit(jax.vmap(lambda key: resolved.draw_resolved(key, GRID, scene)))
        light, place = one(keys(7, number))
        return np.asarray(light) / scene.sigma, np.stack(place, axis=1)

    return call


@pytest.mark.parametrize("kind", resolved.KINDS)
def test_light_is_around_the_place(draw, kind):
    images, places = draw(kind)
    assert np.isfinite(images).all()
    assert images.min() >= 0
    y, x = GRID.coordinates()
    for image, (y0, x0) in zip(images, places, strict=True):
        distance = np.hypot(y - y0, x - x0)
        near, far = (image[some].mean() for some in (distance < 20, distance > 60))
        assert near > 2 * far


def peaks(image):
    """How many places are brighter than all around them."""
    highest = image == ndimage.maximum_filter(image, 5)
    return np.sum(highest & (image > 0.1 * image.max()))


def test_irregular_galaxies_have_many_clumps_and_early_ones_one_nucleus(draw):
    assert np.median([peaks(image) for image in draw("irregular")[0]]) > 5
    assert np.all([peaks(image) == 1 for image in draw("early")[0]])


def test_edge_on_disks_are_long(draw):
    y, x = GRID.coordinates()
    for image, (y0, x0) in zip(*draw("edge-on"), strict=True):
        weight = image / image.sum()
        dy, dx = (y - y0) + 0 * x, (x - x0) + 0 * y
        moments = np.array([
            [(weight * a * b).sum() for b in (dy, dx)] for a in (dy, dx)
        ])  # fmt: skip
        low, high = np.linalg.eigvalsh(moments)
        assert high > 1.5 * low


def test_a_companion_lies_near(scene):
    def one(key):
        return resolved.draw_resolved(key, GRID, scene, (50.0, 400.0), True)[1]

    y, x = quick_jit(jax.vmap(one))(keys(8, 12))
    distance = np.hypot(np.asarray(y) - 50, np.asarray(x) - 400)
    low, high = resolved._APART
    assert np.all(distance >= 0.99 * low * resolved._RADII[0])
    assert np.all(distance <= 1.01 * high * resolved._RADII[1])
