import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.models.autocorrelation import PolarAutocorrelation, StandOut

GRID = PolarAutocorrelation(n_angles=16, n_radii=12)


def drift(angle, length=24.0, size=128, places=((40, 50), (90, 70), (64, 100))):
    """Stars of 3 pixels that moved by so much, at an angle in degrees."""
    y, x = np.indices((size, size))
    image = np.zeros((size, size))
    for t in np.linspace(-0.5, 0.5, 49):
        dy = t * length * np.sin(np.radians(angle))
        dx = t * length * np.cos(np.radians(angle))
        for row, column in places:
            image += np.exp(-((y - row - dy) ** 2 + (x - column - dx) ** 2) / 4.5)
    return image[None, ..., None].astype("f4")


def correlate(image):
    correlation, strength = GRID(image)
    return np.asarray(correlation)[0, ..., 0], np.asarray(strength)[0]


@given(st.integers(0, 127), st.integers(0, 127))
def test_where_the_stars_are_does_not_matter(down, right):
    image = drift(30)
    moved = np.roll(image, (down, right), (1, 2))
    for before, after in zip(correlate(image), correlate(moved), strict=True):
        assert np.allclose(before, after, atol=2e-3)


@pytest.mark.parametrize("angle", [0, 45, 90, 135])
def test_a_drift_shows_at_its_angle(angle):
    # Far enough apart that no lag within the grid is from star to star.
    correlation, _ = correlate(drift(angle, places=((30, 30), (95, 95))))
    step = np.log(62) / 11
    radius = round(np.log(12) / step)
    assert correlation[:, radius].argmax() == round(angle / 180 * 16)


def test_a_long_jump_of_sharp_stars_stands_out():
    random = np.random.default_rng(4)
    image = random.standard_normal((1, 320, 320, 1)).astype("f4")
    dy, dx = 18, 42  # at a radius of 46 pixels, where cells are larger than stars
    for row, column in random.integers(60, 250, (12, 2)):
        for y, x in ((row, column), (row + dy, column + dx)):
            image[0, y : y + 2, x : x + 2] += 15
    grid = PolarAutocorrelation(24, 24)
    correlation = np.asarray(grid(np.asarray(StandOut()(image)))[0])[0]
    angle = int(np.arctan2(dy, dx) / np.pi * 24 + 0.5)
    radius = round(np.log(np.hypot(dy, dx)) / (np.log(62) / 23))
    largest = correlation[..., 5]  # of what is well above the noise
    far = largest[:, 18:]
    assert np.unravel_index(far.argmax(), far.shape) == (angle, radius - 18)
    assert far.max() > 1.5 * np.sort(far.ravel())[-10]


def test_turning_the_image_shifts_the_grid():
    image = drift(20)
    turned = np.rot90(image, -1, (1, 2))  # from x towards y
    before, after = correlate(image)[0], correlate(turned)[0]
    assert np.allclose(np.roll(before, 8, 0), after, atol=2e-3)


def test_what_stands_out():
    heights = np.array([-1000.0, 0.0, 1.0, 10.0, 1e6], "f4").reshape(1, 1, 5, 1)
    height, there = np.moveaxis(np.asarray(StandOut()(heights)), -1, 0)
    assert np.all(np.diff(height) > 0)
    assert height.min() >= -3
    assert there[0, 0].tolist() == [0, 0, 0, 1, 1]


def test_nothing_and_noise_give_finite_numbers():
    noise = np.random.default_rng(2).standard_normal((1, 96, 96, 1)).astype("f4")
    for image in (np.zeros((1, 96, 96, 1), "f4"), noise, 1e6 * noise):
        for values in correlate(np.asarray(StandOut()(image))):
            assert np.isfinite(values).all()
