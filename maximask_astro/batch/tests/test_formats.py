"""Whatever form and encoding the same pixels come in, the verdict is the same."""

import bz2
import gzip
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from maximask_astro.batch import process
from maximask_astro.flags import NO_DATA

pytestmark = pytest.mark.real_data

# What the pixels are stored as; all of these are exact.
ENCODINGS = {
    "integer": lambda pixels: fits.ImageHDU(pixels.astype("u2")),
    "float": lambda pixels: fits.ImageHDU(pixels.astype("f4")),
    "big-endian": lambda pixels: fits.ImageHDU(pixels.astype(">f8")),
    "scaled": lambda pixels: _scaled(fits.ImageHDU((pixels * 2).astype("i4"))),
    "compressed": lambda pixels: _compressed(pixels.astype("u2"), "RICE_1"),
}

MORE_ENCODINGS = {
    "int16": lambda pixels: fits.ImageHDU(pixels.astype("i2")),
    "int32": lambda pixels: fits.ImageHDU(pixels.astype("i4")),
    "uint32": lambda pixels: fits.ImageHDU(pixels.astype("u4")),
    "int64": lambda pixels: fits.ImageHDU(pixels.astype("i8")),
    "tiles": lambda pixels: _compressed(pixels.astype("i4"), "RICE_1", (20, 48)),
    "hcompress": lambda pixels: _compressed(
        pixels.astype("i4"), "HCOMPRESS_1", (16, 64)
    ),
    "gzip": lambda pixels: _compressed(pixels.astype("f4"), "GZIP_2"),
}

CONTAINERS = {
    "a.fits": bytes,
    "a.FITS": bytes,
    "a.fit": bytes,
    "a.fts": bytes,
    "a.fits.fz": bytes,
    "a.fits.gz": gzip.compress,
    "a.FIT.GZ": gzip.compress,
    "a.fits.bz2": bz2.compress,
}

# How the command line names the file, and what the output is called.
FORMS = {
    "file": "a.masks.fits",
    "[2]": "a.masks2.fits",
    "[SCI]": "a.masks2.fits",
    "directory": "a.masks.fits",
    "list": "a.masks.fits",
    "list of [2]": "a.masks2.fits",
}


def _scaled(hdu):
    hdu.header["BSCALE"] = 0.5
    return hdu


def _compressed(data, kind, tile_shape=None):
    return fits.CompImageHDU(
        data, compression_type=kind, tile_shape=tile_shape, quantize_level=0
    )


@pytest.fixture(scope="module")
def pixels(real_data):
    """Part of a real exposure of MegaCam: whole numbers, and cosmic rays."""
    image = fits.getdata(real_data / "exposures" / "cfht_mega_cr.fits")
    return image[20:84, 40:104].astype("f8")


@pytest.fixture(scope="module")
def verdict(pixels, masker):
    """What is to come out: more than one class."""
    bitmask = masker(pixels).bitmask
    assert len(np.unique(bitmask)) > 2
    return bitmask


def write(directory, hdu, container="a.fits"):
    """Write an image as HDU 2, behind a thumbnail."""
    directory.mkdir(exist_ok=True)
    hdu.name = "SCI"
    thumbnail = fits.ImageHDU(np.arange(12, dtype="u1").reshape(3, 4), name="THUMB")
    plain = directory / "plain"
    fits.HDUList([fits.PrimaryHDU(), thumbnail, hdu]).writeto(plain)
    path = directory / container
    path.write_bytes(CONTAINERS[container](plain.read_bytes()))
    plain.unlink()
    return path


def as_argument(path, form):
    """How the command line names the file."""
    if form == "directory":
        return path.parent
    if form.startswith("list"):
        name = path.parent / "night.list"
        name.write_text(f"# one exposure\n{path.name}{form[8:]}\n")
        return name
    return path if form == "file" else f"{path}{form}"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_forms_and_encodings(
    tmp_path, pixels, masker, verdict, encoding, container, form
):
    path = write(tmp_path / "night", ENCODINGS[encoding](pixels), container)
    (result,) = process(as_argument(path, form), masker, output_dir=tmp_path / "out")
    assert (result.status, result.message) == ("masked", "")
    assert Path(result.output) == tmp_path / "out" / FORMS[form]
    with fits.open(result.output) as file:
        assert [hdu.name for hdu in file] == (
            ["SCI"] if "[" in form else ["PRIMARY", "THUMB", "SCI"]
        )
        np.testing.assert_array_equal(file["SCI"].data, verdict)


@pytest.mark.parametrize("encoding", MORE_ENCODINGS)
def test_more_encodings(tmp_path, pixels, masker, verdict, encoding):
    path = write(tmp_path / "night", MORE_ENCODINGS[encoding](pixels))
    (result,) = process(path, masker)
    assert (result.status, result.message) == ("masked", "")
    with fits.open(result.output) as file:
        np.testing.assert_array_equal(file["SCI"].data, verdict)


BLANKS = {
    "float": lambda pixels: fits.ImageHDU(pixels.astype("f4")),
    "integer": lambda pixels: _with_blank(fits.ImageHDU(_stored(pixels))),
    "scaled": lambda pixels: _scaled(_with_blank(fits.ImageHDU(_stored(pixels * 2)))),
    "rice": lambda pixels: _with_blank(_compressed(_stored(pixels), "RICE_1")),
    "gzip": lambda pixels: _compressed(pixels.astype("f4"), "GZIP_1"),
}


def _stored(pixels):
    return np.where(np.isnan(pixels), -999, pixels).astype("i4")


def _with_blank(hdu):
    hdu.header["BLANK"] = -999
    return hdu


@pytest.mark.parametrize("encoding", BLANKS)
def test_pixels_without_a_value(tmp_path, pixels, masker, encoding):
    pixels = pixels.copy()
    pixels[20:23, 30:] = np.nan
    verdict = masker(pixels).bitmask
    (result,) = process(write(tmp_path / "night", BLANKS[encoding](pixels)), masker)
    assert (result.status, result.message) == ("masked", "")
    with fits.open(result.output) as file:
        np.testing.assert_array_equal(file["SCI"].data == NO_DATA.bit, np.isnan(pixels))
        np.testing.assert_array_equal(file["SCI"].data, verdict)
        assert "BLANK" not in file["SCI"].header


@pytest.mark.parametrize("shape", [(1, 2), (1, 64), (64, 1), (2, 2), (63, 50)])
def test_images_smaller_than_a_block(tmp_path, pixels, masker, shape):
    image = pixels[: shape[0], : shape[1]]
    fits.writeto(tmp_path / "a.fits", image)
    (result,) = process(tmp_path / "a.fits", masker)
    assert result.status == "masked"
    np.testing.assert_array_equal(fits.getdata(result.output), masker(image).bitmask)


def test_a_cube_of_exposures(tmp_path, real_data, masker):
    name = real_data / "exposures" / "decam_raw_62x100.fits.fz"
    with fits.open(name) as file:
        cube = np.stack([file[index].data for index in (1, 33, 41)])
    write(tmp_path / "night", fits.CompImageHDU(cube))
    (result,) = process(tmp_path / "night", masker, content="masks")
    with fits.open(result.output) as file:
        output = file["SCI"].data
    assert output.shape == (3, 14, *cube.shape[1:])
    for plane, image in zip(output, cube, strict=True):
        cmap = masker(image)
        np.testing.assert_array_equal(
            plane, [cmap.class_mask(name) for name in cmap.classes]
        )
