import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.utils.headers import card_text, derived_header, set_card

TEXT = st.text(max_size=90)
VALUES = st.one_of(
    TEXT, st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.integers())
)
KEYS = st.one_of(TEXT, st.integers(), st.tuples(TEXT, st.integers()))


def celestial(name="TAN"):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [f"RA---{name}", f"DEC--{name}"]
    wcs.wcs.crval = 150.0, 2.0
    wcs.wcs.crpix = 10.0, 20.0
    wcs.wcs.cdelt = -1e-4, 1e-4
    return wcs


def test_cards_about_the_values_are_left_out():
    data = np.zeros((3, 4), np.int16)
    hdu = fits.ImageHDU(data, name="SCI")
    hdu.header["BUNIT"] = "adu"
    hdu.header["BLANK"] = -1
    hdu.header["DATAMAX"] = 7
    hdu.header["OBJECT"] = ("M31", "what was observed")
    hdu.add_checksum()
    header = derived_header(hdu.header)
    assert header["OBJECT"] == "M31"
    assert header.comments["OBJECT"] == "what was observed"
    assert header["EXTNAME"] == "SCI"
    left_out = [
        "BUNIT",
        "BLANK",
        "DATAMAX",
        "CHECKSUM",
        "DATASUM",
        "BITPIX",
        "NAXIS",
        "XTENSION",
    ]
    assert not set(left_out) & set(header)


def test_the_source_is_not_changed():
    meta = fits.Header([("BUNIT", "adu"), ("OBJECT", "M31")])
    derived_header(meta)["OBJECT"] = "M33"
    assert list(meta.items()) == [("BUNIT", "adu"), ("OBJECT", "M31")]


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_any_mapping_gives_a_header_that_can_be_written(meta):
    header = derived_header({"OBJECT": "M31", **meta, "EXPTIME": 30.0})
    read = fits.Header.fromstring(header.tostring())
    assert read["EXPTIME"] == 30.0


@pytest.mark.parametrize("meta", [None, {}, fits.Header()])
def test_no_meta_gives_an_empty_header(meta):
    assert len(derived_header(meta)) == 0


def test_world_coordinates_fill_in_for_those_of_the_header():
    header = derived_header({}, celestial())
    assert header["CTYPE1"] == "RA---TAN"
    assert header["CRVAL1"] == 150.0
    own = derived_header(fits.Header([("CTYPE1", "RA---ZEA")]), celestial())
    assert own["CTYPE1"] == "RA---ZEA"
    assert "CRVAL1" not in own


@given(TEXT, st.text("abc ", max_size=40))
def test_card_texts_fit_on_cards(value, comment):
    text = card_text(value, comment)
    header = fits.Header([("TRKMODEL", text, comment)])
    assert len(header.tostring(padding=False)) == 2 * 80  # with END
    assert fits.Header.fromstring(header.tostring())["TRKMODEL"] == text.rstrip()


@pytest.mark.parametrize("meta", [{"A": 1}, fits.Header({"A": 1})])
def test_cards_are_set_in_any_mapping(meta):
    set_card(meta, "A", 2, "what it means")
    set_card(meta, "B", "three", "what it says")
    assert dict(meta) == {"A": 2, "B": "three"}
    if isinstance(meta, fits.Header):
        assert meta.comments["A"] == "what it means"
