import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.simulation.psf import (
    blurred_psf,
    elliptical_square,
    psf_core,
    psf_in_pixel,
    psf_peak,
    psf_profile,
    psf_value,
    share_bilinearly,
)
from maximask_astro.tests.helpers import quick_jit

Y, X = np.indices((301, 301), dtype=np.float32) - 150

_in_pixel = quick_jit(psf_in_pixel, static_argnames="core_only")
_value = quick_jit(psf_value)
_core = quick_jit(psf_core)
_blurred = quick_jit(blurred_psf, static_argnames="size")

INSIDE = st.floats(-0.5, 0.5)
ELLIPTICITIES = st.floats(0.0, 0.5)
ANGLES = st.floats(0.0, 3.2)


@pytest.mark.parametrize(
    ("fwhm", "tolerance"),
    [(0.9, 0.02), (1.2, 0.02), (1.6, 0.01), (2.5, 0.01), (9, 0.01)],
)
@given(x=INSIDE, y=INSIDE, ellipticity=st.floats(0.0, 0.3), angle=ANGLES)
def test_all_the_light_is_in_the_pixels(
    scene, fwhm, tolerance, x, y, ellipticity, angle
):
    seeing = scene._replace(fwhm=np.float32(fwhm))
    light = np.asarray(_in_pixel(X - x, Y - y, seeing, ellipticity, angle))
    assert light.min() >= 0
    assert light.sum() == pytest.approx(1, abs=tolerance)


@given(ellipticity=ELLIPTICITIES, angle=ANGLES)
def test_half_the_peak_is_at_half_the_width(scene, ellipticity, angle):
    half = scene.fwhm / 2 / np.sqrt(1 - ellipticity)  # along the major axis
    dx, dy = half * np.cos(angle), half * np.sin(angle)
    peak, _ = _core(0.0, 0.0, scene, ellipticity, angle)
    value, _ = _core(dx, dy, scene, ellipticity, angle)
    assert value == pytest.approx(peak / 2, rel=1e-3)


@given(ellipticity=ELLIPTICITIES, angle=ANGLES, rings=st.floats(0.0, 1.0))
def test_light_is_not_negative_and_symmetric(scene, ellipticity, angle, rings):
    ringed = scene._replace(rings=np.float32(rings))
    light = np.asarray(_value(X, Y, ringed, ellipticity, angle))
    assert light.min() >= 0
    assert np.allclose(light, light[::-1, ::-1], rtol=1e-4, atol=1e-9)


def test_wings_take_light_from_the_core(scene):
    far = 15 * scene.fwhm
    bright = scene._replace(wings=np.float32(0.08))
    assert _value(far, 0.0, bright, 0.0, 0.0) > 5 * _value(far, 0.0, scene, 0.0, 0.0)
    assert _value(0.0, 0.0, bright, 0.0, 0.0) < _value(0.0, 0.0, scene, 0.0, 0.0)


def test_the_peak_is_the_brightest_pixel(scene):
    light = _in_pixel(X, Y, scene, scene.ellipticity, scene.angle)
    assert psf_peak(scene) == pytest.approx(np.max(light), rel=1e-5)
    core = _in_pixel(X, Y, scene, scene.ellipticity, scene.angle, core_only=True)
    assert np.max(core) == pytest.approx(np.max(light), rel=0.01)


def test_the_profile_is_that_of_stars_in_focus(scene):
    squared = elliptical_square(X, Y, 0.3, 0.7)
    value = _value(X, Y, scene, 0.3, 0.7)
    assert np.allclose(psf_profile(squared, scene), value, rtol=1e-4)
    assert squared[150, 250] == pytest.approx(
        100**2 * (0.7 * np.cos(0.7) ** 2 + np.sin(0.7) ** 2 / 0.7), rel=1e-4
    )


@pytest.mark.parametrize("obstruction", [0.0, 0.4, 0.75])
@pytest.mark.parametrize(("radius", "fwhm"), [(1.0, 4.0), (3.0, 1.2), (12.0, 2.5)])
def test_light_out_of_focus_is_conserved(scene, radius, fwhm, obstruction):
    donut = scene._replace(
        defocus=np.float32(radius),
        fwhm=np.float32(fwhm),
        obstruction=np.float32(obstruction),
        off_center=np.float32(0.1),
    )
    light = np.asarray(_in_pixel(X, Y, donut, 0.1, 0.5))
    assert light.min() >= 0
    assert light.sum() == pytest.approx(1, abs=0.02)


