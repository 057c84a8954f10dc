import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.simulation.saturation import _bleed, saturate
from maximask_astro.simulation.tests.conftest import N_EXPOSURES, SHAPE

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


def test_only_the_surroundings_change(saturated):
    assert np.array_equal(saturated.after[:, :5, :5], saturated.before[:, :5, :5])
    far = saturated.mask.copy()
    far[:, :, 50:90] = far[:, 20:60] = False
    assert not far.any()


def test_charge_bleeds_along_columns_rows_or_not(saturated):
    reach = np.array([np.ptp(np.argwhere(m), axis=0) + 1 for m in saturated.mask])
    assert np.mean(reach[:, 0] > 1.3 * reach[:, 1]) > 0.25  # columns
    assert np.mean(reach[:, 1] > 1.3 * reach[:, 0]) > 0.05  # rows
    assert np.mean(reach[:, 0] == reach[:, 1]) > 0.05  # neither
    assert len(reach) == N_EXPOSURES


def test_skies_do_not_saturate(contaminate, skies):
    done = contaminate(lambda *arguments: saturate(*arguments), skies)
    assert not done.mask.any()
    assert np.array_equal(done.after, done.before)
