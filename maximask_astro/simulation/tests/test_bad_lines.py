import jax
import numpy as np
import pytest

from maximask_astro.simulation.bad_lines import N_LINES, draw_lines, spread
from maximask_astro.simulation.tests.conftest import keys
from maximask_astro.tests.helpers import quick_jit

NUMBER = 80


def drawn(scene, shape, as_paper=False):
    scene = scene._replace(as_paper=np.bool_(as_paper))
    draw = quick_jit(jax.vmap(lambda key: draw_lines(key, shape, scene)))
    return jax.tree.map(np.asarray, draw(keys(1, NUMBER)))


@pytest.fixture(scope="module")
def lines(scene):
    return drawn(scene, (768, 400))


def numbers_of(lines):
    """How many lines each frame has."""
    return np.maximum(lines.columns.max(axis=1), lines.rows.max(axis=1))


def test_large_frames_have_more(lines, scene):
    many = numbers_of(lines)
    assert many.min() >= 1
    assert 8 < many.max() <= N_LINES
    assert numbers_of(drawn(scene, (64, 96))).max() <= 4


def test_lines_are_columns_and_rows(lines):
    columns = (lines.columns > 0).any(axis=1)
    rows = (lines.rows > 0).any(axis=1)
    assert np.mean(columns & ~rows) > 0.2
    assert np.mean(columns & rows) > 0.2
    on = (lines.columns > 0)[:, None, :] | (lines.rows > 0)[:, :, None]
    assert not (lines.strength != 0)[~on].any()
    assert np.array_equal(lines.on_column & ~on, np.zeros_like(on))


def test_some_cross_the_frame_and_some_end_at_an_edge(lines):
    whole, edge, segment = 0, 0, 0
    for columns, strength in zip(lines.columns, lines.strength, strict=True):
        for number in set(columns) - {0}:
            on = (strength[:, columns == number] != 0).any(axis=1)
            ends = on[[0, -1]].sum()
            whole += ends == 2
            edge += ends == 1
            segment += ends == 0
    total = whole + edge + segment
    assert total > 100
    assert whole > 0.25 * total
    assert edge > 0.25 * total
    assert segment > 0.04 * total


def test_some_fade_some_start_strong_and_some_have_a_partner(lines):
    strongest = lines.strength.max(axis=(1, 2))
    assert 0.05 < np.mean(strongest > 2) < 0.8
    faintest = np.where(lines.strength > 0, lines.strength, 1).min(axis=(1, 2))
    assert 0.1 < np.mean(faintest < 0.8) < 0.9
    assert 0.03 < np.mean(lines.strength.min(axis=(1, 2)) < 0) < 0.6


def test_infrared_arrays_have_stripes(lines):
    widths = [
        max((columns == number).sum() for number in range(1, N_LINES + 1))
        for columns in lines.columns
    ]
    assert 0.03 < np.mean(np.array(widths) > 3) < 0.4
    assert max(widths) <= 21


def test_the_longer_the_fainter_a_line_may_be(lines):
    assert np.all(lines.visible[:, 0] == np.float32(1.2))
    visible = lines.visible[:, 1:]
    assert visible.min() >= 0.25  # 7 over the root of 768
    assert visible.min() < 0.31
    assert visible.max() > 0.6


def test_as_in_the_paper_lines_are_single_segments(scene):
    lines = drawn(scene, (96, 128), as_paper=True)
    assert set(np.unique(lines.strength)) == {0.0, 1.0}
    assert numbers_of(lines).max() <= 4
    for columns in lines.columns:
        counts = np.bincount(columns, minlength=2)[1:]
        assert counts.max() <= 1


def test_values_are_spread_over_their_lines(lines):
    one = jax.tree.map(lambda values: values[5], lines)
    values = np.asarray(spread(one, np.arange(N_LINES + 1)))
    on = one.strength != 0
    owner = np.where(one.on_column, one.columns[None], one.rows[:, None])
    assert np.array_equal(values[on], owner[on])
    assert owner[on].min() >= 1
