import jax
import jax.numpy as jnp
import numpy as np
import pytest

from maximask_astro.simulation.charge_tracks import (
    LONGEST,
    MARGIN,
    N_NORMALS,
    Rays,
    resample,
    set_down,
)
from maximask_astro.simulation.masks import smooth
from maximask_astro.tests.helpers import quick_jit

SHAPE = (96, 128)


def track(*, y=48.0, x=64.0, length=30.0, direction=0.0, depth=(0.0, 0.0), number=1):
    """Charge of identical straight tracks without any diffusion, in the frame."""
    ray = Rays(
        worm=0.0,
        length=length,
        charge=1000.0,
        y=y,
        x=x,
        direction=direction,
        scatter=0.0,
        top=depth[0],
        bottom=depth[1],
    )
    rays = jax.tree.map(lambda value: jnp.full(number, value, jnp.float32), ray)
    normals = jax.random.normal(jax.random.key(1), (2, N_NORMALS))
    canvas = jnp.zeros([size + 2 * MARGIN for size in SHAPE])
    canvas = quick_jit(set_down)(normals, canvas, rays, 0.6)
    return np.asarray(canvas)[MARGIN:-MARGIN, MARGIN:-MARGIN]


@pytest.mark.parametrize("length", [0.0, 2.0, 10.0, 25.0])
def test_all_charge_is_set_down_along_the_length(length):
    charges = track(length=length)
    assert charges.sum() == pytest.approx(1000, rel=1e-4)
    x = np.flatnonzero(charges[48] > 1)
    assert x.max() - x.min() + 1 == pytest.approx(length, abs=2.01)
    assert charges[48].sum() > 995


def test_however_many_there_are():
    assert track(number=300).sum() == pytest.approx(3e5, rel=1e-4)
    assert track(number=300, length=LONGEST, y=0.0, direction=0.5).sum() > 5e4


def test_a_sharp_track_has_no_gaps():
    charges = track(length=60.0, direction=0.6)
    y, x = np.nonzero(charges > 1)
    columns = charges.sum(0)[x.min() + 1 : x.max()]
    assert columns.min() > 0.15 * np.median(columns)
    # As thin as pixels permit: a line at that slope crosses 1.7 a column.
    assert len(y) / len(columns) < 3


def test_charge_diffuses_on_its_way_from_the_far_side():
    charges = track(length=60.0, depth=(0.0, 1.0))

    def width(columns):
        profile = charges[:, columns].sum(1)
        offset = np.arange(SHAPE[0]) - 48
        return (profile * offset**2).sum() / profile.sum()

    near, far = width(slice(36, 46)), width(slice(82, 92))
    assert near < 0.25 * far
    assert far == pytest.approx(0.36 * 0.9, rel=0.35)


@pytest.mark.parametrize(("y", "inside"), [(0.0, 1.0), (-1.0, 0.0), (-40.0, 0.0)])
def test_what_falls_beside_the_frame_stays_there(y, inside):
    charges = track(y=y)
    assert charges.sum() == pytest.approx(1000 * inside, abs=15)
    assert charges[1:].sum() < 1


@pytest.mark.parametrize("smoothing", [0.6, 0.75, 0.9])
def test_resampling_is_that_of_the_noise(smoothing):
    point = jnp.zeros(SHAPE).at[40, 60].set(1.0)
    spread = resample(point, smoothing)
    assert spread.sum() == pytest.approx(1, abs=1e-4)
    assert np.allclose(spread, smooth(point, smoothing), atol=0.006)


def test_without_resampling_all_stays_where_it_is():
    point = jnp.zeros(SHAPE).at[40, 60].set(1.0)
    assert np.array_equal(resample(point, 0.0), point)
