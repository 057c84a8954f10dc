import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import label

from maximask_astro.simulation.saturation import (
    _bleed,
    _intrude,
    _readings,
    _run_along_edge,
    saturate,
)
from maximask_astro.simulation.tests.conftest import N_EXPOSURES, SHAPE
from maximask_astro.tests.helpers import quick_compilation

WELL = 1000.0
_compiled_bleed = jax.jit(_bleed)


def column_image(seed, bright):
    """Columns of a faint sky, and stars of a given total in the middle rows."""
    random = np.random.RandomState(seed)
    image = random.uniform(0, 0.8 * WELL, (60, 7))
    image[28:32] += random.uniform(0, bright, (4, 7))
    return image.astype(np.float32)


@given(st.integers(0, 2**32 - 1), st.floats(0, 1.4 * WELL), st.floats(0.2, 0.8))
def test_bleeding_conserves_charge(seed, bright, share):
    image = column_image(seed, bright)
    bled = np.asarray(_compiled_bleed(image, WELL, share))
    assert bled.max() <= WELL * (1 + 1e-5)
    assert np.all(bled >= np.minimum(image, WELL) * (1 - 1e-5))
    # Charge stays in its column.
    assert np.allclose(bled.sum(axis=0), image.sum(axis=0), rtol=1e-4)


@given(st.integers(0, 2**32 - 1), st.floats(0.2, 0.8))
def test_what_no_pixel_can_hold_leaves_the_frame(seed, share):
    image = column_image(seed, 0)
    image[30] = 1000 * WELL
    bled = np.asarray(_compiled_bleed(image, WELL, share))
    assert np.allclose(bled, WELL, rtol=1e-4)


def test_unsaturated_pixels_do_not_bleed():
    image = column_image(1, 0)
    assert np.array_equal(_compiled_bleed(image, WELL, 0.5), image)


@pytest.fixture(scope="module")
def saturated(contaminate, skies, scenes):
    """Skies with a star of ten times the full well, 5 pixels wide."""
    images = skies.copy()
    y, x = np.indices(SHAPE)
    star = np.exp(-0.5 * np.hypot(y - 40, x - 70) ** 2 / 2.0**2)
    images += (10 * scenes.full_well[:, None, None] * star).astype(np.float32)
    return contaminate(saturate, images)


def test_nothing_is_above_the_full_well(saturated, scenes):
    assert np.isfinite(saturated.after).all()
    assert np.all(saturated.after <= scenes.full_well[:, None, None] * (1 + 1e-5))


def test_all_that_was_above_is_labeled(saturated, scenes):
    above = saturated.before >= scenes.full_well[:, None, None]
    assert saturated.mask[above].all()
    assert above.any(axis=(1, 2)).all()


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
    assert np.mean(reach[:, 0] > 1.3 * reach[:, 1]) > 0.25  # columns
    assert np.mean(reach[:, 1] > 1.3 * reach[:, 0]) > 0.05  # rows
    assert np.mean(reach[:, 0] == reach[:, 1]) > 0.05  # neither
    assert len(reach) == N_EXPOSURES


def test_skies_saturate_only_from_outside(contaminate, skies):
    done = contaminate(lambda *arguments: saturate(*arguments), skies)
    some = done.mask.any(axis=(1, 2))
    assert some.mean() < 0.25
    assert np.array_equal(done.after[~some], done.before[~some])
    assert np.array_equal(done.after[~done.mask], done.before[~done.mask])
    for mask in done.mask[some]:
        assert np.isin(label(mask)[0][mask], at_the_edge(mask)).all()


@pytest.mark.parametrize(("height", "width"), [(60, 90), (90, 60)])
def test_trails_from_outside_reach_in_from_an_edge(height, width):
    reach = []
    for numbers in np.random.RandomState(1).uniform(size=(100, 5)):
        inside = np.asarray(_intrude(numbers, 90, height, width))
        assert not inside[height:].any()
        assert not inside[:, width:].any()
        inside = inside[:height, :width]
        assert inside.any()
        assert (inside[0] | inside[-1]).any()
        assert inside.any(axis=0).sum() <= 12
        reach.append(inside.any(axis=1).sum())
    assert min(reach) < 10
    assert max(reach) == height


@pytest.mark.parametrize("lost", [3.0, 60.0, 1e5])
def test_what_leaves_the_frame_piles_up_along_its_edge(lost):
    charge = np.zeros(90)
    charge[40] = lost
    there, level = _run_along_edge([0.1, 0.5, 0.3, 0.2], charge, 60, 90)
    there = np.asarray(there)
    assert level == 1
    if lost < 5:
        assert not there.any()
        return
    assert there[0, 40]
    assert 0.3 * lost < there.sum() <= lost or there[0].sum() == 90
    assert not there[10:].any()
    never, _ = _run_along_edge([0.5, 0.5, 0.3, 0.2], charge, 60, 90)
    assert not never.any()


def test_full_pixels_read_even_structured_or_rough():
    with quick_compilation():
        read = jax.jit(_readings, static_argnums=1)
        key = jax.random.key(1)
        even, structured, rough = (
            np.asarray(read(key, (60, 90), np.array([kind, 0.7, 0.5]), False))
            for kind in (0.1, 0.5, 0.7)
        )
    assert np.all(even == 1)
    for levels in (structured, rough):
        assert levels.max() <= 1
        assert 0.5 <= levels.min() < 0.995

    # Columns have levels of their own; what is rough has them pixel by pixel.
    def spread(levels):
        return np.ptp(levels, axis=0).mean() / np.ptp(levels, axis=1).mean()

    assert spread(structured) < 0.7
    assert spread(rough) > 0.7
