import numpy as np
import pytest
from astropy.io import fits

from maximask_astro.utils.hdus import why_no_exposure

IMAGE = np.arange(12, dtype="i2").reshape(3, 4)


@pytest.mark.parametrize("shape", [(1, 1), (2, 30), (400, 400), (3, 5, 6), (1, 5, 6)])
def test_images_and_cubes_of_any_size_are_exposures(shape):
    hdu = fits.ImageHDU(np.zeros(shape, "u1"), name="CCD1")
    assert why_no_exposure(hdu) is None


@pytest.mark.parametrize(
    ("hdu", "reason"),
    [
        (fits.PrimaryHDU(), "it has no data"),
        (fits.ImageHDU(np.zeros((0, 4))), "it has no data"),
        (fits.BinTableHDU(), "it is not an image"),
        (fits.ImageHDU(np.zeros(4)), "it has 1 dimension, not 2 or 3"),
        (fits.ImageHDU(np.zeros((1, 1, 4, 4))), "it has 4 dimensions, not 2 or 3"),
        (fits.ImageHDU(IMAGE, name="DQ"), "it is auxiliary by its name, DQ"),
        (
            fits.ImageHDU(IMAGE, fits.Header({"EXTTYPE": "variance"})),
            "it is auxiliary by its name, variance",
        ),
    ],
)
def test_why_no_exposure(hdu, reason):
    assert why_no_exposure(hdu) == reason


def test_an_auxiliary_hdu_that_was_asked_for_is_an_exposure():
    assert why_no_exposure(fits.ImageHDU(IMAGE, name="DQ"), chosen=True) is None
