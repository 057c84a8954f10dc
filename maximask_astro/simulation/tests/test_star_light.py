import numpy as np
import pytest

from maximask_astro.simulation.psf import psf_in_pixel
from maximask_astro.simulation.sky import Stars
from maximask_astro.simulation.star_light import MARGIN, N_BRIGHT, render_points
from maximask_astro.simulation.tests.conftest import SHAPE
from maximask_astro.tests.helpers import quick_jit

Y, X = np.indices(SHAPE, dtype=np.float32)
NUMBER = 400
BLURRED = [{"defocus": 6.0, "obstruction": 0.5}, {"trailing": 25.0}]


@pytest.fixture(scope="module")
def render(scene):
    jitted = quick_jit(lambda stars, scene: render_points(stars, scene, SHAPE))

    def call(x, y, flux, **numbers):
        columns = np.zeros((5, NUMBER), np.float32)
        columns[:3, : len(flux)] = x, y, flux
        columns[3], columns[4] = 0.1, 0.5
        numbers = {name: np.float32(value) for name, value in numbers.items()}
        image = jitted(Stars(*columns), scene._replace(**numbers))
        return np.asarray(image, dtype=float)

    return call


@pytest.fixture(scope="module")
def faintest(render):
    """Function that gives a star alone, after so many as bright ones elsewhere."""

    def call(before, x, y, flux, **numbers):
        flux = np.full(before + 1, flux)
        place = np.full(before, 20.0), np.full(before, 20.0)
        with_it = render([*place[0], x], [*place[1], y], flux, **numbers)
        if before == 0:
            return with_it
        return with_it - render(*place, flux[:-1], **numbers)

    return call


@pytest.mark.parametrize("fwhm", [1.1, 2.5, 6.0])
@pytest.mark.parametrize("flux", [1e3, 1e5])
@pytest.mark.parametrize("before", [0, N_BRIGHT + 3, 90])
def test_light_of_a_star_is_conserved(faintest, before, flux, fwhm):
    for place in ((70.0, 50.0), (70.375, 49.625)):
        image = faintest(before, *place, flux, fwhm=fwhm)
        assert image.shape == SHAPE
        assert image.min() > -1e-3 * flux
        # Of faint ones, what is lost in the noise is not drawn.
        assert image.sum() == pytest.approx(flux, rel=0.06)
        center = (image * X).sum() / image.sum(), (image * Y).sum() / image.sum()
        # They are drawn at the nearest of four places in a pixel.
        assert center == pytest.approx(place, abs=0.13)


@pytest.mark.parametrize("numbers", BLURRED)
def test_light_of_blurred_stars_is_conserved(faintest, numbers):
    for before in (0, 30):
        image = faintest(before, 70.3, 49.6, 1e5, **numbers)
        assert image.sum() == pytest.approx(1e5, rel=0.03)
        assert (image * X).sum() / image.sum() == pytest.approx(70.3, abs=0.3)
        assert (image * Y).sum() / image.sum() == pytest.approx(49.6, abs=0.3)


@pytest.mark.parametrize("fwhm", [1.1, 2.5, 6.0])
@pytest.mark.parametrize("wings", [0.002, 0.08])
def test_bright_stars_are_the_psf(scene, render, fwhm, wings):
    """To less than the noise, also where stamps end and wings begin."""
    numbers = {"fwhm": fwhm, "wings": wings}
    image = render([70.3], [49.6], [3e6], **numbers)
    this = scene._replace(**{name: np.float32(x) for name, x in numbers.items()})
    exact = 3e6 * psf_in_pixel(X - 70.3, Y - 49.6, this, 0.1, 0.5)
    noise = np.sqrt(scene.sigma**2 + np.asarray(exact))
    assert np.abs((image - exact) / noise).max() < 0.7


def test_faint_stars_differ_from_the_psf_by_less_than_the_noise(scene, faintest):
    """In tables of PSFs, at the nearest place in a pixel."""
    for fwhm in (1.1, 2.5, 6.0):
        this = scene._replace(fwhm=np.float32(fwhm))
        image = faintest(40, 70.125, 49.625, 3e3, fwhm=fwhm)
        exact = 3e3 * psf_in_pixel(X - 70.125, Y - 49.625, this, 0.1, 0.5)
        assert np.abs(image - exact).max() < scene.sigma


@pytest.mark.parametrize("before", [0, 30])
@pytest.mark.parametrize("numbers", [{}, *BLURRED])
def test_stars_outside_of_the_frame_only_show_their_wings(faintest, before, numbers):
    far = MARGIN - 0.1
    for place in ((-far, -far), (SHAPE[1] + far, 20), (30, SHAPE[0] + far)):
        image = faintest(before, *place, 1e7, **numbers)
        assert image.max() < 100
        if before == 0:
            assert image.max() > 0


def test_coma_grows_from_the_axis(render, scene):
    """Of faint stars in opposite corners, whose PSFs come from a table."""
    flux = np.full(N_BRIGHT + 2, 3e3)
    x = [*np.full(N_BRIGHT, 64.0), 20.0, 110.0]
    y = [*np.full(N_BRIGHT, 48.0), 20.0, 80.0]
    image = render(x, y, flux, coma=0.3, axis_y=0.0, axis_x=0.0, fwhm=3.0)

    def elongation(x, y):
        part = np.s_[y - 6 : y + 7, x - 6 : x + 7]
        light, dy, dx = image[part], Y[part] - y, X[part] - x
        xx, yy, xy = ((light * a).sum() for a in (dx**2, dy**2, dx * dy))
        return np.hypot(xx - yy, 2 * xy) / (xx + yy)

    assert elongation(110, 80) > elongation(20, 20) + 0.1


def test_halos_are_disks(render):
    plain = render([64.0], [48.0], [1e6])
    light = render([64.0], [48.0], [1e6], halo=20.0, reflected=0.02) - plain
    assert light.min() >= 0
    distance = np.hypot(X - 64, Y - 48)
    assert light[distance < 30].sum() > 0.99 * light.sum()
    assert light.sum() == pytest.approx(0.02e6, rel=0.15)
