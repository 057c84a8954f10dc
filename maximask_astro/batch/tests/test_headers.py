"""What the headers of mask files keep, lose and add."""

import shutil
import warnings
from collections import Counter

import numpy as np
import pytest
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS

from maximask_astro.batch import process
from maximask_astro.tests.helpers import make_exposure

# Cards that describe the array rather than the exposure.
ARRAY = (
    *("SIMPLE", "XTENSION", "BITPIX", "EXTEND", "PCOUNT", "GCOUNT"),
    *("NAXIS", "NAXIS1", "NAXIS2", "NAXIS3"),
)
# Cards about the source's pixel values.
VALUES = (
    *("BSCALE", "BZERO", "BLANK", "BUNIT", "DATAMIN", "DATAMAX"),
    *("CHECKSUM", "DATASUM"),
)

DISTORTED = {
    "vatt4k_trail.fits": "RA---TAN-SIP",
    "decam_cp_sat1_img.fits": "RA---TPV",
    "decam_cp_halo_img.fits": "RA---TPV",
    "ukirt_wfcam_K_nebula.fits": "RA---ZPN",
    "hst_wfc3uvis_pluto1.fits": "RA---TAN-SIP",
}


def exposure(real_data, name, directory):
    """Copy an exposure, so that its masks are not written beside it."""
    return shutil.copyfile(real_data / "exposures" / name, directory / name)


def corners(path, index, naxis=None):
    """Celestial coordinates of the corners and two more places of an image."""
    with fits.open(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        height, width = file[index].shape[-2:]
        wcs = WCS(file[index].header, fobj=file, naxis=naxis)
        x = [0, width - 1, 0, width - 1, width / 3, -0.5]
        y = [0, 0, height - 1, height - 1, height / 2, -0.5]
        return wcs.pixel_to_world(x, y)


@pytest.mark.real_data
@pytest.mark.parametrize("content", ["bitmask", "masks"])
@pytest.mark.parametrize("name", DISTORTED)
def test_distorted_coordinates(tmp_path, real_data, masker, name, content):
    path = exposure(real_data, name, tmp_path)
    (result,) = process(path, masker, content=content)
    index = next(hdu.index for hdu in result.hdus if hdu.action == "masked")
    assert fits.getheader(path, index)["CTYPE1"] == DISTORTED[name]
    if content == "masks" and name.startswith("hst"):
        # wcslib refuses lookup tables in a cube: astropy needs a flat header.
        with fits.open(result.output, mode="update") as file:
            file[index].data = file[index].data[0]
    source = corners(path, index)
    output = corners(result.output, index, None if content == "bitmask" else 2)
    np.testing.assert_array_equal(output.data.lon, source.data.lon)
    np.testing.assert_array_equal(output.data.lat, source.data.lat)


@pytest.mark.real_data
def test_lookup_tables_follow_a_single_hdu(tmp_path, real_data, masker):
    path = exposure(real_data, "hst_wfc3uvis_pluto1.fits", tmp_path)
    (result,) = process(f"{path}[SCI]", masker)
    with fits.open(result.output) as file:
        tables = [(hdu.name, hdu.ver) for hdu in file[1:]]
    assert tables == [
        ("D2IMARR", 1),
        ("D2IMARR", 2),
        ("WCSDVARR", 1),
        ("WCSDVARR", 2),
    ]
    output, source = corners(result.output, 0), corners(path, 1)
    np.testing.assert_array_equal(output.data.lon, source.data.lon)
    np.testing.assert_array_equal(output.data.lat, source.data.lat)


def rich_header():
    """Cards of all kinds, those about values included."""
    header = fits.Header(
        [
            ("OBJECT", "NGC 2264", "target"),
            ("EXPTIME", 30.0, "[s]"),
            ("CCDTEMP", -90.125),
            ("NIGHT", True),
            ("NOTHING", None),
            ("HIERARCH ESO DET CHIP1 NAME", "ESO-42-3"),
            ("LONGSTR", "a value over several cards " * 8),
            ("BUNIT", "adu"),
            ("DATAMIN", 0.0),
            ("DATAMAX", 65535.0),
            ("CTYPE1", "RA---TAN"),
            ("CTYPE2", "DEC--TAN"),
            ("CRVAL1", 100.25),
            ("CRVAL2", 9.5),
            ("CR", "not cosmic rays", "an unlucky keyword"),
        ]
    )
    header["HISTORY"] = "bias"
    header["HISTORY"] = "flat"
    header["COMMENT"] = "thin clouds"
    return header


@pytest.fixture
def rich_exposure(tmp_path):
    """An exposure with such a header, scaled, with BLANK and checksums."""
    hdu = fits.ImageHDU(make_exposure((20, 30)).astype("i4"), rich_header())
    hdu.header["BSCALE"], hdu.header["BZERO"], hdu.header["BLANK"] = 0.5, 100, -999
    hdu.name = "CCD1"
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path, checksum=True)
    return path


