"""The level of saturation in the headers of files, and in those of their masks."""

import numpy as np
import pytest
from astropy.io import fits

from maximask_astro.batch import process
from maximask_astro.masking import ContaminantMasker
from maximask_astro.tests.helpers import make_exposure

# Below others of the exposure, so that some pixels have reached it.
LEVEL = 20000
IMAGE = np.minimum(make_exposure((64, 80)), LEVEL).astype("i2")
IMAGE[30:33, 50] = LEVEL + 5
FULL = IMAGE >= LEVEL
SAT = 512


@pytest.fixture(scope="module")
def masker(tiny_model):
    """One that calls nothing saturated by itself."""
    return ContaminantMasker(tiny_model, tiling="original", thresholds={"SAT": 1.0})


def saturated(path, index):
    bits = fits.getdata(path, index)
    return (bits & SAT) != 0, fits.getheader(path, index)["MM_SATLV"]


@pytest.mark.parametrize(
    ("cards", "level"),
    [
        ({"SATURATE": LEVEL}, LEVEL),
        ({"INHERIT": True}, LEVEL + 1),
        ({"INHERIT": True, "SATURATE": LEVEL}, LEVEL),
        ({"INHERIT": False}, None),
        ({"INHERIT": "yes"}, None),
        ({}, None),
        ({"SATURATE": 0.5, "SATLEVEL": LEVEL}, LEVEL),
    ],
)
def test_extensions_may_inherit_the_level(tmp_path, masker, cards, level):
    path = tmp_path / "a.fits"
    hdus = [
        fits.PrimaryHDU(header=fits.Header({"SATURATE": LEVEL + 1})),
        fits.ImageHDU(IMAGE, fits.Header(cards)),
    ]
    fits.HDUList(hdus).writeto(path)
    for source, index in ((path, 1), (f"{path}[1]", 0)):
        (result,) = process(source, masker)
        found, card = saturated(result.output, index)
        expected = np.zeros(FULL.shape, bool) if level is None else level <= IMAGE
        np.testing.assert_array_equal(found, expected)
        assert card == ("none" if level is None else level)
        assert result.hdus[-1].pixels["SAT"] == expected.sum()


def test_probabilities_and_cubes(tmp_path, tiny_model, masker):
    cube = np.stack([IMAGE, IMAGE // 2])
    fits.writeto(tmp_path / "a.fits", cube, fits.Header({"SATLEVEL": LEVEL}))
    (result,) = process(tmp_path / "a.fits", masker, content="probabilities")
    planes = fits.getdata(result.output)[:, masker.classes.index("SAT")]
    assert np.all(planes[0][FULL] == 1)
    assert np.all(planes[1] < 1)
    assert fits.getheader(result.output)["MM_SATLV"] == LEVEL


def test_another_level_masks_again(tmp_path, tiny_model):
    fits.writeto(tmp_path / "a.fits", IMAGE, fits.Header({"SATURATE": LEVEL}))
    options = {"tiling": "original", "thresholds": {"SAT": 1.0}}

    def status(**more):
        masker = ContaminantMasker(tiny_model, **options, **more)
        (result,) = process(tmp_path / "a.fits", masker, if_exists="resume")
        return result.status, result.output

    done = [status(saturation=s) for s in ("header", "header", 9000, 9000.0, None)]
    assert [item[0] for item in done] == (
        ["masked", "skipped", "masked", "skipped", "masked"]
    )
    assert not saturated(done[-1][1], 0)[0].any()
