import numpy as np
import pytest
from scipy import ndimage

from maximask_astro.simulation.fields import make_grid
from maximask_astro.simulation.nebulosity import _visible, add_nebulosity
from maximask_astro.simulation.tests.conftest import N_EXPOSURES, SHAPE
from maximask_astro.tests.helpers import quick_jit

EMPTY = np.zeros((N_EXPOSURES, *SHAPE), np.float32)


@pytest.fixture(scope="module")
def nebulosity(contaminate):
    return contaminate(add_nebulosity, EMPTY)


def visible(light, scene, typical):
    grid = make_grid(SHAPE, 8)
    judge = quick_jit(lambda light: _visible(light, 0 * light, scene, grid, typical))
    return np.asarray(judge(light))


def test_nebulosity_only_adds_light(nebulosity):
    assert np.isfinite(nebulosity.after).all()
    assert nebulosity.change.min() > -1e-3


def test_nebulae_are_faint_and_bright_small_and_large(nebulosity):
    fraction = nebulosity.mask.mean(axis=(1, 2))
    assert np.mean(fraction > 0) > 0.9
    assert fraction.min() < 0.3
    assert np.mean(fraction > 0.95) > 0.1
    top = np.percentile(nebulosity.change, 99, axis=(1, 2))
    assert np.mean(top < 5) > 0.1
    assert np.mean(top > 50) > 0.1


def test_what_is_clearly_seen_is_labeled_and_nothing_else(nebulosity, scenes):
    for change, mask, smoothing in zip(
        nebulosity.change, nebulosity.mask, scenes.smoothing, strict=True
    ):
        if smoothing > 0:
            continue
        low, high = np.quantile(change, (0.02, 0.98))
        excess = change - max(2 * low - high, 0)
        around = ndimage.gaussian_filter(excess, 8.0, mode="reflect")
        # Seen although their own light adds to the noise.
        seen = around > 1 + 0.05 * change.max()
        assert mask[seen].mean() > 0.97 if seen.any() else True
        wide = ndimage.gaussian_filter(excess, 24.0, mode="reflect")
        unseen = np.maximum(around / 3, wide) < 0.06
        assert mask[unseen].mean() < 0.03 if unseen.any() else True


def test_a_nebula_beyond_the_other_side_is_not_labeled_here(scene):
    """Nothing wraps around."""
    light = np.zeros(SHAPE, np.float32)
    light[:, -20:] = 5 * scene.sigma
    mask = visible(light, scene, 5 * scene.sigma)
    assert mask[:, -16:].all()
    assert not mask[:, :16].any()


@pytest.mark.parametrize(("level", "ripple", "labeled"), [(20, 0, 0), (20, 15, 1)])
def test_only_structure_makes_light_over_the_whole_frame_seen(
    scene, level, ripple, labeled
):
    y, x = np.indices(SHAPE)
    light = scene.sigma * (level + ripple * np.sin(x / 15) * np.sin(y / 15))
    light = light.astype(np.float32)
    mask = visible(light, scene, level * scene.sigma)
    assert mask.mean() == pytest.approx(labeled, abs=0.02)


def test_the_smallest_structures_are_resolved(nebulosity, scenes):
    steps = np.mean(np.diff(nebulosity.change, axis=2) ** 2, axis=(1, 2))
    rough = steps / nebulosity.change.var(axis=(1, 2))
    assert np.median(rough) < 0.1
    assert np.all(rough[scenes.fwhm > 5] < 0.3)


def test_nebulosity_as_in_the_paper(contaminate):
    done = contaminate(add_nebulosity, EMPTY, as_paper=True)
    assert done.change.std(axis=(1, 2)) == pytest.approx(1.3, rel=0.15)
    for change, mask in zip(done.change, done.mask, strict=True):
        bright = ndimage.binary_erosion(change > 1.3, np.ones((5, 5)), border_value=1)
        dilated = ndimage.binary_dilation(bright, np.ones((19, 19)))
        assert np.mean(mask == dilated) > 0.99
