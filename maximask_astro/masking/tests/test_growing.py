from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.inference import Band
from maximask_astro.masking.growing import grow_bands, grow_codes
from maximask_astro.masking.tests.maps import make_map

SETTINGS = make_map(names=ABBREVIATIONS).settings


@st.composite
def images(draw):
    """Verdicts, where to cut them into bands, and radii."""
    height = draw(st.integers(1, 40))
    cuts = draw(st.sets(st.integers(1, max(height - 1, 1)), max_size=6))
    random = np.random.RandomState(draw(st.integers(0, 99)))
    codes = np.zeros((height, 20), np.uint32)
    for item in SETTINGS[:4]:
        codes[random.uniform(size=codes.shape) < 0.01] |= np.uint32(item.code)
    radii = dict.fromkeys(ABBREVIATIONS, 0.0)
    for item in SETTINGS[:3]:
        radii[item.name] = draw(st.sampled_from([0.0, 0.5, 1.0, 2.5, 7.0, 50.0]))
    return codes, [0, *sorted(cuts - {height}), height], radii


@given(images())
def test_bands_grow_as_the_whole_does(image):
    codes, cuts, radii = image
    bands = [Band(slice(a, b), codes[a:b].copy()) for a, b in pairwise(cuts)]
    grown = list(grow_bands(bands, SETTINGS, radii))
    assert [band.rows for band in grown] == [band.rows for band in bands]
    found = np.concatenate([band.codes for band in grown])
    np.testing.assert_array_equal(found, grow_codes(codes, SETTINGS, radii))


def test_bands_are_given_away_as_soon_as_they_are_known():
    """So that only a few are in the memory."""
    taken = []

    def bands():
        for index in range(20):
            taken.append(index)
            yield Band(slice(10 * index, 10 * index + 10), np.zeros((10, 5), np.uint32))

    radii = {**dict.fromkeys(ABBREVIATIONS, 0.0), "CR": 15.0}
    for index, _ in enumerate(grow_bands(bands(), SETTINGS, radii)):
        assert len(taken) <= index + 3


@pytest.mark.parametrize("radius", [1.0, 3.0])
def test_a_pixel_grows_to_a_disk(radius):
    codes = np.zeros((21, 21), np.uint32)
    codes[10, 10] = SETTINGS[0].code
    radii = {**dict.fromkeys(ABBREVIATIONS, 0.0), SETTINGS[0].name: radius}
    rows, columns = np.indices(codes.shape) - 10
    expected = rows**2 + columns**2 <= radius**2
    found = grow_codes(codes, SETTINGS, radii) != 0
    np.testing.assert_array_equal(found, expected)
