"""Measures of skies."""

import numpy as np
import pytest

from maximask_astro.training.sky_measures import (
    estimate_fwhm,
    estimate_noise,
    find_quantum,
    outstanding_lines,
)

SHAPE = (200, 240)
ALL = np.ones(SHAPE, bool)


@pytest.fixture(name="noise")
def white_noise():
    return np.random.default_rng(1).standard_normal(SHAPE)


@pytest.mark.parametrize("scale", [0.3, 1.0, 40.0])
def test_noise_of_whole_numbers_and_of_others(noise, scale):
    assert estimate_noise(noise * scale, ALL) == pytest.approx(scale, rel=0.02)
    true = (scale**2 + 1 / 12) ** 0.5 if scale > 0.5 else None
    if true:
        found = estimate_noise(np.round(noise * scale), ALL)
        assert found == pytest.approx(true, rel=0.03)


def test_gradients_and_stars_do_not_count_as_noise(noise):
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    sky = noise + 0.1 * x + 20 * np.exp(-((y - 90) ** 2 + (x - 90) ** 2) / 2000)
    sky[::40, ::40] += 1000
    assert estimate_noise(sky, ALL) == pytest.approx(1, rel=0.05)


def test_invalid_pixels_do_not_count(noise):
    valid = ALL.copy()
    valid[:, :100] = False
    noise[:, :100] = np.nan
    assert estimate_noise(noise, valid) == pytest.approx(1, rel=0.03)
    assert estimate_noise(noise, np.zeros(SHAPE, bool)) == 0.0


def test_the_step_between_values(noise):
    assert find_quantum(np.round(noise.ravel() * 20) * 0.25) == pytest.approx(0.25)
    assert find_quantum(noise.ravel()) == 0.0
    assert find_quantum(np.zeros(9)) == 0.0


@pytest.mark.parametrize("fwhm", [1.6, 2.5, 4.0, 7.0])
def test_stars_are_measured_among_hot_pixels_and_galaxies(noise, fwhm):
    rng = np.random.default_rng(2)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    image = noise.astype(np.float32)
    for row, column, peak in rng.uniform((15, 15, 100), (185, 185, 600), (25, 3)):
        distance = (y - row) ** 2 + (x - column) ** 2
        image += peak * np.exp(-4 * np.log(2) * distance / fwhm**2)
    image += 60 * np.exp(-(((y - 150) / 30) ** 2) - ((x - 215) / 10) ** 2)
    image[tuple(rng.integers(0, 200, (2, 80)))] += 200
    assert estimate_fwhm(image, ALL) == pytest.approx(fwhm, rel=0.25)


def test_without_stars_the_width_is_the_usual(noise):
    assert estimate_fwhm(noise.astype(np.float32), ALL) == 3.0


def test_faint_columns_and_rows_stand_out(noise):
    assert not outstanding_lines(noise, ALL).any()
    noise[:, 50] -= 0.6
    noise[80] += 0.6
    noise[:, :10] = np.nan
    found = outstanding_lines(noise, np.isfinite(noise))
    assert found[:, 50].all()
    assert found[80].all()
    assert found.sum() == SHAPE[0] + SHAPE[1] - 1


def test_where_all_columns_differ_none_stands_out(noise):
    noise += np.random.default_rng(3).standard_normal(SHAPE[1])
    assert outstanding_lines(noise, ALL).mean() < 0.02
