"""``maximask-astro track``: its options, and what it says and writes."""

import json
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

from maximask_astro import TrackingClassifier
from maximask_astro.scripts.main import main
from maximask_astro.scripts.tests.conftest import write_exposure
from maximask_astro.tests.helpers import make_exposure

NAME = "maximask-astro track"


@pytest.fixture
def track(night, call, tiny_tracking):
    """Run the command with the stand-in model."""
    return lambda *words: call(main, "track", *words, "--model", tiny_tracking)


@pytest.fixture
def expected(tiny_tracking):
    """The numbers that the command's options should give."""

    def judge(data, **settings):
        return TrackingClassifier(tiny_tracking, **settings)(data).summary()

    return judge


@pytest.fixture
def files(night):
    """A good exposure, a cube with a bad channel, and a bad file."""
    cube = make_exposure((64, 80)) * np.array([1, 0])[:, None, None]
    fits.writeto("cube.fits", cube)
    Path("bad.fits").touch()
    return ("good.fits", "cube.fits", "bad.fits")


def rows(stdout):
    """What was printed below the names, the units and the line."""
    return [line.split() for line in stdout.splitlines()[3:]]


def test_a_table_for_people(track, expected):
    done = track("good.fits")
    assert done.returncode == 0
    assert done.stderr == f"{NAME}: 1 file: 1 judged.\n"
    lines = done.stdout.splitlines()
    names = "file verdict probability uncertainty blur_length blur_angle"
    assert lines[0].split() == names.split()
    assert lines[1].split() == ["pix", "deg"]
    good = expected(fits.getdata("good.fits"))
    assert rows(done.stdout) == [
        [
            "good.fits",
            good["verdict"],
            f"{good['probability']:.4f}",
            "--",
            f"{good['blur_length_pix']:.2f}",
            f"{good['blur_angle_deg']:.0f}",
        ]
    ]


def test_a_table_with_cubes_and_without_failures(track, files):
    done = track(*files)
    assert done.returncode == 1
    assert [row[:4] for row in rows(done.stdout)] == [
        ["good.fits", "0", "--", "tracked"],
        ["cube.fits", "0", "0", "tracked"],
    ]
    reason = "HDU 0, channel 1: every pixel with a value is 0"
    assert done.stderr.splitlines() == [
        f"{NAME}: error: cube.fits is judged only in part: {reason}.",
        f"{NAME}: error: bad.fits is empty; it must be a FITS file.",
        f"{NAME}: 3 files: 1 judged, 1 partial, 1 failed.",
    ]


def test_nothing_to_print(track):
    done = track("lost.fits")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"{NAME}: error: lost.fits does not exist.",
        f"{NAME}: 1 file: 1 failed.",
    ]


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        (["--prior", "0.9"], {"prior": 0.9}),
        (["--threshold", "0"], {"threshold": 0.0}),
        (["--fraction", "0.25"], {"fraction": 0.25}),
        (["--batch-size", "1"], {"batch_size": 1}),
    ],
)
def test_settings(track, expected, arguments, settings):
    image = make_exposure((130, 130))
    fits.writeto("large.fits", image)
    done = track("large.fits", "--json", "-", *arguments)
    assert done.returncode == 0  # also if it is affected
    (file,) = json.loads(done.stdout)["files"]
    found = file["exposures"][0]
    wanted = expected(image, **settings)
    assert {key: found[key] for key in wanted} == pytest.approx(wanted, abs=1e-5)
    if "batch_size" not in settings:
        assert wanted != expected(image)
    if "threshold" in settings:
        assert wanted["verdict"] == "affected"


@pytest.mark.parametrize(
    ("arguments", "names"),
    [([], ["good.fits"]), (["--exclude", "good.*"], ["good_dq.fits"])],
)
def test_files_to_leave_out(track, arguments, names):
    write_exposure("good_dq.fits")
    done = track(".", *arguments)
    assert done.returncode == 0
    assert [row[0] for row in rows(done.stdout)] == names


