import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.inference import mirrored, plan_blocks, plan_tiles

SIZES = st.integers(1, 300)


@st.composite
def plans(draw):
    """A shape, and tiles that leave something to keep between their halos."""
    shape = draw(st.tuples(SIZES, SIZES))
    stride = draw(st.sampled_from([1, 4, 32]))
    halo = stride * draw(st.integers(0, 3))
    tile_size = draw(st.integers(2 * halo + stride, 250))
    return shape, {"tile_size": tile_size, "halo": halo, "stride": stride}


@given(plans())
def test_tiles_keep_every_pixel_exactly_once(plan):
    shape, options = plan
    _, tiles = plan_tiles(shape, **options)
    kept = np.zeros(shape, int)
    for tile in tiles:
        kept[tile.keep] += 1
    assert np.all(kept == 1)


@given(plans())
def test_tiles_fit_the_network_and_the_padded_image(plan):
    shape, options = plan
    tile_shape, tiles = plan_tiles(shape, **options)
    stride = options["stride"]
    padded = [
        max(-(-size // stride) * stride, side)
        for size, side in zip(shape, tile_shape, strict=True)
    ]
    assert all(size % stride == 0 for size in tile_shape)
    assert all(size <= options["tile_size"] for size in tile_shape)
    for tile in tiles:
        assert tile.top % stride == tile.left % stride == 0
        assert 0 <= tile.top <= padded[0] - tile_shape[0]
        assert 0 <= tile.left <= padded[1] - tile_shape[1]


@given(plans())
def test_what_is_kept_is_a_halo_away_from_sides_that_are_not_the_image_s(plan):
    shape, options = plan
    tile_shape, tiles = plan_tiles(shape, **options)
    for tile in tiles:
        for axis, start in enumerate((tile.top, tile.left)):
            inner, keep = tile.inner[axis], tile.keep[axis]
            assert inner.stop - inner.start == keep.stop - keep.start > 0
            assert inner.start == keep.start - start
            assert start == 0 or inner.start >= options["halo"]
            at_end = start + tile_shape[axis] >= shape[axis]
            assert at_end or tile_shape[axis] - inner.stop >= options["halo"]


def test_an_image_that_fits_is_one_tile():
    tile_shape, tiles = plan_tiles((100, 130), tile_size=160, halo=64, stride=32)
    assert tile_shape == (128, 160)
    assert [(tile.top, tile.left) for tile in tiles] == [(0, 0)]


@pytest.mark.parametrize("tile_size", [415, 32, 0, -5])
def test_tiles_without_anything_to_keep_are_refused(tile_size):
    with pytest.raises(ValueError, match="needs tiles of at least 416 pixels"):
        plan_tiles((10, 10), tile_size=tile_size, halo=192, stride=32)


@pytest.mark.parametrize("stride", [1, 32])
def test_images_of_many_sizes_have_tiles_of_few(stride):
    """So that hardly anything is compiled again; an eighth more pixels at most."""
    lengths = range(stride, 100 * stride)
    sides = [
        plan_tiles((size, 1), tile_size=96 * stride, halo=4 * stride, stride=stride)[0][
            0
        ]
        for size in lengths
    ]
    assert len(set(sides)) < 40
    for size, side in zip(lengths, sides, strict=True):
        fits = size <= 96 * stride
        assert not fits or size <= side <= max(1.125 * size, size + stride)


@given(st.integers(1, 6).map(lambda n: 4 * n), st.integers(0, 60), st.integers(0, 60))
def test_blocks_are_those_of_the_original(block, more_rows, more_columns):
    """Every pixel comes from a block in which it is central, or from its side."""
    shape = (block + more_rows, block + more_columns)
    tile_shape, tiles = plan_blocks(shape, block)
    assert tile_shape == (block, block)
    owner = np.full((2, *shape), -1)
    for tile in tiles:
        assert tile.top <= shape[0] - block
        assert tile.left <= shape[1] - block
        assert np.all(owner[:, *tile.keep] == -1)
        owner[:, *tile.keep] = np.reshape((tile.top, tile.left), (2, 1, 1))
    for axis, starts in enumerate(owner):
        inside = np.indices(shape)[axis] - starts
        assert np.all(starts >= 0)
        assert np.all((inside >= block // 4) | (starts == 0))
        at_end = starts + block == shape[axis]
        assert np.all((inside < block - block // 4) | at_end)


def test_last_blocks_win():
    """At 1050 pixels: starts every 200, then once more at the end."""
    _, tiles = plan_blocks((1050, 400), 400)
    assert [tile.top for tile in tiles] == [0, 200, 400, 600, 650]
    assert [tile.keep[0] for tile in tiles] == [
        slice(0, 300),
        slice(300, 500),
        slice(500, 700),
        slice(700, 750),
        slice(750, 1050),
    ]


@given(st.integers(1, 300), st.integers(0, 900))
def test_mirrors_begin_at_the_end(length, more):
    positions = mirrored(np.arange(length + more), length)
    image = np.arange(length)
    expected = np.pad(image, (0, more), mode="symmetric")
    np.testing.assert_array_equal(image[positions], expected)