def test_stars_out_of_focus_are_disks_with_a_shadow(scene):
    donut = scene._replace(defocus=np.float32(8), obstruction=np.float32(0.5))
    light = np.asarray(_in_pixel(X, Y, donut, 0.0, 0.0))
    inside = light > light.max() / 2
    distance = np.hypot(X, Y)
    assert distance[inside].max() == pytest.approx(8, abs=1)
    assert distance[inside].min() == pytest.approx(4, abs=1)
    assert light[150, 150] < 0.2 * light.max()
    # The shadow need not be in the middle: the far side is broader.
    tilted = donut._replace(off_center=np.float32(0.15))
    light = np.asarray(_in_pixel(X, Y, tilted, 0.0, 0.0))
    assert light[150, :150].sum() > 1.2 * light[150, 151:].sum()


def test_slight_defocus_only_widens(scene):
    slight = scene._replace(defocus=np.float32(1.2), fwhm=np.float32(4))
    light = np.asarray(_in_pixel(X, Y, slight, 0.0, 0.0))
    assert light.argmax() == np.ravel_multi_index((150, 150), X.shape)
    wide = 2 * np.sqrt((light > light.max() / 2).sum() / np.pi)
    assert 4 < wide < 5.5


@pytest.fixture(scope="module")
def moved(scene):
    """Function that gives the PSF of a telescope that moved, its middle at 0, 0."""

    def make(**numbers):
        numbers = {name: np.float32(value) for name, value in numbers.items()}
        return np.roll(_blurred(scene._replace(**numbers), size=128), (64, 64), (0, 1))

    return make


@pytest.mark.parametrize("angle", [0.0, 0.7, 4.0])
def test_drifting_draws_stars_out(scene, moved, angle):
    light = moved(trailing=30, angle=angle)
    assert light.sum() == pytest.approx(1, abs=1e-4)
    y, x = np.indices(light.shape) - 64
    along = np.cos(angle) * x + np.sin(angle) * y
    across = np.cos(angle) * y - np.sin(angle) * x
    bright = light > light.max() / 2
    assert np.ptp(along[bright]) == pytest.approx(30, abs=2.5)
    assert np.ptp(across[bright]) == pytest.approx(scene.fwhm, abs=2)


def test_jumps_leave_two_stars(moved):
    light = moved(trailing=40, angle=0.0, resting=0.3, moving=0.03)
    row = light.sum(axis=0)
    first, middle, second = row[34:54].sum(), row[54:74].sum(), row[74:94].sum()
    assert first == pytest.approx(0.3, abs=0.04)
    assert second == pytest.approx(0.67, abs=0.04)
    assert 0.003 < middle < 0.03


def test_bent_paths_leave_their_line(moved):
    bent = moved(trailing=40, angle=0.0, bend=0.25)
    y = np.arange(128) - 64
    assert (bent.sum(axis=1) * y).sum() == pytest.approx(0.25 * 40 * 2 / 3, abs=0.5)


@pytest.mark.parametrize(
    "numbers",
    [
        {"trailing": 30.0},
        {"trailing": 5.0},
        {"defocus": 6.0, "obstruction": 0.4, "off_center": 0.1},
        {"trailing": 40.0, "resting": 0.5, "moving": 0.5},
        {"trailing": 20.0, "defocus": 4.0},
    ],
)
def test_the_peak_is_about_that_of_blurred_stars(scene, moved, numbers):
    blurred = scene._replace(
        **{name: np.float32(value) for name, value in numbers.items()}
    )
    assert psf_peak(blurred) == pytest.approx(moved(**numbers).max(), rel=0.5)


def test_points_are_shared_bilinearly():
    image = share_bilinearly(
        jnp.zeros((4, 5)),
        np.array([1.25, 3.0]),
        np.array([2.0, 4.5]),
        np.array([4.0, 2.0]),
    )
    expected = np.zeros((4, 5))
    expected[1, 2], expected[2, 2] = 3.0, 1.0
    expected[3, 4] = 1.0  # the other half lies outside
    assert np.array_equal(image, expected)
