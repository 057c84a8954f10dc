import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.wcs.utils import proj_plane_pixel_scales

from maximask_astro.datasets import make_example_exposure
from maximask_astro.datasets.exposure import make_parts

SHAPE = (150, 220)


@pytest.fixture(scope="module")
def exposure():
    return make_example_exposure(SHAPE, seed=3)


def test_it_is_raw_ccddata(exposure):
    assert isinstance(exposure, CCDData)
    assert exposure.shape == SHAPE
    assert exposure.data.dtype == np.uint16
    assert exposure.unit == u.adu
    assert exposure.mask is None
    assert exposure.uncertainty is None


def test_default_shape():
    assert make_example_exposure().shape == (600, 800)


def test_header(exposure):
    header = exposure.meta
    assert isinstance(header, fits.Header)
    assert header["INSTRUME"] == "simulated"
    assert header["SEED"] == 3
    for keyword in ("OBJECT", "EXPTIME", "GAIN", "RDNOISE"):
        assert header.comments[keyword]


def test_coordinates(exposure):
    height, width = SHAPE
    assert list(exposure.wcs.wcs.ctype) == ["RA---TAN", "DEC--TAN"]
    assert exposure.wcs.array_shape == SHAPE
    scales = proj_plane_pixel_scales(exposure.wcs) * u.deg
    assert np.allclose(scales.to_value("arcsec"), 0.4)
    center = exposure.wcs.pixel_to_world((width - 1) / 2, (height - 1) / 2)
    right = exposure.wcs.pixel_to_world(width - 1, (height - 1) / 2)
    assert center.ra > right.ra  # east is to the left


def test_same_seed_same_exposure(exposure):
    again = make_example_exposure(SHAPE, seed=3)
    assert np.array_equal(again.data, exposure.data)
    assert again.header == exposure.header
    other = make_example_exposure(SHAPE, seed=4)
    assert not np.array_equal(other.data, exposure.data)


def test_numbers_of_the_header(exposure):
    values = exposure.data.astype(float)
    header = exposure.meta
    assert values.min() >= header["BIASLEV"] - 10 * header["RDNOISE"]
    # Saturated pixels have read noise like all others.
    saturated = values > 0.99 * header["SATURATE"]
    assert saturated.sum() > 100
    assert np.median(values[saturated]) == pytest.approx(header["SATURATE"], abs=2)
    # Where there is only sky, the noise is that of its electrons.
    sky = np.median(values)
    variance = (sky - header["BIASLEV"]) / header["GAIN"]
    variance += (header["RDNOISE"] / header["GAIN"]) ** 2
    neighbors = np.diff(values, axis=1) / np.sqrt(2)
    deviation = 1.4826 * np.median(np.abs(neighbors))
    assert deviation == pytest.approx(np.sqrt(variance), rel=0.1)


def test_fits_round_trip(exposure, tmp_path):
    path = tmp_path / "example.fits"
    exposure.write(path)
    again = CCDData.read(path)
    assert again.unit == u.adu
    assert np.array_equal(again.data, exposure.data)
    assert again.wcs.wcs.compare(exposure.wcs.wcs, tolerance=1e-12)
    assert again.header["INSTRUME"] == "simulated"


@pytest.mark.parametrize("shape", [(100, 100), (100, 333), (401, 101)])
def test_other_shapes(shape):
    assert make_example_exposure(shape).shape == shape


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"shape": (99, 500)}, ValueError),
        ({"shape": (500, 99)}, ValueError),
        ({"shape": (0, 0)}, ValueError),
        ({"shape": (600,)}, TypeError),
        ({"shape": (2, 600, 800)}, TypeError),
        ({"shape": (600.0, 800.0)}, TypeError),
        ({"shape": 600}, TypeError),
        ({"seed": -1}, ValueError),
        ({"seed": 1.5}, TypeError),
        ({"seed": None}, TypeError),
    ],
)
def test_wrong_arguments(arguments, error):
    with pytest.raises(error, match=r"shape|seed|pixels"):
        make_example_exposure(**arguments)


@pytest.mark.published_weights
def test_the_published_network_finds_what_is_there():
    from maximask_astro import ContaminantMasker

    exposure = make_example_exposure()
    light, defects, response = make_parts(exposure.shape, np.random.default_rng(1))
    masker = ContaminantMasker("maximask-1.4.1", keep_probabilities=False)
    cmap = masker(exposure)
    saturated = exposure.data > 0.99 * exposure.meta["SATURATE"]
    for name, truth, least in (
        ("CR", defects["cosmic rays"] > 200, 0.8),
        ("HCL", defects["hot column"] > 0, 0.8),
        ("DCL", response < 1, 0.8),
        ("HP", defects["hot pixels"] > 0, 0.2),
        ("TRL", light["trail"] > 100, 0.9),
        ("SAT", saturated, 0.8),
        ("SP", light["spikes"] > 40, 0.7),
    ):
        found = cmap.class_mask(name)
        assert found[truth].mean() > least, name
    # and little that is not there
    assert cmap.class_mask("BG").mean() > 0.9
    for name in ("P", "FR", "NEB", "OV", "DP"):
        assert cmap.class_mask(name).mean() < 1e-4, name
