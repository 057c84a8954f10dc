"""Marks on skies."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.training.sky_marks import (
    MARKABLE,
    draw_shape,
    inside_polygon,
    mark_classes,
    read_marks,
)
from maximask_astro.utils.errors import InputError

SHAPE = (30, 40)
# Keeps edges off the centers of pixels.
OFF = np.array([2**0.5, np.pi])
CORNERS = st.tuples(st.integers(-5, 45), st.integers(-5, 35))


def bit(name):
    return 1 << ABBREVIATIONS.index(name)


def states(entry, image=None, unclear=None, lines=None):
    """Present and known planes by class."""
    image = np.zeros(SHAPE, np.float32) if image is None else image
    none = np.zeros(SHAPE, bool)
    unclear, lines = (none if a is None else a for a in (unclear, lines))
    present, known = mark_classes(entry, image, image * 100, unclear, lines)
    return {n: ((present & bit(n)) != 0, (known & bit(n)) != 0) for n in MARKABLE}


def test_a_square_has_the_pixels_whose_centers_are_inside():
    inside = inside_polygon([(1.5, 2.5), (4.5, 2.5), (4.5, 8.5), (1.5, 8.5)], SHAPE)
    expected = np.zeros(SHAPE, bool)
    expected[3:9, 2:5] = True
    assert np.array_equal(inside, expected)


@given(st.lists(CORNERS, min_size=3, max_size=7), st.integers(0, 6), st.booleans())
def test_a_polygon_does_not_depend_on_where_it_begins(corners, first, backward):
    corners = np.array(corners) + OFF
    other = np.roll(corners, first, axis=0)[:: -1 if backward else 1]
    assert np.array_equal(inside_polygon(corners, SHAPE), inside_polygon(other, SHAPE))


@given(st.lists(CORNERS, min_size=3, max_size=3))
def test_a_triangle_is_where_all_sides_have_a_pixel_on_one_hand(corners):
    corners = np.array(corners) + OFF
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    sides = [
        (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) > 0
        for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)
    ]
    expected = np.all(sides, axis=0) | ~np.any(sides, axis=0)
    flat = np.linalg.det(corners[1:] - corners[0]) == 0
    assert flat or np.array_equal(inside_polygon(corners, SHAPE), expected)


def test_what_a_polygon_goes_round_twice_is_outside():
    square = [(1.5, 1.5), (8.5, 1.5), (8.5, 8.5), (1.5, 8.5)]
    assert not inside_polygon(square + square, SHAPE).any()


def test_disks_boxes_and_lines():
    assert draw_shape([5, 6, 1], SHAPE).sum() == 5
    box = draw_shape([-3, 2, 4, 99], SHAPE)
    assert box[2:, :4].all()
    assert box.sum() == 28 * 4
    line = draw_shape([3, 10, 20, 10, 3], SHAPE)
    assert set(np.nonzero(line)[0]) == {9, 10, 11}
    assert np.nonzero(line)[1].max() <= 20
    diagonal = draw_shape([0, 0, 20, 20, 2], SHAPE)
    assert diagonal[np.arange(1, 20), np.arange(1, 20)].all()
    assert not diagonal[5, 9]


@pytest.mark.parametrize("shape", [[1, 2], "box", [[1, 2], [3, 4]], [1] * 6, None])
def test_other_shapes_are_refused(shape):
    with pytest.raises(InputError, match="must be a disk of 3 numbers"):
        draw_shape(shape, SHAPE)


def test_classes_are_absent_unclear_or_unknown():
    unclear, lines = np.zeros((2, *SHAPE), bool)
    unclear[3, 4], lines[:, 7] = True, True
    found = states({"absent": "TRL NEB", "unknown": "FR"}, None, unclear, lines)
    assert not any(present.any() for present, _ in found.values())
    assert found["TRL"][1].all()
    assert not found["FR"][1].any()
    assert np.array_equal(found["CR"][1], ~unclear)
    assert np.array_equal(found["HCL"][1], ~(unclear | lines))


def test_later_marks_cover_earlier_ones():
    marks = [["present", [0, 0, 10, 10]], ["unknown", [0, 0, 5, 5]]]
    marks += [["absent", [0, 0, 2, 2]]]
    present, known = states({"marks": {"NEB": marks}})["NEB"]
    assert present.sum() == 75
    assert (~known).sum() == 21
    assert known[0, 0]


def test_bright_marks_are_of_what_stands_out_inside():
    image = np.zeros(SHAPE, np.float32)
    image[10, 10:13], image[10, 13], image[20, 20] = 30.0, 3.0, 30.0
    present, known = states({"marks": {"CR": [["bright", [11, 10, 6]]]}}, image)["CR"]
    assert list(zip(*np.nonzero(present), strict=True)) == [
        (10, 10),
        (10, 11),
        (10, 12),
    ]
    assert list(zip(*np.nonzero(~known), strict=True)) == [(10, 13)]
    assert states({"marks": {"DCL": [["dark", "all"]]}}, -image)["DCL"][0].sum() == 4


def test_single_pixels_are_no_stars():
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    image = 50 * np.exp(-((y - 10) ** 2 + (x - 10) ** 2) / 4).astype(np.float32)
    image[20, 30] = 12.0
    present, known = states({"marks": {"HP": [["single", "all"]]}}, image)["HP"]
    assert np.argwhere(present).tolist() == [[20, 30]]
    assert known[10, 10]


def test_values_above_a_level_and_what_is_left_out():
    image = np.zeros(SHAPE, np.float32)
    image[5:8, 5:8] = 7.0  # 700 in the file
    entry = {"marks": {"SAT": [["above", 700, [0, 0, 7, 30]]]}, "absent": "CR"}
    found = states({**entry, "left_out": [[5, 5, 6, 6]]}, image)
    assert found["SAT"][0].sum() == 3 * 2 - 1
    assert not any(known[5, 5] for _, known in found.values())


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"absent": "CR", "unknown": "CR"}, "name the class CR twice"),
        ({"absent": "BG"}, "not about BG"),
        ({"marks": {"CR": [["there", "all"]]}}, "must be present, absent"),
    ],
)
def test_wrong_marks_are_refused(entry, message):
    with pytest.raises(InputError, match=message):
        states(entry)


def test_marks_are_read_from_a_file(tmp_path):
    path = tmp_path / "marks.json"
    path.write_text(json.dumps({"about": "", "skies": {"a.fits": {"absent": "CR"}}}))
    assert read_marks(path) == {"a.fits": {"absent": "CR"}}
    path.write_text("[1]")
    with pytest.raises(InputError, match="an entry for each sky"):
        read_marks(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_marks(tmp_path / "none.json")
