import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.batch.writer import FITSWriter


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.fits"


def some_hdus():
    """One of each kind, the first with data or without."""
    table = fits.BinTableHDU.from_columns(
        [fits.Column("a", "PJ()", array=np.array([[1, 2], [3]], object))], name="T"
    )
    return [
        fits.PrimaryHDU(np.arange(12, dtype="i4").reshape(3, 4)),
        table,
        fits.ImageHDU(np.ones((2, 5), "f8"), name="WHT"),
        fits.CompImageHDU(np.arange(400, dtype="i2").reshape(20, 20), name="Z"),
    ]


def test_a_file_of_copies_is_as_astropy_writes_it(path, tmp_path):
    other = tmp_path / "b.fits"
    fits.HDUList(some_hdus()).writeto(other)
    with fits.open(other) as file, FITSWriter(path, len(file)) as writer:
        for hdu in file:
            writer.copy(hdu)
    assert fits.FITSDiff(path, other).identical
    assert path.read_bytes()[:2880] == other.read_bytes()[:2880]


def test_images_between_copies(path):
    table, weights = some_hdus()[1:3]
    image = np.arange(35, dtype="f4").reshape(5, 7)
    with FITSWriter(path, 4) as writer:
        first = writer.image(fits.Header({"OBJECT": "M 1"}), (5, 7), "f4")
        writer.copy(table)
        second = writer.image(fits.Header({"EXTNAME": "X", "N": 1}), (2, 5, 7), "i2")
        writer.copy(weights)
        # In any order, also when others have followed.
        second.write(slice(0, 5), image, (1,))
        first.write(slice(3, 5), image[3:])
        first.write(slice(0, 3), image[:3])
        second.set("N", 99999)
    with fits.open(path) as file:
        file.verify("exception")
        assert file[0].header["EXTEND"]
        assert file[0].header["OBJECT"] == "M 1"
        np.testing.assert_array_equal(file[0].data, image)
        assert file["T"].data["a"][0].tolist() == [1, 2]
        np.testing.assert_array_equal(file["X"].data, [np.zeros_like(image), image])
        assert file["X"].header["N"] == 99999
        np.testing.assert_array_equal(file["WHT"].data, weights.data)
    assert path.stat().st_size % 2880 == 0


@pytest.mark.parametrize("first", ["image", "copy"])
def test_a_single_image_has_no_extensions(path, first):
    with FITSWriter(path, 1) as writer:
        if first == "image":
            writer.image(fits.Header(), (3, 3), np.uint8)
        else:
            writer.copy(fits.PrimaryHDU(np.zeros((3, 3))))
    with fits.open(path) as file:
        assert len(file) == 1
        assert "EXTEND" not in file[0].header or file[0].header["EXTEND"]
        np.testing.assert_array_equal(file[0].data, np.zeros((3, 3)))


@given(
    shape=st.lists(st.integers(1, 9), min_size=2, max_size=4),
    dtype=st.sampled_from(["u1", "i2", "i4", "f4", "f8"]),
    seed=st.integers(0, 99),
)
def test_what_is_written_is_read(tmp_path_factory, shape, dtype, seed):
    path = tmp_path_factory.mktemp("writer") / "a.fits"
    random = np.random.RandomState(seed)
    data = random.randint(0, 100, shape).astype(dtype)
    with FITSWriter(path, 1) as writer:
        image = writer.image(fits.Header(), tuple(shape), dtype)
        for place in random.permutation(list(np.ndindex(*shape[:-2]))).tolist():
            cut = random.randint(0, shape[-2] + 1)
            for rows in (slice(cut, shape[-2]), slice(0, cut)):
                image.write(rows, data[tuple(place)][rows], tuple(place))
    np.testing.assert_array_equal(fits.getdata(path), data)
