import jax
import numpy as np
import pytest
from scipy.ndimage import label

from maximask_astro.simulation.draws import uniforms
from maximask_astro.simulation.saturation import _level, saturate
from maximask_astro.simulation.tests.conftest import N_EXPOSURES, SHAPE, keys
from maximask_astro.tests.helpers import quick_jit


@pytest.fixture(scope="module")
def saturated(contaminate, skies, scenes):
    """Skies with a star of ten times the full well, 5 pixels wide."""
    images = skies.copy()
    y, x = np.indices(SHAPE)
    star = np.exp(-0.5 * np.hypot(y - 40, x - 70) ** 2 / 2.0**2)
    images += (10 * scenes.full_well[:, None, None] * star).astype(np.float32)
    return contaminate(saturate, images)


def test_few_levels_are_above_the_full_well(saturated, scenes):
    assert np.isfinite(saturated.after).all()
    above = saturated.after > scenes.full_well[:, None, None] * (1 + 1e-5)
    # Those of calibrated exposures, and large constants.
    assert above.any(axis=(1, 2)).mean() < 0.3
    assert not above[~saturated.mask].any()


def test_all_that_was_above_is_labeled(saturated, scenes):
    above = saturated.before >= scenes.full_well[:, None, None]
    assert saturated.mask[above].all()
    assert above.any(axis=(1, 2)).all()


def test_levels_are_below_the_full_well_in_many_exposures(saturated, scenes):
    lower = [
        np.median(after[mask]) < 0.5 * well
        for after, mask, well in zip(
            saturated.after, saturated.mask, scenes.full_well, strict=True
        )
    ]
    assert 0.2 < np.mean(lower) < 0.95


def at_the_edge(mask):
    """Numbers of the groups of pixels that touch the edge of the frame."""
    labels = label(mask)[0]
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return edge[edge > 0]


def test_only_the_surroundings_change(saturated):
    assert np.array_equal(saturated.after[:, :5, :5], saturated.before[:, :5, :5])
    far = saturated.mask.copy()
    far[:, :, 50:90] = far[:, 20:60] = False
    # Or what comes from outside, or piles up along the edge of the frame.
    assert far.any(axis=(1, 2)).mean() < 0.4
    for mask, farther in zip(saturated.mask, far, strict=True):
        assert np.isin(label(mask)[0][farther], at_the_edge(mask)).all()


def test_charge_bleeds_along_columns_rows_or_not(saturated):
    reach = np.array([np.ptp(np.argwhere(m), axis=0) + 1 for m in saturated.mask])
    assert np.mean(reach[:, 0] > 1.3 * reach[:, 1]) > 0.15  # columns
    assert np.mean(reach[:, 1] > 1.3 * reach[:, 0]) > 0.04  # rows
    assert np.mean(np.ptp(reach, axis=1) <= 0.1 * reach.max(1)) > 0.2  # neither
    assert len(reach) == N_EXPOSURES


def test_skies_saturate_only_from_outside(contaminate, skies):
    done = contaminate(lambda *arguments: saturate(*arguments), skies)
    some = done.mask.any(axis=(1, 2))
    assert some.mean() < 0.25
    assert np.array_equal(done.after[~some], done.before[~some])


def stars_of(scene, shape, number=30):
    """A frame with stars from 20 to 50,000 times the noise, and their places."""
    random = np.random.RandomState(2)
    y, x = np.indices(shape)
    image = scene.sky + scene.sigma * random.standard_normal(shape)
    core = scene.fwhm / 2 / np.sqrt(2 ** (1 / scene.moffat) - 1)
    peaks = scene.sigma * np.geomspace(20, 5e4, number)
    places = random.uniform(4, np.array(shape) - 4, (number, 2))
    for peak, (y0, x0) in zip(peaks, places, strict=True):
        distance = np.hypot(y - y0, x - x0) / core
        image += peak * (1 + distance**2) ** -scene.moffat
    return image.astype(np.float32)


def test_small_cores_are_saturated_in_many_exposures(scene):
    scene = scene._replace(full_well=np.float32(1e9))
    image = stars_of(scene, (256, 256))
    saturates = quick_jit(jax.vmap(lambda key: saturate(key, image, scene)[1]))
    masks = np.asarray(saturates(keys(4, 60)))
    some = masks.any(axis=(1, 2))
    assert 0.5 < some.mean() < 0.9
    cores = [label(mask, np.ones((3, 3))) for mask in masks[some]]
    number = np.array([n for _, n in cores])
    assert np.mean(number <= 10) > 0.6
    assert (number > 10).any()
    small = [np.bincount(labels.ravel())[1:].min() <= 80 for labels, _ in cores]
    assert np.mean(small) > 0.8
    # Small compared with the frame.
    assert np.median(masks.mean(axis=(1, 2))) < 0.01
    assert masks.mean(axis=(1, 2)).max() < 0.15


@pytest.mark.parametrize("as_paper", [False, True])
def test_the_level_is_lowered_for_bright_stars_only(scene, as_paper):
    draw = uniforms(jax.random.key(1), "lowered", "rank", "many", "core")
    draw = draw._replace(lowered=0.0, many=0.9)
    scene = scene._replace(as_paper=np.bool_(as_paper), full_well=np.float32(1e9))
    level = quick_jit(lambda draw, image: _level(draw, image, scene))
    image = stars_of(scene, (128, 128))
    low, lowered = level(draw, image)
    assert bool(lowered) is not as_paper
    if not as_paper:
        assert scene.sky + 25 * scene.sigma <= low < scene.full_well
        # Few stars, and a level below all of the frame: neither is lowered.
        sky = np.full_like(image, scene.sky)
        for other in (sky, sky + 1000 * scene.sigma):
            same, lowered = level(draw, other)
            assert not lowered
            assert same == scene.full_well
    # Never above the full well.
    same, lowered = level(draw._replace(lowered=0.99), image)
    assert not lowered
    assert same == scene.full_well
