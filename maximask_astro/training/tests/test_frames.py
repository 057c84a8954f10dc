from dataclasses import replace
from functools import cache, partial

import jax
import numpy as np
import pytest

from maximask_astro.background import array_reader, look_over
from maximask_astro.training.frames import (
    ALL_KNOWN,
    FRAMINGS,
    Frames,
    choose_framing,
    examine,
    unpack_bits,
)
from maximask_astro.training.tests.conftest import RECIPE

SIZE, CROP, STRIDE = 256, 96, 8


def frames_of(number=2):
    """Frames whose pixels say where they are, to the noise."""
    random = np.random.default_rng(1)
    shape = (number, SIZE, SIZE)
    images = random.normal(1000, 10, shape).astype(np.float32)
    labels = (random.uniform(size=shape) < 0.01).astype(np.uint16)
    labels[:, 64:128, 32:64] |= 1 << 8
    known = np.full(shape, ALL_KNOWN, np.uint16)
    known[:, 200:] &= ~np.uint16(1 << 8)
    return Frames(images, labels, known)


@cache
def compiled(framing):
    how = {"crop": CROP, "stride": STRIDE, "block_stride": 4}
    return jax.jit(partial(examine, framing=framing, **how))


def look(frames, framing, seed=1):
    return compiled(framing)(jax.random.key(seed), frames)


@pytest.mark.parametrize("framing", FRAMINGS)
def test_parts_are_where_they_say(framing):
    """Labels, pixels and the place in the frame belong together."""
    frames = frames_of()
    inputs, labels, known, block_labels, block_known, weights = look(frames, framing)
    side = SIZE // framing.parts
    crop = min(CROP, side)
    number = 2 * framing.number
    assert weights.shape == (number,)
    assert inputs["image"].shape == (number, crop, crop, 1)
    assert labels.shape == known.shape == (number, crop, crop, 14)
    origin = np.asarray(inputs["origin"])
    assert np.all(origin % STRIDE == 0)
    assert np.all((origin >= 0) & (origin <= side - crop))
    # The pieces, by what their blocks are labeled with.
    pieces = [
        (i, top, left)
        for i in range(2)
        for top in range(0, SIZE, side)
        for left in range(0, SIZE, side)
    ]
    blocks = side // 8
    for index in range(number):
        candidates = []
        for i, top, left in pieces:
            bits = frames.labels[i, top : top + side, left : left + side]
            cells = bits.reshape(blocks, 8, blocks, 8)
            of_blocks = np.bitwise_or.reduce(np.bitwise_or.reduce(cells, 3), 1)
            planes = np.asarray(unpack_bits(of_blocks))
            if np.array_equal(planes, block_labels[index, :blocks, :blocks]):
                candidates.append((i, top, left))
        ((i, top, left),) = candidates
        row, column = origin[index]
        where = np.s_[
            i, top + row : top + row + crop, left + column : left + column + crop
        ]
        assert np.array_equal(labels[index], unpack_bits(frames.labels[where]))
        assert np.array_equal(known[index], unpack_bits(frames.known[where]))
        image = np.asarray(inputs["image"])[index, ..., 0]
        correlation = np.corrcoef(image.ravel(), frames.images[where].ravel())[0, 1]
        assert correlation > 0.99
    assert np.all(np.asarray(block_labels) <= np.asarray(block_known))


def test_small_frames_see_themselves_only():
    """A piece is normalized, and summed up, as an exposure of its size."""
    frames = frames_of(1)
    inputs, *_ = look(frames, FRAMINGS[2])
    size = SIZE // 4
    crop = np.asarray(inputs["image"])[0, ..., 0]
    assert crop.shape == (size, size)
    expected = []
    for top in range(0, SIZE, size):
        for left in range(0, SIZE, size):
            piece = frames.images[0, top : top + size, left : left + size]
            expected.append(look_over(array_reader(piece), piece.shape)[1].blocks)
    found = np.asarray(inputs["blocks"])[0, :8, :8]
    nearest = min(np.abs(found[..., :5] - each[..., :5]).mean() for each in expected)
    assert nearest < 0.1


def test_parts_differ_from_look_to_look():
    frames = frames_of(1)
    origins = {
        tuple(map(tuple, np.asarray(look(frames, FRAMINGS[0], s)[0]["origin"])))
        for s in range(8)
    }
    assert len(origins) > 3
    # Nor is a frame looked at twice in one place.
    assert sum(first != second for first, second in origins) > 3


def test_all_of_a_frame_is_looked_at_once():
    how = {"crop": SIZE, "stride": STRIDE, "block_stride": 4}
    look_at_all = partial(examine, framing=FRAMINGS[0], **how)
    found = jax.eval_shape(look_at_all, jax.random.key(1), frames_of())
    assert found[0]["image"].shape == (2, SIZE, SIZE, 1)


def test_parts_with_contaminants_are_seen_often_and_count_less():
    frames = frames_of(1)
    frames.labels[:] = 0
    frames.labels[0, 8:40, 200:232] = 1 << 6
    has, weights = [], []
    for seed in range(200):
        _, labels, *_, weight = look(frames, FRAMINGS[0], seed)
        has.extend(np.asarray(labels[..., 6].any((1, 2))))
        weights.extend(np.asarray(weight))
    has, weights = np.array(has), np.array(weights)
    # Where parts may begin, and where they have some of it.
    places = np.arange(0, SIZE - CROP + 1, STRIDE)
    chance = np.mean(places < 40) * np.mean((places + CROP > 200) & (places < 232))
    assert has.mean() > 2 * chance
    # All in all they count as much as they would by chance.
    assert (has * weights).mean() == pytest.approx(chance, rel=0.3)
    assert weights.mean() == pytest.approx(1, abs=0.15)
    assert weights[has].mean() < 0.6


def test_parts_alike_count_alike():
    frames = frames_of(1)
    frames.labels[:] = 1 << 7
    for framing in FRAMINGS:
        assert look(frames, framing)[-1] == pytest.approx(1, rel=1e-3)


def test_some_steps_learn_from_small_frames():
    recipe = replace(RECIPE, cutouts=0.4)
    chosen = [choose_framing(recipe, step) for step in range(1000)]
    assert chosen == [choose_framing(recipe, step) for step in range(1000)]
    counts = [chosen.count(framing) for framing in FRAMINGS]
    assert counts[0] == pytest.approx(600, abs=60)
    assert counts[1] == pytest.approx(200, abs=50)
    assert choose_framing(replace(recipe, cutouts=0.0), 3) == FRAMINGS[0]
