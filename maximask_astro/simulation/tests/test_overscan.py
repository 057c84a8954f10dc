import jax
import numpy as np
import pytest
from scipy import ndimage

from maximask_astro.simulation.overscan import add_overscan
from maximask_astro.tests.helpers import quick_jit


@pytest.fixture(scope="module")
def overscan(contaminate):
    return contaminate(add_overscan)


def test_beside_the_overscan_only_edges_change(overscan):
    assert np.isfinite(overscan.after).all()
    changed = (overscan.after != overscan.before) & ~overscan.mask
    some = changed.any(axis=(1, 2))
    assert 0.1 < some.mean() < 0.6
    for change, mask in zip(overscan.change[some], overscan.mask[some], strict=True):
        near = ndimage.binary_dilation(mask, np.ones((3, 3)), 3) & ~mask
        far = ~ndimage.binary_dilation(mask, np.ones((3, 3)), 60)
        assert np.abs(change[near]).mean() > 0.02
        if far.any():
            assert np.abs(change[far]).mean() < np.abs(change[near]).mean()


def test_as_in_the_paper_only_the_overscan_changes(contaminate):
    done = contaminate(add_overscan, as_paper=True)
    assert np.array_equal(done.after[~done.mask], done.before[~done.mask])


def test_wherever_it_is_it_is_finite(scene):
    image = np.full((64, 48), 400.0, np.float32)
    keys = jax.random.split(jax.random.key(5), 300)
    add = quick_jit(jax.vmap(lambda key: add_overscan(key, image, scene)))
    after, mask = add(keys)
    columns = np.asarray(mask).all(axis=1)
    # Between two amplifiers, too.
    assert (columns.any(axis=1) & ~columns[:, 0] & ~columns[:, -1]).sum() > 10
    assert np.isfinite(after).all()


def test_overscan_is_strips(overscan):
    inside = corners = 0
    for mask in overscan.mask[overscan.mask.any(axis=(1, 2))]:
        rows, columns = mask.all(axis=1), mask.all(axis=0)
        assert rows.any() or columns.any()
        assert np.array_equal(mask, rows[:, None] | columns)
        # At both sides, and up to three between amplifiers.
        assert np.abs(np.diff(rows.astype(int))).sum() <= 2 + 2
        assert np.abs(np.diff(columns.astype(int))).sum() <= 2 + 6
        assert not mask.all()
        # Few are between two amplifiers rather than at a side.
        inside += not (rows[[0, -1]].any() or columns[[0, -1]].any())
        corners += rows.any() and columns.any()
    assert inside < 0.4 * len(overscan.mask)
    assert corners > 0.1 * len(overscan.mask)


def test_strips_are_narrow_or_wide(scene):
    image = np.full((256, 300), scene.sky, np.float32)
    keys = jax.random.split(jax.random.key(6), 200)
    after, mask = quick_jit(jax.vmap(lambda key: add_overscan(key, image, scene)))(keys)
    after, mask = np.asarray(after), np.asarray(mask)
    left = mask[:, 128].argmin(axis=1)
    left = left[(left > 0) & (left < 200)]
    assert left.min() >= 4
    assert left.max() <= 0.3 * 256 + 1
    assert 0.2 < np.mean(left <= 20) < 0.8
    columns = mask.all(axis=1)
    between = columns & ~columns[:, :1] & ~columns[:, -1:]
    strips = np.abs(np.diff(between.astype(int), axis=1)).sum(axis=1) // 2
    assert {0, 1, 3} <= set(strips)
    # A few are brighter than the sky, and a few have no noise.
    levels = [np.median(a[m]) for a, m in zip(after, mask, strict=True) if m.any()]
    assert 0.01 < np.mean(np.array(levels) > scene.sky) < 0.12
    noises = [a[m].std() for a, m in zip(after, mask, strict=True) if m.any()]
    assert 0.02 < np.mean(np.array(noises) == 0) < 0.15


def test_overscan_is_only_where_it_shows(overscan, scenes):
    some = overscan.mask.any(axis=(1, 2))
    assert 0.5 < some.mean() < 1
    assert not some[scenes.sky < 0.6 * scenes.sigma].any()
    # Narrow strips are nowhere where they hardly differ.
    for mask in overscan.mask[scenes.sky < scenes.sigma]:
        assert not 0 < mask.sum() < 9 * min(mask.shape)


def test_overscan_is_the_bias_with_read_noise(overscan, scenes):
    virtual = brighter = 0
    for index, mask in enumerate(overscan.mask):
        if not mask.any():
            continue
        level = np.median(overscan.after[index][mask])
        noise = scenes.read_noise[index]
        # From pixel to pixel, as charge that was left falls off at an edge.
        steps = []
        for axis in (0, 1):
            step = np.diff(np.where(mask, overscan.after[index], np.nan), axis=axis)
            steps.append(1.4826 * np.nanmedian(np.abs(step)) / 2**0.5)
        if min(steps) == 0:
            virtual += 1
        else:
            assert min(steps) == pytest.approx(noise, rel=0.2)
        if level > scenes.sky[index]:
            brighter += 1
        else:
            assert -6 * noise < level < 0.9 * scenes.sky[index] + noise
    assert virtual <= 6
    assert brighter <= 5
    level = [
        np.median(a[m]) if m.any() else 0
        for a, m in zip(overscan.after, overscan.mask, strict=True)
    ]
    assert np.mean(np.abs(level) < 3 * scenes.read_noise) > 0.6


def test_overscan_as_in_the_paper(contaminate, scenes):
    done = contaminate(add_overscan, as_paper=True)
    assert done.mask.any(axis=(1, 2)).sum() > 8
    for index, mask in enumerate(done.mask):
        if mask.any():
            values = done.after[index][mask]
            level = np.median(values)
            assert level < 0.72 * scenes.sky[index]
            scatter = max(0.02 * scenes.sigma[index], 0.02 * level)
            assert values.std() < 1.3 * scatter
