import jax
import numpy as np
import pytest

from maximask_astro.simulation.sky import (
    N_BRIGHT,
    draw_galaxies,
    draw_stars,
    render_stars,
)
from maximask_astro.simulation.tests.conftest import SHAPE, keys
from maximask_astro.tests.helpers import quick_compilation


@pytest.fixture(scope="module")
def stars(scenes):
    with quick_compilation():
        draw = jax.jit(jax.vmap(lambda key, scene: draw_stars(key, scene, SHAPE)))
        return jax.tree.map(np.asarray, draw(keys(5), scenes))


@pytest.fixture(scope="module")
def galaxies(scenes):
    with quick_compilation():
        draw = jax.jit(jax.vmap(lambda key, scene: draw_galaxies(key, scene, SHAPE)))
        return np.asarray(draw(keys(6), scenes))


@pytest.fixture(scope="module")
def render():
    jitted = jax.jit(lambda stars, scene: render_stars(stars, scene, SHAPE))

    def call(stars, scene):
        with quick_compilation():
            return np.asarray(jitted(stars, scene), dtype=float)

    return call


@pytest.fixture(scope="module")
def alone(stars):
    """Function that gives a star alone, of a flux, as bright as the index says."""

    def place(index, x, y, flux):
        empty = jax.tree.map(lambda values: np.zeros_like(values[0]), stars)
        for values, value in zip(empty, (x, y, flux, 0.1, 0.5), strict=True):
            values[index] = value
        return empty

    return place


def test_stars_are_in_order_of_brightness(stars):
    assert all(np.isfinite(values).all() for values in stars)
    assert np.all(np.diff(stars.flux, axis=1) <= 0)
    assert np.all(stars.flux >= 0)
    assert np.all((stars.ellipticity >= 0) & (stars.ellipticity <= 0.5))


def test_fields_are_empty_or_crowded(stars):
    number = (stars.flux > 0).sum(axis=1)
    assert number.min() < 5
    assert number.max() > 30


def test_positions_reach_beyond_the_frame(stars):
    for values, size in ((stars.y, SHAPE[0]), (stars.x, SHAPE[1])):
        assert values.min() < 0
        assert values.max() > size
        assert np.all((values > -100) & (values < size + 100))


@pytest.mark.parametrize("index", [0, N_BRIGHT + 1, 500])
@pytest.mark.parametrize("place", [(60.0, 50.0), (60.3, 49.6)])
def test_light_of_a_star_is_conserved(scene, render, alone, index, place):
    image = render(alone(index, *place, 1000.0), scene)
    assert image.shape == SHAPE
    assert image.min() >= 0
    assert image.sum() == pytest.approx(1000, rel=0.04)
    y, x = np.indices(SHAPE)
    center = (image * x).sum() / image.sum(), (image * y).sum() / image.sum()
    assert center == pytest.approx(place, abs=0.1)


@pytest.mark.parametrize("index", [0, 20, 500])
def test_stars_outside_of_the_frame_only_show_their_wings(scene, render, alone, index):
    for place in ((-40, -40), (SHAPE[1] + 40, 20), (30, SHAPE[0] + 40)):
        image = render(alone(index, *place, 1e7), scene)
        assert image.max() < 100
        # Only the brightest have wings so far.
        assert (image.max() > 0) == (index == 0)


def test_stars_add_up(scene, render, alone):
    first, second = alone(1, 40, 40, 5e4), alone(300, 80, 40, 900.0)
    both = jax.tree.map(lambda a, b: a + b, first, second)
    total = render(first, scene) + render(second, scene)
    assert np.allclose(render(both, scene), total, rtol=1e-5, atol=1e-3)


def test_galaxies_are_light(galaxies):
    assert galaxies.shape[1:] == SHAPE
    assert np.isfinite(galaxies).all()
    assert galaxies.min() >= 0
    peak = galaxies.max(axis=(1, 2))
    assert 0.2 < np.mean(peak == 0) < 0.8
