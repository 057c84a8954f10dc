"""Real files of many observatories, with a masker that takes no time."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from maximask_astro.background import array_reader
from maximask_astro.batch import process
from maximask_astro.flags import CLASSES, get_class
from maximask_astro.masking import ClassSettings, ContaminantMap

pytestmark = pytest.mark.real_data

SATURATED = ClassSettings("SAT", None, None, 0.5)


class Bright:
    """Calls saturated what is brighter than the average, 500 rows at a time."""

    settings, classes, provenance = (SATURATED,), ("SAT",), {"model": "bright"}

    def stream(self, read, shape, **options):
        image, invalid = read(0, shape[0])
        average = np.nanmean(image if invalid is None else image[~invalid])
        for start in range(0, shape[0], 500):
            rows = slice(start, min(start + 500, shape[0]))
            image, invalid = read(rows.start, rows.stop)
            if invalid is None:
                invalid = np.zeros(image.shape, bool)
            verdicts = np.where(image > average, SATURATED.bit, 0).astype(np.uint32)
            verdicts[invalid] = 0
            yield rows, ContaminantMap((SATURATED,), verdicts, invalid)


@pytest.fixture(scope="module")
def results(real_data, tmp_path_factory):
    """What came of all exposures."""
    directory = tmp_path_factory.mktemp("masks")
    return process(real_data / "exposures", Bright(), output_dir=directory)


@pytest.fixture(scope="module")
def masked(results):
    """Those that were masked."""
    return [result for result in results if result.status != "skipped"]


def open_quietly(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        return fits.open(path, ignore_missing_end=True)


def test_every_file_is_read(results, real_data):
    assert {Path(result.source) for result in results} == set(
        (real_data / "exposures").iterdir()
    )
    assert [result.message for result in results if not result.ok] == []


def test_data_quality_files_are_skipped(results):
    skipped = {Path(r.source).name for r in results if r.status == "skipped"}
    names = {Path(result.source).name for result in results}
    assert skipped == {name for name in names if name.endswith("_dq.fits")} - {
        "hst_nicmos2_dq.fits"  # it has an HDU named SCI
    }


def test_hdus_correspond(masked):
    for result in masked:
        with open_quietly(result.source) as source, fits.open(result.output) as output:
            assert len(output) == len(result.hdus) <= len(source)
            for hdu, old, new in zip(result.hdus, source, output, strict=False):
                assert hdu.action in ("masked", "copied")
                assert old.header.get("EXTNAME") == new.header.get("EXTNAME")
                if hdu.action == "masked":
                    assert new.shape == old.shape
                    planes = zip(
                        old.data.reshape(-1, *old.shape[-2:]),
                        new.data.reshape(-1, *old.shape[-2:]),
                        strict=True,
                    )
                    for values, bits in planes:
                        bands = Bright().stream(array_reader(values), values.shape)
                        expected = np.concatenate([m.bitmask for _, m in bands])
                        np.testing.assert_array_equal(bits, expected)
                elif old.is_image:
                    np.testing.assert_array_equal(new.data, old.data)
                else:
                    assert fits.TableDataDiff(new.data, old.data).identical


def test_masks_have_cards_on_the_class(masked):
    for result in masked:
        with fits.open(result.output) as output:
            headers = [
                output[h.index].header for h in result.hdus if h.action == "masked"
            ]
        assert headers
        for header in headers:
            assert header["SAT"] == f"SAT: {get_class('SAT').name}"
            others = {flag.abbreviation for flag in CLASSES} - {"SAT"}
            assert not [name for name in others if f"{name}_DIM" in header]


def test_masks_are_standard_fits(masked):
    for result in masked:
        with fits.open(result.output) as output:
            for hdu in result.hdus:
                if hdu.action == "masked":
                    output[hdu.index].verify("exception")
