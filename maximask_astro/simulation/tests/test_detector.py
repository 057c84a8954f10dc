import jax
import numpy as np
import pytest

from maximask_astro.simulation.detector import add_noise, digitize
from maximask_astro.simulation.tests.conftest import SHAPE, keys
from maximask_astro.tests.helpers import quick_jit


def many(function):
    """A function of a key, an image and a scene, for many keys at once."""
    return quick_jit(jax.vmap(function, (0, None, None)))


noise_of_many, digits_of_many = many(add_noise), many(digitize)


@pytest.fixture(scope="module")
def noisy(scene):
    """Function that gives noisy images of a constant level."""

    def make(level, **numbers):
        image = np.full(SHAPE, level, np.float32)
        numbers = {name: np.asarray(value) for name, value in numbers.items()}
        this = scene._replace(counting=np.False_)._replace(**numbers)
        return np.asarray(noise_of_many(keys(7), image, this), dtype=float)

    return make


@pytest.fixture(scope="module")
def plain(noisy):
    """Images of the exposures that have no pattern and no colors."""

    def make(level, **numbers):
        # Both show in exposures of much light.
        images = noisy(1e6, sky=np.float32(1e6))
        rows, columns = images.mean(axis=2), images.mean(axis=1)
        colored = np.abs(columns[:, ::2].mean(1) / columns[:, 1::2].mean(1) - 1) > 0.01
        colored |= np.abs(rows[:, ::2].mean(1) / rows[:, 1::2].mean(1) - 1) > 0.01
        return noisy(level, **numbers)[~colored]

    return make


@pytest.mark.parametrize("sky", [5.0, 400.0])
@pytest.mark.parametrize("level", [0.0, 1.0, 10.0, 29.0, 31.0, 1000.0])
def test_noise_neither_adds_nor_removes_light(plain, scene, level, sky):
    images = plain(level, sky=np.float32(sky))
    error = np.sqrt(level + scene.read_noise**2) / np.sqrt(images[0].size)
    means = images.mean(axis=(1, 2))
    assert np.median(means) == pytest.approx(level, abs=3 * error + 0.05)


@pytest.mark.parametrize("level", [1.0, 10.0, 1000.0])
def test_noise_is_photon_and_read_noise(plain, scene, level):
    # What differs from pixel to pixel is at most 0.8 percent.
    variance = level + scene.read_noise**2
    found = plain(level).var(axis=(1, 2))
    assert np.median(found) == pytest.approx(variance, rel=0.05)
    assert np.all(found > 0.9 * variance)
    expected = 1.07 * variance + (0.0081 * level) ** 2 + 0.5
    assert np.mean(found < expected) > 0.6


@pytest.mark.parametrize("level", [0.02, 0.5, 5.0, 40.0])
def test_cameras_that_count_give_poisson_numbers(plain, level):
    images = plain(level, counting=np.True_)
    assert np.array_equal(images, np.round(images))
    assert images.min() >= 0
    assert images.mean() == pytest.approx(level, rel=0.03)
    assert images.var(axis=(1, 2)).mean() == pytest.approx(level, rel=0.05)
    empty = np.mean(images == 0)
    assert empty == pytest.approx(np.exp(-level), abs=0.01)


def test_resampled_noise_is_correlated(noisy):
    def correlation(images):
        images = images - images.mean(axis=(1, 2), keepdims=True)
        products = np.mean(images[:, :, 1:] * images[:, :, :-1], axis=(1, 2))
        # Some have a pattern.
        return np.median(products / images.var(axis=(1, 2)))

    assert abs(correlation(noisy(400.0))) < 0.02
    assert correlation(noisy(400.0, smoothing=np.float32(0.8))) > 0.3


def test_light_is_never_negative(noisy):
    assert np.array_equal(noisy(-50.0), noisy(0.0))


def test_counts_are_whole_numbers(scene):
    image = np.random.RandomState(1).poisson(0.3, SHAPE).astype(np.float32)
    counting = scene._replace(counting=np.True_, gain=np.float32(1))
    digits = np.asarray(digits_of_many(keys(8), image, counting))
    assert np.array_equal(digits, np.broadcast_to(image, digits.shape))


def test_digitization(scene):
    image = np.random.RandomState(1).uniform(0, 1e4, SHAPE).astype(np.float32)
    digits = np.asarray(digits_of_many(keys(8, 80), image, scene))
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
    digits = np.asarray(digits_of_many(keys(8, 80), image, scene))
    assert np.all(digits == digits[:, :1])
    assert np.all((np.diff(digits[:, 0], axis=1) != 0).sum(axis=1) <= 1)
    assert np.all(digits[:, :, 0] == 0)
