import jax
import numpy as np
import pytest

from maximask_astro.simulation.detector import add_noise, digitize, sky_structure
from maximask_astro.simulation.tests.conftest import SHAPE, keys
from maximask_astro.tests.helpers import quick_compilation


def many(function):
    """A function of a key, an image and a scene, for many keys at once."""
    return jax.jit(jax.vmap(function, (0, None, None)))


noise_of_many, digits_of_many = many(add_noise), many(digitize)


@pytest.fixture(scope="module")
def noisy(scene):
    """Function that gives noisy images of a constant level."""

    def make(level, smoothing=0.0):
        image = np.full(SHAPE, level, np.float32)
        this = scene._replace(smoothing=np.float32(smoothing))
        with quick_compilation():
            return np.asarray(noise_of_many(keys(7), image, this), dtype=float)

    return make


@pytest.mark.parametrize("level", [0.0, 1.0, 10.0, 29.0, 31.0, 1000.0])
def test_noise_neither_adds_nor_removes_light(noisy, scene, level):
    images = noisy(level)
    error = np.sqrt(level + scene.read_noise**2) / np.sqrt(images.size)
    assert images.mean() == pytest.approx(level, abs=5 * error + 0.05)


@pytest.mark.parametrize("level", [1.0, 10.0, 1000.0])
def test_noise_is_photon_and_read_noise(noisy, scene, level):
    # What differs from pixel to pixel is at most 0.8 percent.
    variance = level + scene.read_noise**2
    found = noisy(level).var(axis=(1, 2))
    assert np.median(found) == pytest.approx(variance, rel=0.05)
    assert np.all(found > 0.93 * variance)
    expected = 1.07 * variance + (0.0081 * level) ** 2 + 0.5
    assert np.mean(found < expected) > 0.6
    # In others the pixels of a row, or of a column, have noise in common.
    assert np.all(found < expected + (0.75 * scene.sigma) ** 2)


def test_resampled_noise_is_correlated(noisy):
    def correlation(images):
        images = images - images.mean()
        return np.mean(images[:, :, 1:] * images[:, :, :-1]) / images.var()

    assert abs(correlation(noisy(400.0))) < 0.02
    assert correlation(noisy(400.0, smoothing=0.8)) > 0.3


def test_light_is_never_negative(noisy):
    assert np.array_equal(noisy(-50.0), noisy(0.0))


def test_digitization(scene):
    image = np.random.RandomState(1).uniform(0, 1e4, SHAPE).astype(np.float32)
    with quick_compilation():
        digits = np.asarray(digits_of_many(keys(8), image, scene))
    error = digits * scene.gain - image
    whole = np.all(digits == np.round(digits), axis=(1, 2))
    assert 0.4 < whole.mean() < 0.95
    steps = np.median(error[:, :, -1], axis=1) - np.median(error[:, :, 0], axis=1)
    stepped = np.abs(steps) > 1.5 * scene.gain
    assert 0 < stepped.mean() < 0.5
    assert np.abs(error[~stepped]).max() <= 2 * scene.gain
    assert np.abs(error).max() <= 5 * scene.sigma + scene.gain


def test_amplifiers_differ_by_column_only(scene):
    image = np.zeros(SHAPE, np.float32)
    with quick_compilation():
        digits = np.asarray(digits_of_many(keys(8), image, scene))
    assert np.all(digits == digits[:, :1])
    assert np.all((np.diff(digits[:, 0], axis=1) != 0).sum(axis=1) <= 1)
    assert np.all(digits[:, :, 0] == 0)


def test_sky_structure_is_slight(scenes):
    with quick_compilation():
        structure = jax.vmap(lambda key, scene: sky_structure(key, scene, SHAPE))
        sky = np.asarray(jax.jit(structure)(keys(9), scenes))
    change = (sky - scenes.sky[:, None, None]) / scenes.sigma[:, None, None]
    assert sky.min() >= 0
    # At most a gradient, lumps, three rings and a glowing edge.
    assert np.abs(change).max() <= 15 + 3 * 4 + 40 + 0.1
    assert np.median(np.abs(change).max(axis=(1, 2))) < 15
    flat = np.abs(change).max(axis=(1, 2)) < 0.01
    assert 0.1 < flat.mean() < 0.9
