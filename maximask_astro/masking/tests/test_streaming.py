import numpy as np
import pytest

from maximask_astro.background import array_reader
from maximask_astro.inference import row_engine
from maximask_astro.masking import ContaminantMasker
from maximask_astro.tests.helpers import make_exposure
from maximask_astro.utils import MaximaskWarning

SHAPE = (700, 450)


@pytest.fixture(autouse=True)
def low_bands(monkeypatch):
    """Bands of a few rows."""
    monkeypatch.setattr(row_engine, "_PIXELS_ON_CPU", 64 * 450)


@pytest.fixture(scope="module")
def exposure():
    """An exposure with a sloping sky and holes, and one in it at its lower end."""
    data = make_exposure(SHAPE) + np.arange(SHAPE[0])[:, None] * 0.3
    data[300:340, 100:260] = np.nan
    data[-7:, 30:35] = np.nan
    data[np.random.RandomState(0).uniform(size=SHAPE) < 1e-3] = np.inf
    return data


@pytest.fixture(scope="module")
def pieces(tiny_model):
    """A masker that takes the exposure in one piece, and one that goes row by row."""
    return [ContaminantMasker(tiny_model, tile_size=size) for size in (None, 416)]


@pytest.mark.parametrize("model", ["tiny", "default"])
def test_rows_give_what_one_piece_gives(exposure, pieces, model):
    if model == "default":
        pieces = [ContaminantMasker(tile_size=size) for size in (None, 416)]
    whole, rows = (masker(exposure) for masker in pieces)
    np.testing.assert_array_equal(rows.invalid, ~np.isfinite(exposure))
    np.testing.assert_array_equal(rows.invalid, whole.invalid)
    np.testing.assert_allclose(
        rows.probability_planes, whole.probability_planes, atol=1e-4
    )
    assert np.mean(rows.verdicts != whole.verdicts) < 1e-4
    assert np.unique(whole.verdicts).size > 5


@pytest.mark.parametrize("grow", [0, 9])
def test_a_stream_is_the_map_in_parts(exposure, tiny_model, grow):
    masker = ContaminantMasker(tiny_model, tile_size=416, grow=grow)
    parts = list(masker.stream(array_reader(exposure), SHAPE))
    assert len(parts) > 1
    starts, stops = zip(*((rows.start, rows.stop) for rows, _ in parts), strict=True)
    assert (*starts, SHAPE[0]) == (0, *stops)
    cmap = masker(exposure)
    for name in ("verdicts", "invalid", "bitmask"):
        joined = np.concatenate([getattr(part, name) for _, part in parts])
        np.testing.assert_array_equal(joined, getattr(cmap, name))


def test_rows_are_read_in_small_parts(pieces):
    """An image that nobody could hold is not asked for at once."""
    shape = (5000, 450)
    asked = []

    def read(start, stop):
        asked.append(stop - start)
        rows = np.arange(start, stop)[:, None] + np.arange(shape[1])
        return (1000 + rows % 17).astype(np.float32), None

    total = sum(len(part.verdicts) for _, part in pieces[1].stream(read, shape))
    assert total == shape[0]
    assert max(asked) <= 1000


def test_nothing_to_judge_comes_in_parts_too(pieces):
    shape = (2500, 40)

    def read(start, stop):
        return np.zeros((stop - start, 40), np.float32), None

    with pytest.warns(
        MaximaskWarning, match="No verdict: every pixel with a value is 0"
    ):
        parts = list(pieces[0].stream(read, shape))
    assert len(parts) == 3
    assert all(part.invalid.all() and not part.verdicts.any() for _, part in parts)
    reasons = []
    assert list(pieces[0].stream(read, shape, on_problem=reasons.append))
    assert reasons == ["every pixel with a value is 0"]
