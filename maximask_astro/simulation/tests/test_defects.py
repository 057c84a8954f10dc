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
from maximask_astro.tests.helpers import quick_jit

LINES = [add_hot_lines, add_dead_lines]
PIXELS = [add_hot_pixels, add_dead_pixels]


def significance(change, mask):
    """Integrated signal-to-noise ratio of what was added to the labeled pixels."""
    return np.sqrt(np.sum(change[mask] ** 2))


@pytest.mark.parametrize("function", LINES)
def test_only_lines_change(contaminate, function):
    done = contaminate(function)
    assert np.isfinite(done.after).all()
    changed = done.after != done.before
    # Not labeled are the faint ends of lines that fade.
    beyond = changed & ~done.mask
    assert beyond.sum() < 0.25 * done.mask.sum()
    assert np.abs(done.change[beyond]).mean() < 1.5
    assert changed[done.mask].mean() > 0.99


@pytest.mark.parametrize("function", PIXELS)
def test_only_pixels_change(contaminate, function):
    done = contaminate(function)
    assert np.isfinite(done.after).all()
    changed = (done.after != done.before) & ~done.mask
    # Not labeled are neighbors that get little of a hot pixel's signal.
    crosses = changed.any(axis=(1, 2))
    assert crosses.mean() < (0.4 if function is add_hot_pixels else 0.01)
    if crosses.any():
        assert 0 < done.change[changed].max() < 6


def test_hot_lines_are_bright_or_long(contaminate):
    done = contaminate(add_hot_lines)
    medians = []
    for change, mask in zip(done.change, done.mask, strict=True):
        if mask.any():
            assert significance(change, mask) > 5
            medians.append(np.median(change[mask]))
    assert len(medians) > 0.9 * len(done.mask)
    medians = np.array(medians)
    # Partners of the other sign are few.
    assert np.mean(medians > 0) > 0.9
    assert np.mean(medians < 4) > 0.1
    assert np.mean(medians > 10) > 0.25


def test_faint_columns_are_labeled_as_far_as_they_go(scene):
    """At half the noise, whole columns of 700 pixels have a ratio of 13."""
    image = np.full((700, 64), scene.sky, np.float32)
    add = quick_jit(jax.vmap(lambda key: add_hot_lines(key, image, scene)))
    after, mask = map(np.asarray, add(keys(5, 40)))
    change = (after - image) / scene.sigma
    whole = np.argwhere(mask.all(axis=1))
    strengths = [np.median(change[index, :, column]) for index, column in whole]
    assert len(strengths) > 20
    strengths = np.abs(strengths)
    assert 0.2 < strengths.min() < 0.7
    assert np.mean(strengths < 3) > 0.2


def test_lines_are_lost_in_bright_objects(scene):
    image = np.full((96, 128), scene.sky, np.float32)
    image[:, :64] += 100 * scene.sigma
    scene = scene._replace(full_well=np.float32(1e9))
    for function in LINES:
        add = quick_jit(jax.vmap(lambda key, add=function: add(key, image, scene)))
        after, mask = map(np.asarray, add(keys(6)))
        seen = np.abs(after - image)[mask] / np.sqrt(
            scene.sigma**2 + np.broadcast_to(image, after.shape)[mask] - scene.sky
        )
        # But for the noise in what is added.
        assert np.percentile(seen, 1) > 0.2
        dark = mask[:, :, 64:].mean()
        assert mask[:, :, :64].mean() < dark


def test_no_defect_is_brighter_than_the_full_well(contaminate, scenes):
    for function in (add_hot_lines, add_hot_pixels):
        done = contaminate(function)
        top = np.where(done.mask, done.after, 0).max(axis=(1, 2))
        assert np.all(top <= scenes.full_well * 1.0001)


@pytest.mark.parametrize("function", PIXELS)
def test_single_pixels_are_rare_and_random(contaminate, function):
    mask = contaminate(function).mask
    fractions = mask.mean(axis=(1, 2))
    assert np.median(fractions) < 3e-3
    assert fractions.max() < 0.1
    # They do not touch one another but by accident, or in a cross.
    few = mask[fractions < 2e-3]
    touching = sum(ndimage.label(m, np.ones((3, 3)))[1] for m in few)
    assert touching > (0.9 if function is add_dead_pixels else 0.7) * few.sum()


