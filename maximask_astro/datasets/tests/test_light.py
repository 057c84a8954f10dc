import numpy as np
import pytest
from photutils.aperture import CircularAperture, aperture_photometry

from maximask_astro.datasets import light

SHAPE = (161, 201)


@pytest.fixture
def random():
    return np.random.default_rng(7)


def test_sky_is_brighter_toward_one_corner():
    sky = light.make_sky(SHAPE, 1000.0)
    assert sky.shape == SHAPE
    assert sky[80, 100] == pytest.approx(1000)
    assert sky[0, 0] == sky.min() == pytest.approx(960)
    assert sky[-1, -1] == sky.max() == pytest.approx(1040)


@pytest.mark.parametrize("make", [light.make_stars, light.make_galaxies])
def test_sources_add_light(make, random):
    image = make(SHAPE, random)
    assert image.shape == SHAPE
    assert image.min() > -1e-6
    assert image.max() > 50


def test_bright_star_has_its_peak_and_four_spikes():
    center = (80, 100)
    star, spikes = light.make_bright_star(SHAPE, center, 1e6)
    assert np.unravel_index(star.argmax(), SHAPE) == center
    assert star.max() == pytest.approx(1e6, rel=1e-2)
    for array in (star, spikes):
        assert np.allclose(array, array[::-1])  # mirrored about the center
    diagonal, axis = spikes[80 + 30, 100 + 30], spikes[80, 100 + 42]
    assert diagonal > 20 * axis


def test_star_has_its_full_width_at_half_maximum():
    star, _ = light.make_bright_star(SHAPE, (80, 100), 1.0)
    across = star[80, 100:]
    half = np.interp(0.5 * across[0], across[::-1], np.arange(across.size)[::-1])
    assert 2 * half == pytest.approx(light.FWHM, abs=0.15)


def test_peak_of_the_profile():
    flux = aperture_photometry(
        light.make_bright_star((401, 401), (200, 200), 1.0)[0],
        CircularAperture((200, 200), 10),
    )["aperture_sum"][0]
    assert flux == pytest.approx(1 / light._PEAK, rel=0.1)


def test_trail_goes_on_past_its_points():
    trail = light.make_trail(SHAPE, (40, 50), (80, 100), 300.0)
    for row, column in [(0, 0), (40, 50), (80, 100), (120, 150)]:
        assert trail[row, column] == pytest.approx(300)
    assert trail[0, 200] < 0.1
