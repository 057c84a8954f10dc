import jax
import numpy as np
import pytest

from maximask_astro.simulation.sky import N_BRIGHT, draw_stars, render_stars
from maximask_astro.simulation.tests.conftest import SHAPE, keys, random_scenes
from maximask_astro.tests.helpers import quick_jit


def drawn(scenes, shape, seed=5):
    draw = quick_jit(jax.vmap(lambda key, scene: draw_stars(key, scene, shape)))
    return jax.tree.map(np.asarray, draw(keys(seed, len(scenes.sky)), scenes))


@pytest.fixture(scope="module")
def many_scenes():
    return random_scenes(300, seed=2)


@pytest.fixture(scope="module")
def stars(many_scenes):
    return drawn(many_scenes, SHAPE)


def test_stars_are_in_order_of_brightness(stars):
    assert all(np.isfinite(values).all() for values in stars)
    assert np.all(np.diff(stars.flux, axis=1) <= 0)
    assert np.all(stars.flux >= 0)
    assert np.all((stars.ellipticity >= 0) & (stars.ellipticity <= 0.5))


def test_fields_are_empty_or_crowded(stars):
    number = (stars.flux > 0).sum(axis=1)
    assert number.min() < 5
    assert np.mean(number > 60) > 0.05
    # One star in some 25 to 60 pixels.
    assert number.max() > SHAPE[0] * SHAPE[1] / 60


def test_the_number_of_stars_grows_with_the_area(many_scenes):
    few, many = (
        (drawn(many_scenes, shape).flux > 0).sum(axis=1)
        for shape in ((64, 64), (128, 256))
    )
    rich = few > 30
    assert rich.sum() > 10
    assert many[rich] / few[rich] == pytest.approx(8, abs=0.5)


def test_stars_do_not_crowd_where_the_psf_is_wide(stars, many_scenes):
    number = (stars.flux > 0).sum(axis=1)
    area = SHAPE[0] * SHAPE[1]
    assert number[many_scenes.fwhm > 6].max() < 0.4 * area / 36
    assert number[many_scenes.fwhm < 2.5].max() > 0.4 * area / 36


def test_undersampled_stars_are_bright_often(stars, many_scenes):
    narrow = many_scenes.fwhm < 1.3
    # A pixel holds about a third of the light or more.
    bright = (0.3 * stars.flux > 20 * many_scenes.sigma[:, None]).sum(axis=1)
    assert narrow.mean() > 0.06
    assert np.mean(bright[narrow] > 2) > 0.15


def test_positions_reach_beyond_the_frame(stars):
    for values, size in ((stars.y, SHAPE[0]), (stars.x, SHAPE[1])):
        assert values.min() < -30
        assert values.max() > size + 30
        assert np.all((values > -41) & (values < size + 41))


def test_some_stars_are_in_clusters(stars):
    """The median distance from the median star is small in some rich fields."""
    rich = (stars.flux > 0).sum(axis=1) > 40
    x = np.where(stars.flux > 0, stars.x, np.nan)[rich]
    spread = np.nanmedian(np.abs(x - np.nanmedian(x, axis=1)[:, None]), axis=1)
    assert 0.01 < np.mean(spread < 25) < 0.5
    assert np.median(spread) > 40


def test_rendered_stars_are_vignetted(scene, stars):
    bright = np.argmax((stars.flux > 0).sum(axis=1))
    these = jax.tree.map(lambda values: values[bright], stars)
    render = quick_jit(lambda stars, scene: render_stars(stars, scene, SHAPE))
    image = np.asarray(render(these, scene))
    dark = np.asarray(render(these, scene._replace(round_field=np.float32(0.5))))
    assert image.shape == SHAPE
    assert image.min() >= 0
    assert image[:8, :8].sum() > 0
    assert dark[:8, :8].sum() < 1e-3 * image[:8, :8].sum()
    middle = np.s_[40:56, 56:72]
    assert np.allclose(dark[middle], image[middle], rtol=1e-3)


def test_at_least_the_brightest_are_there(scene):
    """Spikes are drawn on the first ones, whatever the shape is."""
    stars = draw_stars(jax.random.key(1), scene, (16, 16))
    assert len(stars.flux) >= N_BRIGHT