def test_ecsv(track, files, expected):
    done = track(*files, "-o", "verdicts.ecsv")
    assert (done.returncode, done.stdout) == (1, "")
    table = Table.read("verdicts.ecsv")
    assert list(table["file"]) == ["good.fits", "cube.fits", "cube.fits", "bad.fits"]
    assert list(table["status"]) == ["judged", "judged", "failed", "failed"]
    assert list(table["verdict"].mask) == [False, False, True, True]
    good = expected(fits.getdata("good.fits"))
    first = table[0]
    assert (first["hdu"], first["channel"]) == (0, np.ma.masked)
    assert first["probability"] == good["probability"]
    assert first["tiles"] == first["tiles_judged"] == 1
    assert table["blur_length"].unit == u.pix
    assert first["blur_length"] == good["blur_length_pix"]
    assert table["blur_angle"].unit == u.deg
    assert table["message"][3] == "bad.fits is empty; it must be a FITS file."
    assert table.meta["model"] == "tiny"
    assert table.meta["weights_sha256"] == good["weights_sha256"]


def test_json(track, files, expected):
    done = track(*files, "--json", "verdicts.json")
    assert (done.returncode, done.stdout) == (1, "")
    content = json.loads(Path("verdicts.json").read_text())
    assert content["summary"] == "3 files: 1 judged, 1 partial, 1 failed."
    assert content["ok"] is False
    good, cube, bad = content["files"]
    assert good["exposures"] == [
        {
            "hdus": [0],
            "channel": None,
            "status": "judged",
            **expected(fits.getdata("good.fits")),
        }
    ]
    assert [each["channel"] for each in cube["exposures"]] == [0, 1]
    assert bad["message"] == "bad.fits is empty; it must be a FITS file."


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_table_that_exists(track, overwrite):
    path = Path("verdicts.ecsv")
    path.write_text("precious")
    done = track("good.fits", "-o", path, *(["--overwrite"] if overwrite else []))
    assert done.stdout == ""
    if overwrite:
        assert done.returncode == 0
        assert len(Table.read(path)) == 1
    else:
        assert done.returncode == 1
        message = "verdicts.ecsv exists; give --overwrite to replace it."
        assert done.stderr == f"{NAME}: error: {message}\n"
        assert path.read_text() == "precious"
    assert sorted(p.name for p in Path().iterdir()) == ["good.fits", "verdicts.ecsv"]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("lost/verdicts.ecsv", "There is no directory lost to write to."),
        ("good.fits/verdicts.ecsv", "There is no directory good.fits to write to."),
    ],
)
def test_where_no_table_can_be(track, output, message):
    done = track("good.fits", "-o", output)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{NAME}: error: {message}\n"


def test_quiet(track):
    done = track("good.fits", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(rows(done.stdout)) == 1


def test_verbose(track, caplog):
    image = make_exposure((64, 80))
    hdus = [fits.PrimaryHDU(image), fits.ImageHDU(image[:20, :30])]
    fits.HDUList(hdus).writeto("mosaic.fits")
    assert track("mosaic.fits", "--verbose").returncode == 0
    reason = "the image has 20 x 30 pixels, and at least 32 x 32 are needed"
    assert caplog.messages == [
        f"mosaic.fits is judged without some of its images: HDU 1: {reason}."
    ]


def test_help(call):
    done = call(main, "track", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("PATH [PATH ...]", "--model MODEL", "--prior P", "--output FILE"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--prior", "1"], "argument --prior: '1' is not a number in (0, 1)"),
        (["--fraction", "0"], "argument --fraction: '0' is not a number in (0, 1]"),
        (["--threshold", "2"], "argument --threshold: '2' is not a number in [0, 1]"),
        (["--model", "contaminants-1"], "is for contaminants, not for tracking errors"),
        (["--batch-size", "x"], "argument --batch-size: 'x' is not a positive whole"),
    ],
)
def test_wrong_usage(night, call, arguments, message):
    done = call(main, "track", "good.fits", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith(f"{NAME}: error: ")
    assert message in done.stderr