@pytest.mark.parametrize("form", ["", "[1]"])
@pytest.mark.parametrize("content", ["bitmask", "masks", "probabilities"])
def test_cards_of_the_source(rich_exposure, masker, content, form):
    (result,) = process(f"{rich_exposure}{form}", masker, content=content)
    with fits.open(result.output) as file:
        header = file["CCD1"].header
    for card in rich_header().cards:
        if card.keyword not in (*VALUES, "CR", "COMMENT", "HISTORY"):
            kept = header.cards[card.keyword]
            assert (kept.value, kept.comment) == (card.value, card.comment)
    assert list(header["HISTORY"]) == ["bias", "flat"]
    assert list(header["COMMENT"]) == ["thin clouds"]
    assert not [keyword for keyword in VALUES if keyword in header]
    assert header["CR"] == "CR: Cosmic Rays"


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["decam_cp_sat1_img.fits", "decam_cp_halo_img.fits"])
def test_cards_of_a_real_source(tmp_path, real_data, masker, name):
    path = exposure(real_data, name, tmp_path)
    (result,) = process(path, masker)
    with fits.open(path) as source, fits.open(result.output) as output:
        assert fits.HeaderDiff(
            source[0].header, output[0].header, ignore_keywords=["CHECKSUM", "DATASUM"]
        ).identical
        old, new = source[1].header, output[1].header
        dropped = {*ARRAY, *VALUES}
        cards = {
            header is new: Counter(
                (card.keyword, str(card.value))
                for card in header.cards
                if card.keyword and card.keyword not in dropped
            )
            for header in (old, new)
        }
        assert cards[True] >= cards[False]
        assert sum(cards[False].values()) > 50
        assert not [keyword for keyword in VALUES if keyword in new]


@pytest.mark.parametrize("content", ["bitmask", "masks", "probabilities"])
def test_the_file_is_standard_fits(rich_exposure, masker, content):
    (result,) = process(rich_exposure, masker, content=content)
    with fits.open(result.output) as file:
        file.verify("exception")
        file.writeto(rich_exposure.parent / "again.fits", output_verify="exception")
    size = (rich_exposure.parent / "a.masks.fits").stat().st_size
    assert size % 2880 == 0


@pytest.mark.real_data
def test_class_cards_are_those_of_the_original(tmp_path, real_data, masker):
    path = exposure(real_data, "exotic_013612.fits", tmp_path)
    (result,) = process(path, masker)
    ours = fits.getheader(result.output)
    published = fits.getheader(
        real_data / "reference" / "exotic_013612.published_single_mask.fits.gz"
    )
    for keyword, value in published.items():
        if keyword in ARRAY or keyword.startswith("MM_"):
            continue
        found = ours[keyword]
        if keyword.endswith(("_PR", "_TH", "_SM", "_DIM")):
            assert isinstance(found, str)
            half_a_digit = 0.5 * 10.0 ** -len(value.partition(".")[2])
            assert abs(float(found) - float(value)) <= half_a_digit
        elif ":" in value:  # the class; some are named otherwise here
            assert found.partition(":")[0] == value.partition(":")[0]
        else:
            assert found == value
    assert sum(keyword.endswith("_TH") for keyword in published) == 14
