import numpy as np
import pytest
from astropy.io import fits

from maximask_astro.batch import rows
from maximask_astro.batch.fits_files import open_fits
from maximask_astro.batch.rows import image_readers
from maximask_astro.utils.errors import InputError

KINDS = ["i2", "u2", "f4", "f8", "scaled", "gz", "fz", "cube", "blank"]


def write(kind, path):
    """An image and what is in it."""
    random = np.random.RandomState(0)
    data = random.randint(0, 30000, (130, 41))
    if kind == "cube":
        data = np.stack([data, data[::-1]])
    if kind == "blank":
        hdu = fits.PrimaryHDU(data.astype("i4"))
        hdu.header["BLANK"] = int(data[3, 4])
        hdu.writeto(path)
        return path, np.where(data == data[3, 4], np.nan, data)
    if kind == "scaled":
        hdu = fits.PrimaryHDU((data * 0.5).astype("f4"))
        hdu.scale("int16", bscale=0.5, bzero=100.0)
        hdu.writeto(path)
        return path, data * 0.5
    data = data.astype(kind if kind in ("i2", "u2", "f4", "f8") else "i4")
    if kind[0] == "f" and kind != "fz":
        data[5:9, 3] = np.nan
        data[100, 7] = np.inf
    if kind == "gz":
        path = path.with_suffix(".fits.gz")
    if kind == "fz":
        fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(data)]).writeto(path)
    else:
        fits.writeto(path, data)
    return path, data


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_those_of_the_whole(tmp_path, monkeypatch, kind, whole):
    monkeypatch.setattr(rows, "_WHOLE", 10**9 if whole else 0)
    path, data = write(kind, tmp_path / "a.fits")
    planes = data.reshape(-1, *data.shape[-2:])
    index = 1 if kind == "fz" else 0
    with open_fits(path) as file:
        readers = image_readers(file[index], path, index)
        assert len(readers) == len(planes)
        for read, plane in zip(readers, planes, strict=True):
            bad = ~np.isfinite(plane)
            expected = np.where(bad, 0, plane).astype("f4")
            # Twice, and with rows in common.
            for start, stop in [(0, 130), (0, 50), (30, 90), (60, 130), (20, 25)]:
                image, invalid = read(start, stop)
                assert image.dtype == np.float32
                np.testing.assert_array_equal(image, expected[start:stop])
                missing = bad[start:stop]
                assert (invalid is None) == (not missing.any())
                assert invalid is None or np.array_equal(invalid, missing)


def test_damage_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "_WHOLE", 0)
    path, _ = write("fz", tmp_path / "a.fits")
    content = bytearray(path.read_bytes())
    content[-5000:-2880] = bytes(2120)
    path.write_bytes(content)
    with open_fits(path) as file:
        (read,) = image_readers(file[1], path, 1)
        with pytest.raises(InputError, match=rf"HDU 1 of {path} cannot be read"):
            read(0, 130)
