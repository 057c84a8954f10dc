import errno
import io

import numpy as np
import pytest
from astropy.io import fits

from maximask_astro.batch.fits_files import (
    find_hdu,
    lookup_tables,
    open_fits,
    read_image,
)
from maximask_astro.batch.tests.bad_files import write_bad_file
from maximask_astro.tests.helpers import make_exposure
from maximask_astro.utils import InputError

IMAGE = make_exposure((30, 40)).astype("i2")


@pytest.fixture
def file():
    """Several HDUs, two with one name."""
    return fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.ImageHDU(IMAGE, name="SCI", ver=1),
            fits.ImageHDU(IMAGE, name="SCI", ver=2),
            fits.ImageHDU(IMAGE, name="DQ"),
        ]
    )


def appended(path, content):
    """Write an image with something after its last HDU."""
    stream = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(IMAGE)]).writeto(stream)
    path.write_bytes(stream.getvalue() + content)
    return path


def test_open_closes_in_the_end(tmp_path):
    path = appended(tmp_path / "a.fits", b"")
    with open_fits(path) as file:
        stream = file._file
        assert len(file) == 2
    assert stream.closed


@pytest.mark.parametrize("content", [bytes(2880), b"nothing astropy knows".ljust(2880)])
def test_special_records_after_the_last_hdu(tmp_path, content):
    with open_fits(appended(tmp_path / "a.fits", content)) as file:
        assert len(file) == 2
        np.testing.assert_array_equal(file[1].data, IMAGE)


def test_what_the_system_refuses(tmp_path, monkeypatch):
    def refuse(path, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    path = appended(tmp_path / "a.fits", b"")
    monkeypatch.setattr(fits, "open", refuse)
    with pytest.raises(InputError) as caught, open_fits(path):
        pass
    assert str(caught.value) == f"{path} cannot be read: Permission denied."


@pytest.mark.parametrize("length", [80, 2880])
def test_a_header_that_was_cut_off_is_no_special_record(tmp_path, length):
    header = b"XTENSION= 'IMAGE   '".ljust(80) + b"BITPIX  =                   16"
    path = appended(tmp_path / "a.fits", header.ljust(length)[:length])
    with pytest.raises(InputError, match=r"is (truncated|not a FITS)"), open_fits(path):
        pass


def test_the_first_line_of_an_error_is_a_sentence(tmp_path):
    path = write_bad_file("text.fits", tmp_path)
    with pytest.raises(InputError) as caught, open_fits(path):
        pass
    assert str(caught.value) == (
        f"{path} is not a FITS file, or is damaged: No SIMPLE card found, this file "
        "does not appear to be a valid FITS file."
    )


@pytest.mark.parametrize(
    ("hdu", "index"), [(0, 0), (3, 3), ("SCI", 1), ("sci", 1), ("DQ", 3)]
)
def test_find_hdu(file, hdu, index):
    assert find_hdu(file, hdu, "a.fits") == index


@pytest.mark.parametrize("hdu", [4, 99, -1, "-1", "WHT", "SCI,2"])
def test_find_no_hdu(file, hdu):
    message = f"a.fits has no HDU {hdu}; it has 4, numbered from 0 to 3."
    with pytest.raises(InputError) as caught:
        find_hdu(file, hdu, "a.fits")
    assert str(caught.value) == message


def test_read_image_scales(tmp_path):
    hdu = fits.ImageHDU(IMAGE)
    hdu.header["BSCALE"], hdu.header["BZERO"] = 0.5, 100
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "a.fits")
    with open_fits(tmp_path / "a.fits") as file:
        np.testing.assert_array_equal(read_image(file[1], "a.fits", 1), IMAGE / 2 + 100)


def test_read_image_names_the_hdu_that_is_damaged(tmp_path):
    hdus = [fits.PrimaryHDU(), fits.CompImageHDU(IMAGE)]
    fits.HDUList(hdus).writeto(tmp_path / "a.fits")
    content = bytearray((tmp_path / "a.fits").read_bytes())
    content[6000:6500] = bytes(500)
    (tmp_path / "a.fits").write_bytes(content)
    with (
        open_fits(tmp_path / "a.fits") as file,
        pytest.raises(InputError, match=r"HDU 1 of a.fits cannot be read, it may"),
    ):
        read_image(file[1], "a.fits", 1)


@pytest.mark.parametrize(
    ("keyword", "names"),
    [
        ("CPDIS1", ["WCSDVARR", "D2IMARR"]),
        ("D2IMDIS2", ["WCSDVARR", "D2IMARR"]),
        ("CPERR1", []),
    ],
)
def test_lookup_tables(file, keyword, names):
    for name in ("WCSDVARR", "D2IMARR"):
        file.append(fits.ImageHDU(IMAGE, name=name))
    file[1].header[keyword] = "Lookup"
    assert [table.name for table in lookup_tables(file, file[1])] == names
    assert lookup_tables(file, file[2]) == []
