import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.background import (
    FULL,
    VIEW_CHANNELS,
    Sky,
    ViewBuilder,
    array_reader,
    block_statistics,
    constant_surface,
    look_over,
)

LEVEL, NOISE = 1000.0, 10.0


def frame(height, width, seed=1):
    random = np.random.RandomState(seed)
    return random.normal(LEVEL, NOISE, (height, width)).astype(np.float32)


def view_of(image, invalid=None, rows=64):
    """The view, of so many rows at a time, and of a sky that is known."""
    builder = ViewBuilder(image.shape)
    for start in range(0, len(image), rows):
        part = slice(start, start + rows)
        builder.add(start, image[part], None if invalid is None else invalid[part])
    return builder.finish(Sky(constant_surface(LEVEL), constant_surface(NOISE)))


def test_statistics_are_nearly_those_of_sorted_pixels():
    image = frame(64, 80)
    blocks, columns, rows, maxima = block_statistics(np, image)
    cells = image.reshape(8, 8, 10, 8).swapaxes(1, 2).reshape(8, 10, 64)
    cells = np.sort(cells, axis=-1)
    expected = (
        cells[..., :32].mean(-1),
        cells[..., 16:48].mean(-1),
        cells.mean(-1),
        cells[..., -4:].mean(-1),
        cells[..., :3].mean(-1),
    )
    for found, wanted in zip(np.moveaxis(blocks, -1, 0), expected, strict=True):
        assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.9
        assert found.mean() == pytest.approx(wanted.mean(), abs=0.1 * NOISE)
    np.testing.assert_allclose(blocks[..., 2], expected[2], rtol=1e-6)
    assert np.array_equal(maxima, image.reshape(8, 8, 80).max(1))
    assert columns.shape == (8, 80)
    assert rows.shape == (64, 10)
    assert columns.mean() == pytest.approx(LEVEL, abs=0.1 * NOISE)
    assert rows.mean() == pytest.approx(LEVEL, abs=0.1 * NOISE)


def test_jax_gives_the_same_statistics():
    import jax.numpy as jnp

    images = np.stack([frame(16, 24, seed) for seed in (1, 2)])
    both = block_statistics(np, images), block_statistics(jnp, jnp.asarray(images))
    for mine, other in zip(*both, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5)


@given(st.integers(1, 200), st.integers(1, 200))
def test_sizes_are_rounded_up(height, width):
    view = view_of(frame(height, width))
    assert view.blocks.shape == (-(-height // 8), -(-width // 8), VIEW_CHANNELS)
    assert view.columns.shape == (-(-height // 64), width, 3)
    assert view.rows.shape == (-(-width // 64), height, 3)
    for array in (view.blocks, view.columns, view.rows):
        assert array.dtype == np.float32
        assert np.isfinite(array).all()


@given(st.sampled_from([(64, 128), (100, 90), (193, 65)]), st.booleans())
def test_the_view_does_not_depend_on_how_rows_come(shape, holes):
    image = frame(*shape)
    invalid = np.random.RandomState(2).uniform(size=shape) < 0.1 if holes else None
    one, other = (view_of(image, invalid, rows=rows) for rows in (64, 256))
    for name in ("blocks", "columns", "rows"):
        assert np.array_equal(getattr(one, name), getattr(other, name))


@given(st.floats(0.1, 1e3), st.floats(-1e3, 1e3))
def test_units_and_offsets_make_no_difference(factor, offset):
    image = frame(256, 256)
    image[100:140, 60:70] += 50
    changed = (image * factor + offset).astype(np.float32)
    first, second = (look_over(array_reader(i), i.shape)[1] for i in (image, changed))
    np.testing.assert_allclose(first.blocks, second.blocks, atol=0.05)


def test_rows_are_the_columns_of_the_transposed_frame():
    image = frame(128, 192)
    image[:, 50] += 5
    image[70] += 8
    view, turned = view_of(image), view_of(np.ascontiguousarray(image.T))
    # Robust means look at columns of blocks first: nearly, not quite.
    assert np.abs(view.columns - turned.rows).max() < 1.5
    assert np.corrcoef(view.columns[..., 0].ravel(), turned.rows[..., 0].ravel())[
        0, 1
    ] == pytest.approx(1, abs=0.05)


def test_a_faint_column_stands_out():
    """Half the noise over 512 pixels: 11 times the noise of their mean."""
    image = frame(512, 300)
    image[:, 111] += 0.5 * NOISE
    whole = view_of(image).columns[0, :, 1]
    others = np.delete(whole, np.arange(103, 120))
    assert np.sinh(whole[111]) > 7
    assert np.abs(np.sinh(others)).max() < 5


def test_stars_do_not_make_columns_bright():
    image = frame(512, 300)
    for row in range(20, 512, 64):
        image[row : row + 4, 111:115] += 1e4
    whole = np.sinh(view_of(image).columns[0, 105:120, 1])
    assert np.abs(whole).max() < 8


def test_what_is_not_there_is_zero():
    image, invalid = frame(128, 128), np.zeros((128, 128), bool)
    invalid[:64, :64] = True
    image[invalid] = 0
    invalid[100:104, 100:108] = True
    image[100:104, 100:108] = -1e9
    view = view_of(image, invalid)
    assert np.all(view.blocks[:8, :8] == 0)
    assert view.blocks[12, 12, -1] == pytest.approx(1 - 4 * 4 / 64)
    assert np.all(view.blocks[8:, 8:, -1][np.ix_([0, 1, 7], [0, 1, 7])] == 1)
    # A hole is not dark.
    assert view.blocks[12, 12, 4] > -2.5
    assert np.all(view.columns[0, :64] == 0)
    assert np.all(view.columns[1, :64, 2] == 1)


def full_pixels(image):
    sky, view = look_over(array_reader(image), image.shape)
    normalized = sky.normalize(image.copy(), range(len(image)), range(image.shape[1]))
    assert sky.full == view.full
    return normalized == FULL


@pytest.mark.parametrize("scatter", [0.0, 0.002])
def test_pixels_that_pile_up_are_full(scatter):
    image = frame(256, 256)
    random = np.random.RandomState(3)
    y, x = np.indices(image.shape)
    for row, column in random.uniform(20, 236, (6, 2)):
        image += 2e5 * np.exp(-0.5 * ((y - row) ** 2 + (x - column) ** 2) / 2.0**2)
    clipped = image > 6e4
    image[clipped] = 6e4 * (1 - scatter * random.uniform(size=clipped.sum()))
    found = full_pixels(image.astype(np.float32))
    assert found[clipped].all()
    assert image[found].min() > 0.99 * 6e4


def test_pixels_that_do_not_pile_up_are_not_full():
    image = frame(256, 256)
    assert not full_pixels(image).any()
    y, x = np.indices(image.shape)
    for row, column, peak in ((50, 60, 3e4), (100, 200, 5e4), (180.4, 90, 2e4)):
        image += peak * np.exp(-0.5 * ((y - row) ** 2 + (x - column) ** 2) / 3.0**2)
    image[200, 200] = 4e4
    assert not full_pixels(image.astype(np.float32)).any()
