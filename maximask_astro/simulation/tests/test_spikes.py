import jax
import numpy as np
import pytest

from maximask_astro.simulation.sky import Stars
from maximask_astro.simulation.spikes import add_spikes
from maximask_astro.simulation.tests.conftest import SHAPE, keys
from maximask_astro.tests.helpers import quick_compilation

PLACE = (70.0, 45.0)  # x, y

_spikes = jax.jit(jax.vmap(add_spikes, (0, None, None, None)))


@pytest.fixture(scope="module")
def spikes(scene):
    """Function that adds spikes to one star on an empty frame."""

    def add(flux):
        x, y = (np.full(4, value, np.float32) for value in PLACE)
        fluxes = np.array([flux, 0, 0, 0], np.float32)
        stars = Stars(x, y, fluxes, np.zeros(4), np.zeros(4))
        with quick_compilation():
            image, mask = _spikes(keys(3), np.zeros(SHAPE, np.float32), scene, stars)
        return np.asarray(image), np.asarray(mask)

    return add


def test_only_bright_stars_have_spikes(spikes):
    image, mask = spikes(100.0)
    assert not mask.any()
    assert image.max() < 10
    _, mask = spikes(3e7)
    assert mask.any(axis=(1, 2)).all()


def test_without_stars_nothing_is_added(spikes):
    image, mask = spikes(0.0)
    assert not image.any()
    assert not mask.any()


def test_spikes_are_light_and_labeled_where_bright(spikes, scene):
    image, mask = spikes(3e6)
    assert image.min() >= 0
    noise = np.sqrt(scene.sigma**2)
    assert np.all(image[mask] > 1.5 * noise)
    assert image.max() > 10 * noise


def test_spikes_have_a_small_share_of_the_light(spikes):
    image, _ = spikes(1e6)
    share = image.sum(axis=(1, 2)) / 1e6
    assert np.all(share < 0.2)
    # The others would have been lost in the noise.
    seen = share > 0
    assert seen.mean() > 0.6
    assert np.all(share[seen] > 2e-4)


def test_most_spikes_are_the_same_on_opposite_sides(spikes):
    image, _ = spikes(1e6)
    x, y = (int(value) for value in PLACE)
    around = image[:, y - 40 : y + 41, x - 40 : x + 41]
    same = np.isclose(around, around[:, ::-1, ::-1], rtol=1e-3, atol=1e-2)
    same = same.all(axis=(1, 2))
    assert 0.6 < same.mean() < 1
    # Of the others, each side has its share.
    other = around[~same]
    halves = other[:, :40].sum(axis=(1, 2)) / other[:, 41:].sum(axis=(1, 2))
    assert np.all((halves > 0.2) & (halves < 5))


def test_spikes_fade(spikes, scene):
    """Four times as far from the star, at most half as much light is left."""
    image, mask = spikes(3e7)
    x, y = (int(value) for value in PLACE)
    rows, columns = np.indices(SHAPE)
    distance = np.hypot(rows - y, columns - x)
    near = np.where(abs(distance - 10) < 1, image, 0).max(axis=(1, 2))
    far = np.where(abs(distance - 40) < 1, image, 0).max(axis=(1, 2))
    assert np.median(far / near) < 0.5
    assert np.mean(far < near) > 0.8
    # A star's core is not a spike.
    assert not mask[:, distance < scene.fwhm].any()


def test_spikes_are_thin_and_long(spikes):
    _, mask = spikes(3e7)
    x, y = (int(value) for value in PLACE)
    turns = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    covered = []
    for one in mask:
        rows = np.round(y + 20 * np.sin(turns)).astype(int)
        columns = np.round(x + 20 * np.cos(turns)).astype(int)
        covered.append(one[rows, columns].mean())
    covered = np.array(covered)
    # A circle around the star crosses them in a few places.
    assert np.mean(covered > 0) > 0.6
    assert np.median(covered[covered > 0]) < 0.4
