import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData, NDData
from astropy.utils.masked import Masked

from maximask_astro.utils import MaximaskWarning
from maximask_astro.utils.nddata import header_wcs, unpack

DATA = np.arange(12.0).reshape(3, 4)
MASK = DATA > 8


def celestial_header(**cards):
    return fits.Header({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", **cards})


def image_hdu():
    header = celestial_header(BUNIT="adu", OBJECT="M31")
    return fits.ImageHDU(DATA, header)


@pytest.mark.parametrize(
    ("data", "unit", "masked"),
    [
        (DATA, None, False),
        (DATA.tolist(), None, False),
        (DATA * u.electron, u.electron, False),
        (np.ma.array(DATA, mask=MASK), None, True),
        (Masked(DATA, mask=MASK), None, True),
        (Masked(DATA * u.adu, mask=MASK), u.adu, True),
        (NDData(DATA, unit="Jy"), u.Jy, False),
        (NDData(DATA, mask=MASK), None, True),
        (CCDData(DATA, mask=MASK, unit="adu"), u.adu, True),
        (image_hdu(), u.adu, False),
        (fits.PrimaryHDU(DATA), None, False),
        (fits.CompImageHDU(DATA), None, False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_all_kinds_of_input(data, unit, masked):
    exposure = unpack(data)
    assert type(exposure.data) is np.ndarray
    assert np.array_equal(exposure.data, DATA)
    assert exposure.unit == unit
    assert np.array_equal(exposure.mask, MASK) if masked else exposure.mask is None


def test_header_and_coordinates_come_along():
    exposure = unpack(image_hdu())
    assert exposure.meta["OBJECT"] == "M31"
    assert exposure.wcs.wcs.ctype[0] == "RA---TAN"
    ccd = CCDData(DATA, unit="adu", wcs=exposure.wcs, meta={"OBJECT": "M33"})
    assert unpack(ccd).wcs is exposure.wcs
    assert unpack(ccd).meta["OBJECT"] == "M33"


def test_masks_are_joined_and_may_be_bit_masks():
    both = unpack(np.ma.array(DATA, mask=MASK), mask=DATA < 2)
    assert np.array_equal(both.mask, MASK | (DATA < 2))
    bits = unpack(NDData(DATA, mask=MASK * 64))
    assert np.array_equal(bits.mask, MASK)
    assert unpack(NDData(DATA, mask=np.True_)).mask.all()


def test_two_masks_are_refused():
    with pytest.raises(ValueError, match="not both"):
        unpack(NDData(DATA), mask=MASK)


@pytest.mark.parametrize("data", [DATA * 1j, "image.fits", [["a"]], [[None]], None])
def test_only_real_numbers_are_images(data):
    with pytest.raises(TypeError, match="must hold real numbers"):
        unpack(data)


@pytest.mark.parametrize("shape", [(), (5,), (2, 2, 2, 2)])
def test_images_have_two_or_three_dimensions(shape):
    with pytest.raises(ValueError, match=f"not {len(shape)}"):
        unpack(np.zeros(shape))


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 2, 2)])
def test_empty_images_are_refused(shape):
    with pytest.raises(ValueError, match="is empty"):
        unpack(np.zeros(shape))


def test_a_mask_must_fit():
    with pytest.raises(ValueError, match=r"mask has the shape \(4, 3\)"):
        unpack(DATA, mask=MASK.T)
    with pytest.raises(ValueError, match="HDU has no data"):
        unpack(fits.PrimaryHDU())


def test_unknown_units_are_left_out():
    hdu = fits.ImageHDU(DATA, fits.Header({"BUNIT": "counts per night"}))
    assert unpack(hdu).unit is None


def test_header_without_coordinates_has_no_wcs():
    assert header_wcs(fits.Header({"OBJECT": "M31"})) is None


def test_unreadable_coordinates_are_left_out_with_a_warning():
    header = celestial_header(CUNIT1="furlong/")
    with pytest.warns(MaximaskWarning, match="cannot be read and is left out"):
        assert header_wcs(header) is None
