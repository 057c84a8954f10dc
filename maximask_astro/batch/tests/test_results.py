import json

import pytest

from maximask_astro.batch import FileResult, HDUResult, summarize


@pytest.mark.parametrize(
    ("statuses", "sentence"),
    [
        ([], "0 files: nothing to do."),
        (["masked"], "1 file: 1 masked."),
        (["failed", "masked", "masked"], "3 files: 2 masked, 1 failed."),
        (
            ["skipped", "partial", "failed", "masked"],
            "4 files: 1 masked, 1 partial, 1 skipped, 1 failed.",
        ),
    ],
)
def test_summarize(statuses, sentence):
    assert summarize(FileResult("a.fits", status) for status in statuses) == sentence


@pytest.mark.parametrize(
    ("status", "ok"),
    [("masked", True), ("skipped", True), ("partial", False), ("failed", False)],
)
def test_what_counts_as_success(status, ok):
    assert FileResult("a.fits", status).ok is ok


def test_as_dict_goes_into_json():
    hdu = HDUResult(1, "SCI", "masked", "", (3, 4), {"CR": 2})
    result = FileResult("a.fits", "masked", "a.masks.fits", hdus=(hdu,))
    assert json.loads(json.dumps(result.as_dict())) == {
        "source": "a.fits",
        "status": "masked",
        "output": "a.masks.fits",
        "message": "",
        "hdus": [
            {
                "index": 1,
                "name": "SCI",
                "action": "masked",
                "reason": "",
                "shape": [3, 4],
                "pixels": {"CR": 2},
                "unlike": None,
            }
        ],
    }
