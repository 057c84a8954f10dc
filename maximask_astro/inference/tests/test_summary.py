import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.inference import (
    SummaryEngine,
    plan_last_blocks,
    plan_whole_tiles,
)

LENGTHS = st.integers(1, 2000)


@given(shape=st.tuples(LENGTHS, LENGTHS))
def test_tiles_cover_nearly_all_and_never_overlap(shape):
    tiles = plan_whole_tiles(shape, block=256, stride=32, smallest=64)
    if min(shape) < 64:
        assert tiles == []
        return
    covered = np.zeros(shape, np.uint8)
    for tile in tiles:
        assert tile.height % 32 == tile.width % 32 == 0
        assert 64 <= tile.height < 2 * 256
        part = covered[tile.box]
        assert part.shape == (tile.height, tile.width)
        part += 1
    assert covered.max() == 1
    assert len({(tile.height, tile.width) for tile in tiles}) == 1
    # Less than a stride a tile is left out along an axis.
    rows, columns = (len({getattr(t, side) for t in tiles}) for side in ("top", "left"))
    assert covered.any(1).sum() > shape[0] - 32 * rows
    assert covered.any(0).sum() > shape[1] - 32 * columns


@given(shape=st.tuples(LENGTHS, LENGTHS), block=st.sampled_from([100, 400]))
def test_blocks_of_the_original_end_at_the_end(shape, block):
    tiles = plan_last_blocks(shape, block)
    assert len(tiles) == (shape[0] // block) * (shape[1] // block)
    for tile in tiles:
        assert tile.top >= 0
        assert tile.left >= 0
        assert (shape[0] - tile.top) % block == 0
        assert (shape[1] - tile.left) % block == 0


def test_the_batch_size_must_be_positive():
    with pytest.raises(ValueError, match="batch_size"):
        SummaryEngine(None, batch_size=0)
