from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from maximask_astro.batch import output_path
from maximask_astro.batch.outputs import mask_hdu
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


def test_a_bit_mask_has_a_bit_a_class(make_map):
    data = mask_hdu(make_map(), fits.Header(), "bitmask").data
    bits = [flag.bit for flag in CLASSES]
    np.testing.assert_array_equal(data, [[NO_DATA.bit] * N_CLASSES, bits, bits])
    assert data.dtype == np.int16  # as the original writes it, without BZERO


def test_masks_have_a_plane_a_class(make_map):
    data = mask_hdu(make_map(), fits.Header(), "masks").data
    assert data.dtype == np.uint8
    planes = np.zeros((N_CLASSES, 3, N_CLASSES))
    planes[:, 1:] = np.eye(N_CLASSES)[:, None]
    np.testing.assert_array_equal(data, planes)


def test_probabilities_have_a_plane_a_class(make_map):
    cmap = make_map()
    data = mask_hdu(cmap, fits.Header(), "probabilities").data
    assert data.dtype == np.float32
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
def test_the_planes_of_a_cube_come_first(make_map, content, shape):
    cmap = make_map(2)
    data = mask_hdu(cmap, fits.Header(), content).data
    assert data.shape == shape
    if content == "probabilities":
        np.testing.assert_array_equal(data[1, 4], cmap.probability_planes[4, 1])


@pytest.mark.parametrize("primary", [True, False])
def test_the_kind_of_hdu(make_map, primary):
    header = fits.ImageHDU(np.zeros((3, 14)), name="CCD7").header
    hdu = mask_hdu(make_map(), header, "masks", primary=primary)
    assert isinstance(hdu, fits.PrimaryHDU if primary else fits.ImageHDU)
    assert hdu.name == "CCD7"
    hdu.verify("exception")


@pytest.mark.parametrize(
    ("content", "thresholded", "single"),
    [
        ("bitmask", "Yes", "Yes"),
        ("masks", "Yes", "No"),
        ("probabilities", "No", "No"),
    ],
)
def test_the_header_says_what_the_image_holds(make_map, content, thresholded, single):
    header = mask_hdu(make_map(), fits.Header({"OBJECT": "M 1"}), content).header
    assert header["OBJECT"] == "M 1"
    assert (header["PRIORS"], header["THRESH"], header["SMASK"]) == (
        "Yes",
        thresholded,
        single,
    )
    assert ("CR_TH" in header) == (thresholded == "Yes")
    assert ("CR_SM" in header) == (single == "Yes")
    assert header["MM_NODAT"] == N_CLASSES
