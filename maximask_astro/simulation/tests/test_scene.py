import numpy as np
import pytest

from maximask_astro.simulation.masks import smooth
from maximask_astro.simulation.scene import noise_after_smoothing, pixel_grid
from maximask_astro.simulation.tests.conftest import random_scenes

SCENES = 400


@pytest.fixture(scope="module")
def scenes():
    return random_scenes(SCENES)


def test_scenes_are_possible(scenes):
    for name, values in scenes._asdict().items():
        assert values.shape == (SCENES,), name
        assert np.isfinite(values).all(), name
        assert np.all(values >= 0) or name.startswith("axis"), name
    noise = np.sqrt(scenes.sky + scenes.read_noise**2)
    raw = (scenes.smoothing == 0) & ~scenes.counting
    assert np.allclose(scenes.sigma[raw], noise[raw], rtol=1e-4)
    resampled = scenes.smoothing > 0
    assert np.all(scenes.sigma[resampled] < 0.75 * noise[resampled])
    assert np.all(scenes.sigma[scenes.counting] >= 0.6)
    assert np.all(scenes.gain[scenes.counting] == 1)
    assert np.all(scenes.full_well >= scenes.sky + 100 * scenes.sigma)
    assert np.all(scenes.gain > 0)
    assert np.all((scenes.fwhm >= 0.9) & (scenes.fwhm <= 9.4))
    assert np.all(scenes.ellipticity <= 0.35)
    assert np.all(scenes.wings < 0.1)
    assert np.all(scenes.moffat > 1)  # or its light would be infinite
    assert np.all(scenes.resting + scenes.moving <= 1 + 1e-6)
    assert np.all(scenes.trailing <= 100)
    assert np.all(scenes.obstruction < 0.8)
    assert np.all(scenes.vignetting <= 1)


def test_scenes_are_diverse(scenes):
    assert np.sum(scenes.fwhm < 2) > 20
    assert np.sum(scenes.fwhm > 6) > 20
    assert scenes.sky.max() / scenes.sky.min() > 1e4
    for name in ("rings", "smoothing", "coma"):
        some = getattr(scenes, name) > 0
        assert 0.1 < some.mean() < 0.6, name
    for name in ("trailing", "defocus", "vignetting", "round_field", "counting"):
        some = getattr(scenes, name) > 0
        assert 0.005 < some.mean() < 0.16, name


def test_undersampled_scenes_are_frequent(scenes):
    """Stars of about one pixel are what networks take for cosmic rays."""
    narrow = (scenes.fwhm >= 0.95) & (scenes.fwhm <= 1.25)
    assert narrow.mean() > 0.04


def test_resampling_smooths_stars_too(scenes):
    assert np.all(scenes.fwhm >= 2.35 * scenes.smoothing)


def test_round_fields_are_in_the_frame(scenes):
    round_ones = scenes.round_field > 0
    for axis in (scenes.axis_y, scenes.axis_x):
        assert np.all(np.abs(axis[round_ones] - 0.5) < 0.2)


@pytest.mark.parametrize("smoothing", [0.0, 0.4, 0.7, 0.9])
def test_smoothing_leaves_that_much_noise(smoothing):
    white = np.random.RandomState(1).standard_normal((512, 512)).astype(np.float32)
    left = np.std(smooth(white, smoothing)) / np.std(white)
    assert noise_after_smoothing(smoothing) == pytest.approx(left, rel=0.01)


def test_properties_of_scenes_do_not_depend_on_one_another(scenes):
    """As they would if one random number decided on two of them."""
    free = ("read_noise", "moffat", "wings", "ellipticity", "angle", "smoothing")
    table = np.array([getattr(scenes, name) for name in free])
    correlation = np.corrcoef(table) - np.eye(len(free))
    assert np.abs(correlation).max() < 0.2
    for name, others in (("coma", free), ("rings", ("smoothing", "wings", "moffat"))):
        some = getattr(scenes, name) > 0
        for other in others:
            pair = getattr(scenes, name)[some], getattr(scenes, other)[some]
            assert abs(np.corrcoef(pair)[0, 1]) < 0.3, (name, other)


def test_coordinates():
    y, x = pixel_grid((3, 5))
    assert np.array_equal(np.stack([y, x]), np.indices((3, 5)))
