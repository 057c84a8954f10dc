import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.simulation.psf import psf_core, psf_in_pixel, psf_peak, psf_value

Y, X = np.indices((301, 301), dtype=np.float32) - 150

_in_pixel = jax.jit(psf_in_pixel, static_argnames="core_only")
_value = jax.jit(psf_value)
_core = jax.jit(psf_core)

INSIDE = st.floats(-0.5, 0.5)
ELLIPTICITIES = st.floats(0.0, 0.5)
ANGLES = st.floats(0.0, 3.2)


@pytest.mark.parametrize(
    ("fwhm", "tolerance"), [(1.2, 0.02), (1.6, 0.01), (2.5, 0.01), (9.0, 0.01)]
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


@pytest.mark.parametrize("angle", [0.0, 0.7])
def test_drifting_draws_stars_out(scene, angle):
    drifted = scene._replace(trailing=np.float32(20.0))
    light = np.asarray(_in_pixel(X, Y, drifted, 0.0, angle))
    along = np.cos(angle) * X + np.sin(angle) * Y
    across = np.cos(angle) * Y - np.sin(angle) * X
    bright = light > light.max() / 2
    assert np.ptp(along[bright]) == pytest.approx(20 + scene.fwhm, abs=1.5)
    assert np.ptp(across[bright]) == pytest.approx(scene.fwhm, abs=1.5)


def test_stars_out_of_focus_are_rings(scene):
    donut = scene._replace(defocus=np.float32(8.0))
    light = np.asarray(_in_pixel(X, Y, donut, 0.0, 0.0))
    brightest = np.unravel_index(light.argmax(), light.shape)
    assert np.hypot(X, Y)[brightest] == pytest.approx(8, abs=1)
    assert light[150, 150] < 0.1 * light.max()
    assert psf_peak(donut) == pytest.approx(light.max(), rel=0.2)
