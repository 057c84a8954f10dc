"""Where contaminants stand out against the rest of an exposure."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from maximask_astro.simulation.significance import FAINTEST
from maximask_astro.simulation.visibility import where_seen
from maximask_astro.tests.helpers import quick_jit

SHAPE = (300, 230)
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]]

seen_in = quick_jit(where_seen)


@pytest.fixture(scope="module")
def sky(scene):
    """Electrons of an empty sky with noise."""
    noise = np.random.default_rng(1).standard_normal(SHAPE)
    return (scene.sky + scene.sigma * noise).astype(np.float32)


def trail(width=2.0):
    """A trail across the exposure, 1 in its middle."""
    return np.exp(-0.5 * ((Y - 0.3 * X - 60) / width) ** 2).astype(np.float32)


def seen(light, rest, scene):
    return np.asarray(seen_in(light, rest + light, scene))


def test_in_noise_it_is_the_integrated_ratio_that_counts(sky, scene):
    light = np.zeros(SHAPE, np.float32)
    light[80:112, 96:128] = scene.sigma / 32  # a ratio of 1
    assert seen(1.3 * FAINTEST * light, sky, scene)[80:112, 96:128].all()
    assert not seen(0.7 * FAINTEST * light, sky, scene).any()


def test_faint_trails_are_seen_all_along(sky, scene):
    light = scene.sigma * trail()
    assert seen(light, sky, scene)[light > 0.5 * scene.sigma].all()
    assert not seen(0.1 * light, sky, scene).any()
    # Only near it.
    assert not seen(light, sky, scene)[240:, :60].any()


@settings(max_examples=6)
@given(factor=st.floats(0.02, 50.0), more=st.floats(1.05, 4.0))
def test_what_is_brighter_is_seen_where_the_fainter_is(sky, scene, factor, more):
    light = np.float32(factor) * trail()
    fainter, brighter = (seen(light * np.float32(f), sky, scene) for f in (1, more))
    assert np.all(brighter | ~fainter)


@pytest.mark.parametrize("what", ["stars", "clouds", "rows"])
def test_structure_hides_what_noise_does_not(sky, scene, what):
    rng = np.random.default_rng(3)
    if what == "rows":
        structure = np.repeat(rng.standard_normal((SHAPE[0], 1)), SHAPE[1], 1)
    else:
        structure = gaussian_filter(
            rng.standard_normal(SHAPE), 1.0 if what == "stars" else 5.0
        )
    structure *= 10 * scene.sigma / structure.std()
    crowded = (sky + structure).astype(np.float32)
    light = scene.sigma * trail()
    assert seen(light, sky, scene).any()
    assert not seen(light, crowded, scene).any()
    assert seen(100 * light, crowded, scene).any()


def test_few_stars_and_a_slope_hide_nothing(sky, scene):
    rest = sky + np.float32(0.3 * scene.sigma) * X.astype(np.float32)
    rest[20::60, 30::60] += 1e4
    light = scene.sigma * trail()
    assert seen(light, rest, scene)[light > 0.5 * scene.sigma].all()


def test_darkness_is_not_seen(sky, scene):
    assert not seen(np.zeros(SHAPE, np.float32), sky, scene).any()


def test_what_is_out_of_focus_hides_more(sky, scene):
    rng = np.random.default_rng(4)
    blobs = gaussian_filter(rng.standard_normal(SHAPE), 1.0)
    crowded = (sky + 3 * scene.sigma * blobs / blobs.std()).astype(np.float32)
    light = 8 * scene.sigma * trail()
    sharp = seen(light, crowded, scene)
    blurred = seen(light, crowded, scene._replace(defocus=np.float32(8)))
    assert blurred.sum() < sharp.sum()
