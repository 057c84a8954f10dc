import jax
import numpy as np
import pytest

from maximask_astro.simulation.pattern_noise import (
    add_heavy_tails,
    add_pattern,
    bayer_mosaic,
)
from maximask_astro.simulation.tests.conftest import SHAPE, keys
from maximask_astro.tests.helpers import quick_jit

NUMBER = 120


@pytest.fixture(scope="module")
def patterns(scene):
    """In units of the sky noise."""
    zeros = np.zeros(SHAPE, np.float32)
    add = quick_jit(jax.vmap(lambda key: add_pattern(key, zeros, scene)))
    return np.asarray(add(keys(3, NUMBER))) / scene.sigma


def test_pixels_of_rows_or_columns_have_patterns_in_common(patterns):
    by_row = np.all(patterns == patterns[:, :, :1], axis=(1, 2))
    by_column = np.all(patterns == patterns[:, :1], axis=(1, 2))
    assert by_row.mean() > 0.25
    assert by_column.mean() > 0.25
    neither = ~by_row & ~by_column
    assert 0.02 < neither.mean() < 0.3
    # What disturbs the readout is a wave.
    waves = patterns[neither]
    spread = waves.std(axis=(1, 2))
    assert np.allclose(np.abs(waves).max(axis=(1, 2)), 2**0.5 * spread, rtol=0.25)


def test_patterns_are_faint(patterns):
    spread = patterns.std(axis=(1, 2))
    assert np.all(spread < 6)
    assert 0.05 < np.median(spread) < 0.5


def test_some_columns_are_of_interleaved_amplifiers(patterns):
    again = [np.allclose(one, np.roll(one, 4, axis=1), atol=1e-5) for one in patterns]
    by_row = np.all(patterns == patterns[:, :, :1], axis=(1, 2))
    assert 0.01 < np.mean(np.array(again) & ~by_row) < 0.2


def test_heavy_tails_keep_the_spread():
    noise = np.random.RandomState(1).standard_normal((400, 400)).astype(np.float32)
    for seed in range(4):
        heavy = np.asarray(add_heavy_tails(jax.random.key(seed), noise))
        assert heavy.std() == pytest.approx(1, abs=0.03)
        kurtosis = (heavy**4).mean() / heavy.var() ** 2
        assert kurtosis > 3.5


def test_colors_repeat_in_cells():
    image = np.full(SHAPE, 100, np.float32)
    mosaics = np.stack([bayer_mosaic(key, image) for key in keys(1, 20)])
    assert np.array_equal(mosaics[:, 2:, 2:], mosaics[:, :-2, :-2])
    cells = mosaics[:, :2, :2].reshape(20, 4)
    # Two green ones that are alike, on a diagonal.
    assert np.all((cells == 100).sum(axis=1) == 2)
    assert np.all(cells.min(axis=1) >= 40)
    assert len({tuple(np.flatnonzero(cell == 100)) for cell in cells}) == 2
