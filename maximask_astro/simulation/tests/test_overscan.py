import numpy as np
import pytest

from maximask_astro.simulation.overscan import add_overscan


@pytest.fixture(scope="module")
def overscan(contaminate):
    return contaminate(add_overscan)


def test_only_the_overscan_changes(overscan):
    assert np.isfinite(overscan.after).all()
    outside = ~overscan.mask
    assert np.array_equal(overscan.after[outside], overscan.before[outside])


def test_overscan_is_strips_along_the_sides(overscan):
    for mask in overscan.mask:
        rows, columns = mask.all(axis=1), mask.all(axis=0)
        assert rows.any() or columns.any()
        assert np.array_equal(mask, rows[:, None] | columns)
        assert np.all(np.abs(np.diff(rows.astype(int))).sum() <= 2)
        assert not mask.all()
        # The middle of the frame sees the sky.
        assert not mask[48, 64]


def test_overscan_is_the_bias_with_read_noise(overscan, scenes):
    for index, mask in enumerate(overscan.mask):
        values = overscan.after[index][mask]
        level = np.median(values)
        noise = scenes.read_noise[index]
        assert values.std() == pytest.approx(noise, rel=0.2)
        assert -noise < level < 0.7 * scenes.sky[index] + noise
    level = [
        np.median(a[m]) for a, m in zip(overscan.after, overscan.mask, strict=True)
    ]
    assert np.mean(np.abs(level) < scenes.read_noise) > 0.6
