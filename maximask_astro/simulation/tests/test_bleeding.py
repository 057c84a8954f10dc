import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.simulation.bleeding import _flow, _intrude, _run_along_edge, _share
from maximask_astro.simulation.draws import uniforms
from maximask_astro.tests.helpers import quick_jit

WELL = 1000.0
_compiled_flow = quick_jit(_flow)
_compiled_intrude = quick_jit(_intrude, static_argnums=(1, 2, 3))


def draw(seed=0, **given):
    """Named numbers, random but for the given ones."""
    names = ("ways", "uneven", "place", "breadth", "far", "taper", "from_end")
    names += ("piles_up", "deep", "edge_level", "edge_end")
    return uniforms(jax.random.key(seed), *names)._replace(**given)


def column_image(seed, bright):
    """Columns of a faint sky, and stars of a given total in the middle rows."""
    random = np.random.RandomState(seed)
    image = random.uniform(0, 0.8 * WELL, (60, 7))
    image[28:32] += random.uniform(0, bright, (4, 7))
    return image.astype(np.float32)


@given(st.integers(0, 2**32 - 1), st.floats(0, 1.4 * WELL), st.floats(0, 1))
def test_bleeding_conserves_charge(seed, bright, share):
    image = column_image(seed, 0.6 * bright if share in (0, 1) else bright)
    bled, tails = map(np.asarray, _compiled_flow(image, WELL, share))
    assert not tails.any()
    assert bled.max() <= WELL * (1 + 1e-5)
    assert np.all(bled >= np.minimum(image, WELL) * (1 - 1e-5))
    # Charge stays in its column.
    assert np.allclose(bled.sum(axis=0), image.sum(axis=0), rtol=1e-4)


@given(st.integers(0, 2**32 - 1), st.floats(0.2, 0.8))
def test_what_no_pixel_can_hold_leaves_the_frame(seed, share):
    image = column_image(seed, 0)
    image[30] = 1000 * WELL
    bled, _ = _compiled_flow(image, WELL, share)
    assert np.allclose(bled, WELL, rtol=1e-4)


def test_unsaturated_pixels_do_not_bleed():
    image = column_image(1, 0)
    bled, tails = map(np.asarray, _compiled_flow(image, WELL, 0.5, 0.5, 0.9))
    assert np.array_equal(bled, image)
    assert not tails.any()


@pytest.mark.parametrize(("share", "before"), [(0.0, True), (1.0, False)])
def test_tails_fade_where_trails_end(share, before):
    image = np.full((400, 3), 10.0, np.float32)
    image[200] = 60 * WELL
    scale = 15.0
    bled, tails = map(
        np.asarray, _compiled_flow(image, WELL, share, 0.5, np.exp(-1 / scale))
    )
    full = bled[:, 1] > 0.99 * WELL
    tail = tails[:, 1]
    # In one direction only, and not where pixels are full anyway.
    assert not tail[full].any()
    assert not (tail[200:] if before else tail[:200]).any()
    tail = tail[::-1] if before else tail
    tail = tail[tail > 1.0]
    assert 0.3 * WELL < tail[0] <= 0.5 * WELL
    assert np.allclose(tail[1:] / tail[:-1], np.exp(-1 / scale), rtol=1e-3)


def test_charge_flows_both_ways_unevenly_or_one_way():
    shares = [
        float(_share(draw(ways=ways, uneven=uneven)))
        for ways, uneven in [(0.1, 0.9), (0.7, 0.9), (0.95, 0.1), (0.95, 0.9)]
    ]
    assert shares == pytest.approx([0.5, 0.74, 0.0, 1.0])


@pytest.mark.parametrize(("height", "width"), [(60, 90), (90, 60)])
def test_trails_from_outside_reach_in_from_an_edge(height, width):
    reach = []
    for seed in range(60):
        share = np.asarray(
            _compiled_intrude(draw(seed), 90, height, width, seed % 2, 5.0)
        )
        assert not share[height:].any()
        assert not share[:, width:].any()
        assert share.max() <= 1
        share = share[:height, :width]
        inside = share == 1
        assert inside.any()
        assert (inside[0] | inside[-1]).any()
        assert inside.any(axis=0).sum() <= 13
        reach.append(inside.any(axis=1).sum())
        fades = (share > 0) & ~inside
        if seed % 2 == 0:
            assert not fades.any()
        elif reach[-1] < height:
            assert fades.any()
    assert min(reach) < 10
    assert max(reach) == height


@pytest.mark.parametrize("lost", [3.0, 60.0, 1e5])
def test_what_leaves_the_frame_piles_up_along_its_edge(lost):
    charge = np.zeros(90)
    charge[40] = lost
    some = draw(piles_up=0.1, deep=0.5, edge_level=0.3, edge_end=0.2)
    there, level = _run_along_edge(some, charge, 60, 90)
    there = np.asarray(there)
    assert level == 1
    if lost < 5:
        assert not there.any()
        return
    assert there[0, 40]
    assert 0.3 * lost < there.sum() <= lost or there[0].sum() == 90
    assert not there[10:].any()
    never, _ = _run_along_edge(some._replace(piles_up=0.5), charge, 60, 90)
    assert not never.any()
