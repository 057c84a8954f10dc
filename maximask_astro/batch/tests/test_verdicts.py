import json

import numpy as np
import pytest
from astropy import units as u
from astropy.table import Table

from maximask_astro.batch import ExposureVerdict, FileVerdict, summarize, verdict_table
from maximask_astro.tracking import TileVerdict, TrackingResult

PROVENANCE = {
    "model": "tiny",
    "weights_sha256": "0" * 64,
    "version": "1.0",
    "fraction": 1.0,
}


def make_result(*evidence, usable=1.0):
    """A result with an image for each number, as evidence of its only tile."""
    tiles = [
        TileVerdict(n, 0, 0, 30, 40, value, usable, 0.25, 4.0, 60.0)
        for n, value in enumerate(evidence)
    ]
    shapes = ((30, 40),) * len(tiles)
    nothing = (None,) * len(tiles)
    return TrackingResult(
        tuple(tiles), shapes, nothing, 0.05, 0.5, 0.0, 0.5, PROVENANCE
    )


@pytest.fixture
def verdicts():
    """A mosaic, a cube with a bad channel, an empty sky, and a bad file."""
    reason = "HDU 1, channel 1: every pixel with a value is 0"
    return [
        FileVerdict(
            "mosaic.fits",
            "judged",
            exposures=(
                ExposureVerdict((1, 3), "judged", result=make_result(3.0, 4.0)),
            ),
        ),
        FileVerdict(
            "cube.fits",
            "partial",
            f"cube.fits is judged only in part: {reason}.",
            (
                ExposureVerdict((1,), "judged", (), 0, make_result(-3.0)),
                ExposureVerdict((1,), "failed", (reason,), 1),
            ),
        ),
        FileVerdict(
            "sky.fits",
            "judged",
            exposures=(
                ExposureVerdict((0,), "judged", result=make_result(0.0, usable=0.0)),
            ),
        ),
        FileVerdict("bad.fits", "failed", "bad.fits is empty."),
    ]


def test_summary(verdicts):
    assert summarize(verdicts) == "4 files: 2 judged, 1 partial, 1 failed."
    assert [verdict.ok for verdict in verdicts] == [True, False, True, False]


def test_as_dict_goes_into_json(verdicts):
    files = [json.loads(json.dumps(v.as_dict(), allow_nan=False)) for v in verdicts]
    mosaic, cube, sky, bad = files
    (exposure,) = mosaic["exposures"]
    assert (exposure["hdus"], exposure["channel"]) == ([1, 3], None)
    assert (exposure["verdict"], exposure["evidence"]) == ("affected", 7.0)
    assert exposure.items() >= {**PROVENANCE, "prior": 0.05}.items()
    images = exposure["images"]
    assert [(each["hdu"], each["evidence"]) for each in images] == [(1, 3.0), (3, 4.0)]
    assert "model" not in images[0]
    assert [each["channel"] for each in cube["exposures"]] == [0, 1]
    assert "images" not in cube["exposures"][0]
    assert cube["exposures"][1] == {
        "hdus": [1],
        "channel": 1,
        "status": "failed",
        "problems": ["HDU 1, channel 1: every pixel with a value is 0"],
    }
    assert sky["exposures"][0]["verdict"] == "undecided"
    assert sky["exposures"][0]["blur_length_pix"] is None
    assert bad == {
        "source": "bad.fits",
        "status": "failed",
        "message": "bad.fits is empty.",
        "exposures": [],
    }


def unmasked(column):
    return [None if value is np.ma.masked else value for value in column]


def test_the_table_can_be_written_and_read(verdicts, tmp_path):
    verdict_table(verdicts).write(tmp_path / "a.ecsv")
    table = Table.read(tmp_path / "a.ecsv")
    expected = {
        "file": ["mosaic.fits", "cube.fits", "cube.fits", "sky.fits", "bad.fits"],
        "hdu": [None, 1, 1, 0, None],
        "channel": [None, 0, 1, None, None],
        "verdict": ["affected", "tracked", None, "undecided", None],
        "tiles": [2, 1, None, 1, None],
        "tiles_judged": [2, 1, None, 0, None],
        "defocus_probability": [0.25, 0.25, None, None, None],
        "blur_length": [4.0, 4.0, None, None, None],
        "blur_angle": [60.0, 60.0, None, None, None],
        "status": ["judged", "judged", "failed", "judged", "failed"],
        "message": [
            None,
            None,
            "HDU 1, channel 1: every pixel with a value is 0",
            None,
            "bad.fits is empty.",
        ],
    }
    for name, values in expected.items():
        assert unmasked(table[name]) == values
    results = [exposure.result for v in verdicts for exposure in v.exposures]
    for row, result in zip(table[:4], results, strict=True):
        if result is None:
            assert row["probability"] is np.ma.masked
        else:
            assert row["probability"] == pytest.approx(result.probability, abs=1e-6)
    assert table["uncertainty"][0] == pytest.approx(results[0].uncertainty, abs=1e-6)
    assert unmasked(table["uncertainty"])[1:] == [None] * 4
    assert (table["blur_length"].unit, table["blur_angle"].unit) == (u.pix, u.deg)
    assert table.meta == {**PROVENANCE, "prior": 0.05, "threshold": 0.5}


def test_a_table_of_nothing():
    table = verdict_table([])
    assert len(table) == 0
    assert len(table.columns) == 13
