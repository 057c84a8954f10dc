from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits

from maximask_astro.batch import output_path
from maximask_astro.batch.outputs import MaskImage
from maximask_astro.batch.writer import FITSWriter
from maximask_astro.flags import CLASSES, NO_DATA
from maximask_astro.masking import ClassSettings, ContaminantMap

N_CLASSES = len(CLASSES)


@pytest.mark.parametrize(
    ("source", "index", "directory", "output"),
    [
        ("a.fits", None, None, "a.masks.fits"),
        ("a.fits", 2, None, "a.masks2.fits"),
        ("a.fits", 0, None, "a.masks0.fits"),
        ("night/a.fits.fz", None, None, "night/a.masks.fits"),
        ("night/A.FITS.gz", 1, "out", "out/A.masks1.fits"),
        ("night/a.fit", None, Path("out"), "out/a.masks.fits"),
        ("a.dat", None, None, "a.dat.masks.fits"),
    ],
)
def test_output_path(source, index, directory, output):
    assert output_path(source, index, directory) == Path(output)


@pytest.fixture
def make_map():
    """A map in which each class has its own column, but the first row is invalid."""

    def make(*planes):
        shape = (*planes, 3, N_CLASSES)
        settings = tuple(
            ClassSettings(flag.abbreviation, None, flag.prior, flag.threshold)
            for flag in CLASSES
        )
        verdicts = np.broadcast_to(
            np.array([item.code for item in settings], np.uint32), shape
        ).copy()
        invalid = np.zeros(shape, bool)
        invalid[..., 0, :] = True
        verdicts[invalid] = 0
        grid = np.linspace(0, 1, N_CLASSES * verdicts.size, dtype=np.float32)
        probabilities = grid.reshape(N_CLASSES, *shape).copy()
        probabilities[:, invalid] = np.nan
        return ContaminantMap(settings, verdicts, invalid, probabilities)

    return make


def rows_of(cmap, plane, rows):
    """Part of a map."""
    part = (*plane, rows)
    return ContaminantMap(
        cmap.settings,
        cmap.verdicts[part],
        cmap.invalid[part],
        cmap.probability_planes[:, *part],
    )


@pytest.fixture
def written(tmp_path):
    """Write a map in bands of two rows, and read it back."""

    def write(cmap, content, header=None, before=()):
        masker = SimpleNamespace(
            classes=cmap.classes, settings=cmap.settings, provenance=cmap.provenance
        )
        image = MaskImage(masker, content, cmap.shape, ("a" * 32, "b" * 32))
        path = tmp_path / "a.masks.fits"
        with FITSWriter(path, len(before) + 1) as writer:
            for hdu in before:
                writer.copy(hdu)
            target = writer.image(
                image.header(header or fits.Header()), image.shape, image.dtype
            )
            for plane in np.ndindex(cmap.shape[:-2]):
                for rows in (slice(0, 2), slice(2, 3)):
                    image.add(target, plane, rows, rows_of(cmap, plane, rows))
            target.set("MM_NODAT", image.n_invalid)
        with fits.open(path, memmap=False) as file:
            file.verify("exception")
            hdu = file[-1]
            assert len(file) == len(before) + 1
            return hdu, hdu.data, image

    return write


def test_a_bit_mask_has_a_bit_a_class(make_map, written):
    _, data, _ = written(make_map(), "bitmask")
    bits = [flag.bit for flag in CLASSES]
    np.testing.assert_array_equal(data, [[NO_DATA.bit] * N_CLASSES, bits, bits])
    assert data.dtype == ">i2"  # as the original writes it, without BZERO


def test_masks_have_a_plane_a_class(make_map, written):
    _, data, _ = written(make_map(), "masks")
    assert data.dtype == np.uint8
    planes = np.zeros((N_CLASSES, 3, N_CLASSES))
    planes[:, 1:] = np.eye(N_CLASSES)[:, None]
    np.testing.assert_array_equal(data, planes)


def test_probabilities_have_a_plane_a_class(make_map, written):
    cmap = make_map()
    _, data, _ = written(cmap, "probabilities")
    assert data.dtype == ">f4"
    np.testing.assert_array_equal(data, cmap.probability_planes)
    assert np.isnan(data[:, 0]).all()


@pytest.mark.parametrize(
    ("content", "shape"),
    [
        ("bitmask", (2, 3, N_CLASSES)),
        ("masks", (2, N_CLASSES, 3, N_CLASSES)),
        ("probabilities", (2, N_CLASSES, 3, N_CLASSES)),
    ],
)
def test_the_planes_of_a_cube_come_first(make_map, written, content, shape):
    cmap = make_map(2)
    _, data, _ = written(cmap, content)
    assert data.shape == shape
    if content == "probabilities":
        np.testing.assert_array_equal(data[1, 4], cmap.probability_planes[4, 1])
        np.testing.assert_array_equal(data[0, 7], cmap.probability_planes[7, 0])


@pytest.mark.parametrize("content", ["bitmask", "masks", "probabilities"])
def test_pixels_are_counted(make_map, written, content):
    cmap = make_map(2)
    hdu, _, image = written(cmap, content)
    counts = {name: int(cmap.class_mask(name).sum()) for name in cmap.classes}
    assert set(counts.values()) == {4}
    assert image.pixels == {**counts, "NO_DATA": 2 * N_CLASSES}
    assert hdu.header["MM_NODAT"] == image.n_invalid == 2 * N_CLASSES


@pytest.mark.parametrize("primary", [True, False])
def test_the_kind_of_hdu(make_map, written, primary):
    header = fits.ImageHDU(np.zeros((3, 14)), name="CCD7").header
    before = [] if primary else [fits.PrimaryHDU()]
    hdu, _, _ = written(make_map(), "masks", header, before)
    assert isinstance(hdu, fits.PrimaryHDU if primary else fits.ImageHDU)
    assert hdu.name == "CCD7"


@pytest.mark.parametrize(
    ("content", "thresholded", "single"),
    [
        ("bitmask", "Yes", "Yes"),
        ("masks", "Yes", "No"),
        ("probabilities", "No", "No"),
    ],
)
def test_the_header_says_what_the_image_holds(
    make_map, written, content, thresholded, single
):
    hdu, _, _ = written(make_map(), content, fits.Header({"OBJECT": "M 1"}))
    header = hdu.header
    assert header["OBJECT"] == "M 1"
    assert (header["PRIORS"], header["THRESH"], header["SMASK"]) == (
        "Yes",
        thresholded,
        single,
    )
    assert ("CR_TH" in header) == (thresholded == "Yes")
    assert ("CR_SM" in header) == (single == "Yes")
