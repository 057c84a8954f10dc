"""Small reductions of real frames with ccdproc and the published network."""

import ccdproc
import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData

from maximask_astro import ContaminantMasker
from maximask_astro.flags import NO_DATA, select
from maximask_astro.reduction import flag_contaminants, mask_contaminants

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.published_weights,
    # From ccdproc: deviations of negative pixels, and pixels masked in all frames.
    pytest.mark.filterwarnings("ignore:Negative values in array:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:Degrees of freedom:RuntimeWarning"),
]

OVERSCAN = 16  # columns at the right


@pytest.fixture(scope="module")
def published():
    """The published network with everything else by default."""
    return ContaminantMasker("maximask-1.4.1", keep_probabilities=False)


@pytest.fixture(scope="module")
def reduce(real_data):
    """Calibrate part of a frame of LCO's Sinistro cameras, up to electrons."""

    def read(name):
        path = real_data / "exposures" / f"lco_sinistro_{name}.fits.fz"
        with fits.open(path) as file:
            data = file[1].data[0, 300:620, 700:]
        return CCDData(data, unit="adu", meta=fits.Header({"OBSTYPE": name}))

    def without_overscan(ccd):
        ccd = ccdproc.subtract_overscan(
            ccd, overscan=ccd[:, -OVERSCAN:], median=True, overscan_axis=1
        )
        return ccdproc.trim_image(ccd[:, :-OVERSCAN])

    def calibrate(name, gain):
        gain = gain * u.electron / u.adu
        ccd = without_overscan(read(name))
        ccd = ccdproc.subtract_bias(ccd, without_overscan(read("bias")))
        ccd = ccdproc.create_deviation(
            ccd, gain=gain, readnoise=15 * u.electron, disregard_nan=True
        )
        return ccdproc.gain_correct(ccd, gain)

    return calibrate


@pytest.mark.parametrize(("name", "gain"), [("raw_i15s", 3.3), ("dark900s", 2.0)])
def test_a_calibrated_frame(reduce, published, name, gain, tmp_path):
    ccd = reduce(name, gain)
    masked = mask_contaminants(ccd, published)
    assert masked.unit == u.electron
    assert masked.shape == (320, 324)
    np.testing.assert_array_equal(masked.data, ccd.data)
    np.testing.assert_array_equal(masked.uncertainty.array, ccd.uncertainty.array)
    assert 0 < masked.mask.mean() < 0.05
    if name == "dark900s":  # 15 minutes of cosmic rays
        cosmic_rays = select(masked.flags, "CR")
        assert masked.mask[cosmic_rays].all()
        bright = masked.data[cosmic_rays].mean() - np.median(masked.data)
        assert bright > 5 * masked.data.std()

    masked.write(tmp_path / "reduced.fits")
    header = fits.getheader(tmp_path / "reduced.fits")
    steps = [key for key in header if key.lower() in (
        "subtract_overscan", "trim_image", "subtract_bias", "gain_correct",
        "mask_contaminants",
    )]  # fmt: skip
    assert [key.lower() for key in steps] == [
        "subtract_overscan",
        "trim_image",
        "subtract_bias",
        "gain_correct",
        "mask_contaminants",
    ]
    assert header["maskcont"].startswith("masker=ContaminantMasker('maximask-1.4.1')")
    assert header["OBSTYPE"] == name
    again = CCDData.read(tmp_path / "reduced.fits")
    np.testing.assert_array_equal(again.mask, masked.mask)


@pytest.fixture(scope="module")
def series(real_data, published):
    """Part of three frames of one field, masked."""
    frames = []
    for number in ("013612", "015713", "020912"):
        path = real_data / "exposures" / f"exotic_{number}.fits"
        data = fits.getdata(path)[:256, :320].astype("f4")
        frames.append(mask_contaminants(CCDData(data, unit="adu"), published))
    return frames


def test_masked_pixels_do_not_enter_the_mean(series):
    combined = ccdproc.Combiner(series).average_combine()
    data = np.array([frame.data for frame in series])
    mask = np.array([frame.mask for frame in series])
    # Bad in one frame alone: what cosmic rays and satellites do.
    in_one = mask.sum(axis=0) == 1
    assert in_one.sum() > 100
    others = np.where(mask, 0, data).sum(axis=0, dtype="f8")[in_one] / 2
    np.testing.assert_allclose(combined.data[in_one], others, rtol=1e-6)
    assert (np.abs(combined.data - data.mean(axis=0))[in_one] > 0).any()
    assert not combined.mask[in_one].any()
    # Bad in all of them: saturated stars and hot pixels.
    in_all = mask.all(axis=0)
    assert in_all.any()
    np.testing.assert_array_equal(combined.mask, in_all)
    never = ~mask.any(axis=0)
    mean = data.mean(axis=0, dtype="f8")
    np.testing.assert_allclose(combined.data[never], mean[never], rtol=1e-6)


def test_the_combination_can_be_flagged_again(series, published):
    combined = ccdproc.combine(series, method="average")
    # The documentation says so: these are the flags of the first frame.
    np.testing.assert_array_equal(combined.flags, series[0].flags)
    combined.flags = None
    flagged = flag_contaminants(combined, published)
    np.testing.assert_array_equal(flagged.mask, combined.mask)
    no_data = flagged.flags == NO_DATA.bit
    np.testing.assert_array_equal(no_data, combined.mask)
