from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.training.cutouts import N_PIECES, cut, is_cut
from maximask_astro.training.tests.conftest import RECIPE, make_trainer, run
from maximask_astro.utils.errors import InputError


@given(
    batch=st.integers(1, 3),
    stride=st.sampled_from([1, 2, 4]),
    size=st.integers(12, 40),
    rest=st.sampled_from([(), (2,)]),
)
def test_pieces_are_parts_of_their_exposure(batch, stride, size, rest):
    arrays = np.arange(batch * size * size * (2 if rest else 1))
    arrays = arrays.reshape(batch, size, size, *rest)
    pieces = cut(arrays, stride)
    side = pieces.shape[1]
    assert side % stride == 0
    assert side > size / N_PIECES - stride
    assert pieces.shape == (batch * N_PIECES**2, side, side, *rest)
    for number, piece in enumerate(pieces):
        exposure, place = divmod(number, N_PIECES**2)
        y, x = (side * which for which in divmod(place, N_PIECES))
        assert np.array_equal(piece, arrays[exposure, y : y + side, x : x + side])


def test_a_fraction_of_the_steps_is_cut():
    recipe = replace(RECIPE, cutouts=0.3)
    chosen = [is_cut(recipe, step) for step in range(1000)]
    assert 0.25 < np.mean(chosen) < 0.35
    assert chosen == [is_cut(recipe, step) for step in range(1000)]
    assert not any(is_cut(RECIPE, step) for step in range(100))


def test_training_with_cutouts(tmp_path):
    trainer = make_trainer(tmp_path, replace(RECIPE, cutouts=1.0, steps=2))
    before = [np.array(weights) for weights in trainer.groups["weights"]]
    assert run(trainer)
    after = trainer.groups["weights"]
    assert not all(map(np.array_equal, before, after))
    log = (tmp_path / "log.csv").read_text().splitlines()
    assert np.isfinite(float(log[-1].split(",")[1]))


def test_cutouts_must_have_room(tmp_path):
    options = {"channels": [2] * 5, "fine": 2, "detail": 2}
    recipe = replace(RECIPE, cutouts=0.5, options=options)
    with pytest.raises(InputError, match=r"size .* 64 pixels; .* at least 96"):
        make_trainer(tmp_path, recipe)
