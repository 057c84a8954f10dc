import jax
import numpy as np
import pytest
from scipy import ndimage

from maximask_astro.simulation.defects import (
    add_dead_lines,
    add_dead_pixels,
    add_hot_lines,
    add_hot_pixels,
)
from maximask_astro.simulation.tests.conftest import SHAPE, keys
from maximask_astro.tests.helpers import quick_compilation

ALL = [add_hot_lines, add_dead_lines, add_hot_pixels, add_dead_pixels]


@pytest.mark.parametrize("function", ALL)
def test_only_defects_change(contaminate, function):
    done = contaminate(function)
    assert np.isfinite(done.after).all()
    assert np.array_equal(done.after[~done.mask], done.before[~done.mask])


def test_hot_lines_are_bright(contaminate):
    done = contaminate(add_hot_lines)
    # At least three times the sky noise, which varies along the line by a tenth.
    assert done.change[done.mask].min() > 1
    assert np.mean(done.change[done.mask] > 2.4) > 0.99


def test_hot_lines_are_lines_in_every_exposure(contaminate):
    for mask in contaminate(add_hot_lines).mask:
        assert mask.any()
        along = [ndimage.binary_opening(mask, np.ones(s)) for s in ((1, 8), (8, 1))]
        assert np.array_equal(along[0] | along[1], mask)
        assert mask.sum() <= 4 * 3 * max(mask.shape)


def test_hot_pixels_are_bright(contaminate):
    done = contaminate(add_hot_pixels)
    assert done.change[done.mask].min() > 3.9
    assert done.change.max() < 1001


def test_no_defect_is_brighter_than_the_full_well(contaminate, scenes):
    for function in (add_hot_lines, add_hot_pixels):
        done = contaminate(function)
        top = np.where(done.mask, done.after, 0).max(axis=(1, 2))
        assert np.all(top <= scenes.full_well * 1.0001)


@pytest.mark.parametrize("function", [add_hot_pixels, add_dead_pixels])
def test_single_pixels_are_rare_and_random(contaminate, function):
    mask = contaminate(function).mask
    assert 5e-5 < mask.mean() < 3e-3
    sides = mask.sum(axis=2).sum(axis=1)
    assert len(np.unique(sides)) > 2
    # They do not touch one another but by accident.
    touching = sum(ndimage.label(m, np.ones((3, 3)))[1] for m in mask)
    assert touching > 0.9 * mask.sum()


def test_dead_pixels_are_never_brighter(contaminate):
    done = contaminate(add_dead_pixels)
    # Whoever labels a pixel must be able to see why.
    assert done.change[done.mask].max() <= -2.99
    assert done.mask.any(axis=(1, 2)).mean() > 0.8


def test_dead_lines_are_darker(contaminate):
    done = contaminate(add_dead_lines)
    deficits = []
    for change, mask in zip(done.change, done.mask, strict=True):
        # Some are set to about the level of the sky: then only their noise is gone.
        assert change[mask].mean() <= 0.5 + 4 / np.sqrt(max(mask.sum(), 1))
        deficits.append(change[mask].mean())
    assert np.median(deficits) < -2


def test_dead_lines_show(contaminate, scenes):
    done = contaminate(add_dead_lines)
    for after, mask, sky, sigma in zip(
        done.after, done.mask, scenes.sky, scenes.sigma, strict=True
    ):
        darker = np.median(after[mask]) < sky - 0.9 * sigma
        assert darker or after[mask].std() < 0.1 * sigma


def test_dead_lines_or_clusters_are_in_nearly_every_exposure(contaminate):
    masks = contaminate(add_dead_lines).mask
    assert np.mean(masks.any(axis=(1, 2))) > 0.9
    lines = [ndimage.binary_opening(m, np.ones((1, 30))).any() for m in masks]
    columns = [ndimage.binary_opening(m, np.ones((30, 1))).any() for m in masks]
    either = np.mean(np.logical_or(lines, columns))
    assert 0.2 < either < 1


def test_dead_clusters_and_lines_are_visible(contaminate, scenes, skies):
    """Parts that are not as bright as the sky lack six times their noise."""
    done = contaminate(add_dead_lines)
    found = 0
    for change, mask in zip(done.change, done.mask, strict=True):
        labels, number = ndimage.label(mask)
        index = np.arange(1, number + 1)
        lack = -ndimage.mean(change, labels, index)
        area = ndimage.sum_labels(mask, labels, index)
        noiseless = np.abs(change[mask].mean()) < 0.6
        if not noiseless:
            # But for the noise that was there before, of 1 / sqrt(area).
            assert np.all(lack * np.sqrt(area) > 6 - 3)
            assert np.all(lack > 1.2 - 3 / np.sqrt(area))
            found += number
    assert found > 20


def test_nothing_is_dead_in_the_overscan(scenes):
    scene = jax.tree.map(lambda values: values[0], scenes)
    scene = scene._replace(sky=np.float32(1e4), sigma=np.float32(100))
    dark = np.zeros(SHAPE, np.float32)
    add = jax.jit(jax.vmap(lambda key: add_dead_lines(key, dark, scene)))
    with quick_compilation():
        after, mask = add(keys(3))
    # Some have the level of the sky, which is nothing like the overscan.
    assert np.all(np.asarray(after)[np.asarray(mask)] > 9000)


def test_hot_defects_as_in_the_paper(contaminate, scenes):
    lines = contaminate(add_hot_lines, as_paper=True)
    pixels = contaminate(add_hot_pixels, as_paper=True)
    for done in (lines, pixels):
        full = done.after > scenes.full_well[:, None, None] * 0.99
        for change, mask in zip(done.change, done.mask & ~full, strict=True):
            values = change[mask]
            if len(values) > 1:
                assert 15 * 0.9 < values.mean() < 100 * 1.1
    deviation = [
        change[mask].std() / change[mask].mean()
        for change, mask in zip(pixels.change, pixels.mask, strict=True)
        if mask.sum() > 2
    ]
    assert np.median(deviation) == pytest.approx(0.02, abs=0.008)
    assert 1.5e-4 < pixels.mask.mean() < 5.5e-4


def test_dead_pixels_as_in_the_paper(contaminate, scenes):
    bright = scenes.sky > 20 * scenes.sigma
    for function in (add_dead_pixels, add_dead_lines):
        done = contaminate(function, as_paper=True)
        levels = [
            (np.median(after[mask]) / sky, after[mask].std() / sky)
            for after, mask, sky in zip(
                done.after[bright], done.mask[bright], scenes.sky[bright], strict=True
            )
            if mask.any()
        ]
        level, scatter = np.array(levels).T
        assert np.all((level < 0.01) | ((level > 0.09) & (level < 0.72)))
        assert 0.1 < np.mean(level > 0.09) < 0.7
        assert np.all(scatter < 0.02)