def test_hot_pixels_are_bright_everywhere_in_some_detectors(scene):
    image = np.full((96, 128), scene.sky, np.float32)
    add = quick_jit(jax.vmap(lambda key: add_hot_pixels(key, image, scene)))
    after, mask = map(np.asarray, add(keys(7, 100)))
    strengths = (after - image) / scene.sigma
    assert strengths[mask].min() > 3.9
    fractions = mask.mean(axis=(1, 2))
    assert 0.05 < np.mean(fractions > 3e-3) < 0.4
    # Warm ones that hardly stand out, and such that are hot by far.
    assert np.mean(strengths[mask] < 8) > 0.05
    assert np.mean(strengths[mask] > 30) > 0.2
    # Crosses: the four neighbors get the same.
    crosses = [
        (s[30:40, 30:40] > 0).sum() > 0 and ((s > 0) & ~m).any()
        for s, m in zip(strengths, mask, strict=True)
    ]
    assert np.mean(crosses) < 0.3
    shared = [index for index, s in enumerate(strengths) if ((s > 0) & (s < 3)).any()]
    assert 3 < len(shared) < 35
    for index in shared:
        s = strengths[index, 1:-1, 1:-1]
        lone = ndimage.maximum_filter(strengths[index], 5)[1:-1, 1:-1] == s
        lone &= s > 20
        beside = strengths[index, 1:-1, :-2][lone] / s[lone]
        assert np.all(beside > 0.004)


def test_nothing_is_above_the_pixels_that_are_saturated(scene):
    image = np.full((96, 128), scene.sky, np.float32)
    image[40:44, 50:54] = top = scene.sky + 30 * scene.sigma
    for function in (add_hot_lines, add_hot_pixels):
        add = quick_jit(jax.vmap(lambda key, add=function: add(key, image, scene)))
        after, mask = map(np.asarray, add(keys(8)))
        assert after.max() == top
        # What reads no more for it is not labeled.
        assert not mask[:, 40:44, 50:54].any() or function is add_hot_lines


def test_dead_pixels_are_never_brighter(contaminate):
    done = contaminate(add_dead_pixels)
    # Whoever labels a pixel must be able to see why.
    assert done.change[done.mask].max() <= -2.99
    assert done.mask.any(axis=(1, 2)).mean() > 0.8


def test_dead_lines_are_darker_or_without_noise(contaminate, scenes):
    done = contaminate(add_dead_lines)
    deficits, number = [], 0
    for after, change, mask, sigma in zip(
        done.after, done.change, done.mask, scenes.sigma, strict=True
    ):
        if not mask.any():
            continue
        # Some are set to about the level of the sky: then their noise is gone.
        noiseless = after[mask].std() < 1e-3 * sigma
        number += noiseless
        if not noiseless:
            deficits.append(-change[mask].mean())
            # The noise that was there before is gone in some.
            assert significance(change, mask) > 5
    assert number < 0.4 * len(done.mask)
    assert np.mean(np.array(deficits) > 0) > 0.85
    assert np.median(deficits) > 1
    assert np.mean(np.array(deficits) < 5) > 0.1


def test_dead_lines_or_clusters_are_in_nearly_every_exposure(contaminate):
    masks = contaminate(add_dead_lines).mask
    assert np.mean(masks.any(axis=(1, 2))) > 0.9
    lines = [ndimage.binary_opening(m, np.ones((1, 30))).any() for m in masks]
    columns = [ndimage.binary_opening(m, np.ones((30, 1))).any() for m in masks]
    either = np.mean(np.logical_or(lines, columns))
    assert 0.2 < either < 1


def test_nothing_is_dead_in_the_overscan(scenes):
    scene = jax.tree.map(lambda values: values[0], scenes)
    scene = scene._replace(sky=np.float32(1e4), sigma=np.float32(100))
    dark = np.zeros(SHAPE, np.float32)
    add = quick_jit(jax.vmap(lambda key: add_dead_lines(key, dark, scene)))
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
