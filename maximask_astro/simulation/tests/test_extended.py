import jax
import numpy as np
import pytest

from maximask_astro.simulation.extended import (
    coarse_shape,
    draw_crowd,
    draw_extended,
    enlarge,
)
from maximask_astro.simulation.tests.conftest import SHAPE, keys
from maximask_astro.tests.helpers import quick_jit


def images_of(function, scenes):
    draw = quick_jit(jax.vmap(lambda key, scene: function(key, scene, SHAPE)))
    images = np.asarray(draw(keys(11), scenes))
    return images / scenes.sigma[:, None, None]


@pytest.mark.parametrize("shape", [(96, 128), (62, 77)])
def test_what_is_enlarged_has_the_shape_and_the_values(shape):
    field = np.add.outer(*(np.arange(n, dtype=float) for n in coarse_shape(shape)))
    large = np.asarray(enlarge(field, shape))
    assert large.shape == shape
    assert large.mean() == pytest.approx(field.mean(), rel=0.05)
    assert np.all(np.diff(large[8:-8, 8:-8], axis=0) > 0)


def test_some_extended_objects_are_faint_and_some_bright(scenes):
    images = images_of(draw_extended, scenes)
    assert np.isfinite(images).all()
    assert images.min() >= 0
    peak = images.max(axis=(1, 2))
    some = peak > 0
    assert 0.1 < some.mean() < 0.7
    assert np.median(peak[some]) < 30
    # No steps at the edges of the cells.
    steps = np.abs(np.diff(images, axis=1)).max(axis=(1, 2))
    assert np.all(steps[some] < 0.6 * peak[some])


def test_crowds_are_lumps_of_the_size_of_the_psf(scenes):
    images = images_of(lambda *a: draw_crowd(*a, often=1.0), scenes)
    assert np.isfinite(images).all()
    assert images.min() >= 0
    top = np.percentile(images, 90, axis=(1, 2))
    assert np.all(top < 150)
    assert np.mean(top > 0.9) > 0.7
    images = images - images.mean(axis=(1, 2), keepdims=True)
    next_one = np.mean(images[:, 1:] * images[:, :-1], axis=(1, 2))
    correlation = next_one / images.var(axis=(1, 2))
    assert np.all(correlation[scenes.fwhm > 3] > 0.6)


def test_some_crowds_are_gathered_and_some_everywhere(scenes):
    images = images_of(lambda *a: draw_crowd(*a, often=1.0), scenes)
    blocks = images.reshape(len(images), 4, SHAPE[0] // 4, 4, SHAPE[1] // 4)
    blocks = blocks.mean(axis=(2, 4)).reshape(len(images), -1)
    ratio = np.median(blocks, axis=1) / blocks.max(axis=1)
    assert 0.1 < np.mean(ratio < 0.25) < 0.8
    assert np.mean(ratio > 0.5) > 0.1


def test_often_there_is_no_crowd(scenes):
    images = images_of(draw_crowd, scenes)
    assert np.mean(images.max(axis=(1, 2)) > 0) < 0.4
