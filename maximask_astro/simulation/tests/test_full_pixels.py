import jax
import numpy as np
import pytest

from maximask_astro.simulation.draws import uniforms
from maximask_astro.simulation.full_pixels import (
    _NAMES,
    _constant,
    _invert,
    _roll_off,
    _unlike,
    _wrap,
    read_full_pixels,
)
from maximask_astro.tests.helpers import quick_jit

LEVEL = 1e4


def draw(**given):
    names = ("kind", "first", "second", "third")
    return uniforms(jax.random.key(1), *names)._replace(**given)


def test_soft_responses_rise_ever_more_slowly():
    signal = np.linspace(0, 10, 400)
    response = np.asarray(_roll_off(draw(first=0.4, second=0.7), signal))
    steps = np.diff(response)
    assert np.all(steps >= 0)
    assert np.all(np.diff(steps) < 1e-6)
    assert np.allclose(response[signal < 0.5], signal[signal < 0.5])
    # Flat in the end, below the level.
    assert steps[-20:].max() == 0
    assert 0.8 < response[-1] < 1


def test_inverted_responses_fall_in_the_core():
    signal = np.geomspace(0.5, 50, 100)
    response = np.asarray(_invert(draw(third=0.3), signal, False))
    assert np.all(np.diff(response) <= 0)
    assert response[0] == 1
    assert 0.2 < response[-1] < 0.9


def test_integers_wrap_round():
    signal = np.array([0.4, 0.99, 1.2, 1.9, 2.3, 100.0])
    end = 4.0 ** (1 - 1e-6)
    wrapped = np.asarray(_wrap(draw(first=1 - 1e-6, second=0.9), signal))
    assert np.allclose(wrapped[:5], [0.4, 0.99, 0.2, 0.9, 0.3], atol=1e-5)
    assert 0 <= wrapped[5] < 1
    assert end > 3
    signed = np.asarray(_wrap(draw(first=0.5, second=0.1), signal[:3]))
    assert np.allclose(signed, [0.4, 0.99, -0.8], atol=1e-5)


def test_constants_are_nothing_negative_or_large():
    zero, negative, large = (float(_constant(draw(first=f))) for f in (0.2, 0.6, 0.9))
    assert zero == 0
    assert -1 <= negative < 0
    assert large > 1.1


def test_levels_are_structured_rough_or_divided_by_a_flat():
    noise = np.random.RandomState(1).standard_normal((60, 90)).astype(np.float32)
    some = draw(first=0.8, second=0.5)
    structured, rough, calibrated = (
        np.asarray(_unlike(some, noise, *which, False))
        for which in ((True, False), (False, False), (False, True))
    )
    for levels in (structured, rough):
        assert levels.max() <= 1
        assert 0.5 <= levels.min() < 0.995

    # Columns have levels of their own; what is rough has them pixel by pixel.
    def spread(levels):
        return np.ptp(levels, axis=0).mean() / np.ptp(levels, axis=1).mean()

    assert spread(structured) < 0.7
    assert spread(rough) > 0.7
    assert calibrated.mean() == pytest.approx(1, abs=0.002)
    assert 0.01 < calibrated.std() < 0.06


def test_only_pixels_of_the_core_change_but_for_soft_responses(scene):
    y, x = np.indices((64, 64))
    signal = scene.sky + 8 * LEVEL * np.exp(-0.5 * np.hypot(y - 30, x - 32) ** 2 / 9)
    signal = signal.astype(np.float32)
    image = np.minimum(signal, LEVEL)
    full = signal >= LEVEL

    def read(key, bled, plain):
        how = (full, signal, scene, LEVEL, bled, False, plain)
        return read_full_pixels(key, image, *how)

    keys = jax.random.split(jax.random.key(3), 150)
    compiled = quick_jit(jax.vmap(read, (0, None, None)))
    results = [np.asarray(compiled(keys, *how)) for how in ((0, 0), (1, 1))]
    clipped, plain = results
    for levels in (clipped, plain):
        assert np.isfinite(levels).all()
    # Where charge has bled, or as in the paper, nothing but the core changes.
    assert np.array_equal(
        plain[:, ~full], np.broadcast_to(image, plain.shape)[:, ~full]
    )
    assert plain[:, full].min() >= 0
    assert plain[:, full].max() < 1.4 * LEVEL
    outside = np.abs(clipped - image)[:, ~full].max(axis=1) > 1
    assert 0.02 < outside.mean() < 0.25  # soft
    even = np.ptp(clipped[:, full], axis=1) == 0
    assert 0.3 < even.mean() < 0.65
    assert np.mean(clipped[:, full].min(axis=1) < scene.sky) > 0.02  # constant, wrapped
    # The core's middle reads less than its rim in some.
    rim = clipped[:, full].max(axis=1)
    assert np.mean(clipped[:, 30, 32] < 0.9 * rim) > 0.05
    assert len(_NAMES) == 8
