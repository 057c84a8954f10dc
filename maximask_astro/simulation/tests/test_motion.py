import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maximask_astro.simulation.motion import (
    KINDS,
    LONGEST,
    Motion,
    blur_of,
    draw_motion,
    smear,
)
from maximask_astro.simulation.scene import draw_scene
from maximask_astro.tests.helpers import quick_jit

SHAPE = (128, 160)
MIDDLE = jnp.array([64.0, 80.0])
N = 60

_blur_of = quick_jit(blur_of)
_smear = quick_jit(smear, static_argnames="shape")


def drift(length, angle):
    """A uniform drift about where it is."""
    along = jnp.linspace(-0.5, 0.5, 64) * length
    nothing = jnp.zeros(64)
    return Motion(along * np.sin(angle), along * np.cos(angle), nothing, MIDDLE)


@pytest.fixture(scope="module")
def drawn():
    """Motions of each degree, and their scenes."""

    @quick_jit
    def draw(key, affected):
        width = draw_scene(jax.random.fold_in(key, 1)).fwhm
        motion, kind = draw_motion(key, width, SHAPE, affected)
        return width, *blur_of(motion, MIDDLE), kind, motion

    keys = jax.random.split(jax.random.key(5), N)
    return {degree: [draw(key, degree) for key in keys] for degree in (0, 1, 2)}


def test_blurs_show_or_not(drawn):
    for fwhm, length, *_ in drawn[0]:
        assert length <= 0.31 * fwhm
    for fwhm, length, *_ in drawn[1]:
        assert 0.29 * fwhm <= length <= 4.5 * fwhm * 1.01
    for fwhm, length, *_ in drawn[2]:
        assert 0.99 * 1.5 * fwhm <= length <= 1.01 * LONGEST


def elongation(width, motion):
    """Ratio of the axes of a Gaussian star after the motion, in the middle."""
    places = jnp.stack(
        [
            motion.y + jnp.sin(motion.turn) * (MIDDLE[1] - motion.pivot[1]),
            motion.x - jnp.sin(motion.turn) * (MIDDLE[0] - motion.pivot[0]),
        ]
    )
    long, short = np.linalg.eigvalsh(np.cov(places, bias=True))[::-1]
    seeing = width**2 / (8 * np.log(2))
    return np.sqrt((seeing + long) / (seeing + short))


def test_what_shows_draws_stars_out_or_outlines_a_path(drawn):
    # As a straight drift of 1.5 times the width does.
    least = elongation(2.0, drift(1.5 * 2.0, 0.3))
    assert least == pytest.approx(1.43, abs=0.02)
    outlined = 0
    for fwhm, length, _, _, motion in drawn[2]:
        if elongation(fwhm, motion) < 0.97 * least:
            outlined += 1
            assert length >= min(4.5 * fwhm, 0.7 * LONGEST) * 0.99
    assert outlined < N / 3


def test_all_kinds_and_directions_are_drawn(drawn):
    assert {int(kind) for _, _, _, kind, _ in drawn[2]} == set(range(len(KINDS)))
    angles = np.array([angle for _, _, angle, *_ in drawn[2]])
    assert np.all((angles >= 0) & (angles < np.pi))
    assert abs(np.exp(2j * angles).mean()) < 0.35


@settings(max_examples=25, deadline=None)
@given(length=st.floats(2.0, 60.0), angle=st.floats(0.0, np.pi - 1e-3))
def test_the_blur_of_a_drift_is_its_length_and_direction(length, angle):
    found, direction = _blur_of(drift(length, angle), MIDDLE)
    assert found == pytest.approx(length, rel=0.03)
    turned = (float(direction) - angle + np.pi / 2) % np.pi - np.pi / 2
    assert abs(turned) < 0.01


@settings(max_examples=25, deadline=None)
@given(length=st.floats(0.0, 40.0), angle=st.floats(0.0, np.pi))
def test_light_is_spread_along_the_path(length, angle):
    motion = drift(length, angle)
    image = np.asarray(
        _smear(motion, MIDDLE[:1], MIDDLE[1:], jnp.array([100.0]), shape=SHAPE), float
    )
    assert image.min() >= 0
    assert image.sum() == pytest.approx(100, rel=1e-4)
    y, x = np.indices(SHAPE)
    dy, dx = y - 64, x - 80
    assert (image * dy).sum() == pytest.approx(0, abs=1)
    along = np.sin(angle) * dy + np.cos(angle) * dx
    # Sharing light with the neighbors adds up to a quarter of a pixel squared an axis.
    variance = (image * along**2).sum() / 100
    assert length**2 / 12 * 0.97 <= variance + 1e-6
    assert variance <= length**2 / 12 * 1.06 + 0.51


def test_light_that_leaves_the_frame_is_lost():
    still = drift(0.0, 0.0)
    y, x = jnp.array([-5.0, 3.0, 127.5, 200.0]), jnp.array([3.0, -5.0, 3.0, 3.0])
    image = _smear(still, y, x, jnp.ones(4), shape=SHAPE)
    assert float(image.sum()) == pytest.approx(0.5, abs=1e-5)


def test_a_field_turns_about_its_pivot():
    turn = jnp.linspace(-0.02, 0.02, 64)
    motion = Motion(jnp.zeros(64), jnp.zeros(64), turn, jnp.array([64.0, 0.0]))
    at_pivot, _ = blur_of(motion, jnp.array([64.0, 0.0]))
    length, angle = blur_of(motion, jnp.array([64.0, 100.0]))
    assert at_pivot == pytest.approx(0, abs=1e-3)
    assert length == pytest.approx(0.04 * 100, rel=0.03)
    assert angle == pytest.approx(np.pi / 2, abs=0.03)
