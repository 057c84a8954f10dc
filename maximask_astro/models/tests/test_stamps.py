import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maximask_astro.models import BLOCK, StarStamps

SIZE = 16
ONE_SCALE = StarStamps(4, SIZE, scales=(1,))


def field(*stars, shape=(96, 128)):
    """Stars of 3 pixels without noise: row, column, height."""
    y, x = np.indices(shape)
    image = np.zeros(shape, "f4")
    for row, column, height in stars:
        image += height * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 4.5)
    return image


def cut(image, layer=ONE_SCALE):
    """Stamps (stars, scales, size, size, 2) and heights of the peaks."""
    stamps, heights = layer(np.asarray(image, "f4")[None, ..., None])
    shape = layer.number, len(layer.scales), layer.size, layer.size, 2
    return np.asarray(stamps).reshape(shape), np.exp(np.asarray(heights)[0, :, 0])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 95), st.integers(0, 127))
def test_a_star_is_in_the_middle_wherever_it_is(row, column):
    stamps, heights = cut(field((row, column, 100)))
    # Where half of a star is beyond the border, the other half is what there is.
    brightest = np.unravel_index(stamps[0, 0, ..., 0].argmax(), (SIZE, SIZE))
    at_border = row in (0, 95) or column in (0, 127)
    assert np.abs(np.subtract(brightest, SIZE // 2)).max() <= at_border
    assert heights[0] > 30
    # There is one star, even if it lies where blocks meet.
    assert np.all(heights[1:] == 1)
    assert np.all(stamps[1:] == 0)


def test_shapes_do_not_depend_on_brightness():
    faint, bright = (cut(field((40, 50, height)))[0] for height in (60, 600))
    assert np.allclose(faint[0, 0, ..., 1], bright[0, 0, ..., 1], atol=1e-4)
    assert bright[0, 0, ..., 0].max() > faint[0, 0, ..., 0].max() + 0.5


def test_the_core_of_an_undersampled_star_is_not_cut_off():
    image = np.zeros((64, 64))
    image[30, 30:32] = 100, 60
    stamps, _ = cut(image)
    light = np.sort(stamps[0, 0, ..., 1].ravel())
    assert light[-2:] == pytest.approx([0.6, 1])


def test_bright_but_hardly_saturated_ones_come_first():
    heights = {100: (20, 20), 20_000: (20, 80), 8: (70, 20), 5000: (70, 90)}
    _, found = cut(field(*((*place, height) for height, place in heights.items())))
    order = [min(heights, key=lambda height: abs(np.log(height / f))) for f in found]
    assert order == [100, 5000, 20_000, 8]


def test_coarser_stamps_show_more_of_the_surroundings():
    layer = StarStamps(2, SIZE, scales=(1, 4))
    image = field((48, 64, 90), (48, 64 + 24, 100))
    stamps, _ = cut(image, layer)
    half = SIZE // 2
    # A neighbor at 24 pixels is beyond the stamp of 16, and 6 coarse pixels away.
    assert stamps[0, 0, half, -1, 1] < 0.01
    assert stamps[0, 1, half, half + 6, 1] > 0.2


def test_there_may_be_fewer_places_than_stamps():
    layer = StarStamps(24, SIZE, scales=(1, 2))
    stamps, heights = cut(field((8, 8, 50), shape=(2 * BLOCK, 2 * BLOCK)), layer)
    assert np.isfinite(stamps).all()
    assert (heights > 1).sum() == 1


def test_nothing_stands_out_of_nothing():
    _, heights = cut(np.zeros((64, 64)))
    assert np.all(heights == 1)


def test_configuration_is_kept():
    again = StarStamps.from_config(StarStamps(5, 8, scales=(1, 8)).get_config())
    assert (again.number, again.size, again.scales) == (5, 8, (1, 8))


def test_images_of_other_sizes_are_refused():
    with pytest.raises(TypeError):
        cut(np.zeros((60, 64)))
