"""``maximask-astro mask``: its options, what it says, and Ctrl-C."""

import json
import os
import shutil
import signal
import subprocess
import termios
import time
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from maximask_astro import ContaminantMasker
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.scripts.main import main
from maximask_astro.scripts.tests.conftest import find_command, write_exposure
from maximask_astro.tests.helpers import make_exposure


@pytest.fixture
def mask(night, call, tiny_model):
    """Run the command with the stand-in model, in small blocks."""

    def run_it(*arguments):
        options = ("--model", tiny_model, "--tiling", "original")
        return call(main, "mask", *arguments, *options)

    return run_it


@pytest.fixture
def expected(night, tiny_model):
    """The map that the command's options should give."""

    def judge(**settings):
        masker = ContaminantMasker(tiny_model, tiling="original", **settings)
        return masker(fits.getdata("good.fits"))

    return judge


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        ([], {}),
        (["--classes", "CR,SAT"], {"classes": "CR,SAT"}),
        (["--classes", "unusable"], {"classes": "unusable"}),
        (
            ["--prior", "CR=0.3", "--prior", "STL=none"],
            {"priors": {"CR": 0.3, "TRL": None}},
        ),
        (["--network-priors"], {"priors": None}),
        (
            ["--network-priors", "--prior", "CR=0.3"],
            {"priors": {**dict.fromkeys(ABBREVIATIONS), "CR": 0.3}},
        ),
        (
            ["--threshold", "CR=0.1", "--threshold", "BBG=0.9"],
            {"thresholds": {"CR": 0.1, "BBG": 0.9}},
        ),
        (["--grow", "2"], {"grow": 2}),
        (["--saturation", "1010"], {"saturation": 1010}),
        (["--saturation", "none"], {}),
        (["--batch-size", "2"], {}),
    ],
)
def test_settings(mask, expected, arguments, settings):
    done = mask("good.fits", *arguments)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "maximask-astro mask: 1 file: 1 masked.\n"
    bitmask = expected(**settings).bitmask
    np.testing.assert_array_equal(fits.getdata("good.masks.fits"), bitmask)
    if settings:
        assert (bitmask != expected().bitmask).any()


def test_tiles(night, call, tiny_model):
    """The default is seamless: other tiles, the same result."""
    write_exposure("wide.fits", (64, 500))
    bitmask = ContaminantMasker(tiny_model)(fits.getdata("wide.fits")).bitmask
    arguments = ("--model", tiny_model, "--tile-size", 448)
    done = call(main, "mask", "wide.fits", *arguments)
    assert done.returncode == 0
    np.testing.assert_array_equal(fits.getdata("wide.masks.fits"), bitmask)


@pytest.mark.parametrize("content", ["bitmask", "masks", "probabilities"])
def test_content(mask, expected, content):
    assert mask("good.fits", "--content", content).returncode == 0
    cmap = expected()
    arrays = {
        "bitmask": cmap.bitmask,
        "masks": [cmap.class_mask(name) for name in cmap.classes],
        "probabilities": cmap.probability_planes,
    }
    np.testing.assert_array_equal(fits.getdata("good.masks.fits"), arrays[content])


def test_an_output_directory(mask, night):
    write_exposure("second.fits")
    assert mask("good.fits", "second.fits", "-o", "out/masks").returncode == 0
    assert sorted(path.name for path in (night / "out" / "masks").iterdir()) == [
        "good.masks.fits",
        "second.masks.fits",
    ]
    assert sorted(path.name for path in night.iterdir()) == [
        "good.fits",
        "out",
        "second.fits",
    ]


@pytest.mark.parametrize(
    ("arguments", "masked"),
    [
        ([], ["good"]),
        (["--exclude", "good.*"], ["good_dq"]),
        (["--exclude", "none", "--exclude", "nothing"], ["good", "good_dq"]),
    ],
)
def test_files_to_leave_out(mask, night, arguments, masked):
    shutil.copyfile("good.fits", "good_dq.fits")
    assert mask(".", "-o", "out", *arguments).returncode == 0
    outputs = sorted(path.name for path in (night / "out").iterdir())
    assert outputs == [f"{name}.masks.fits" for name in masked]


def test_json(mask, expected, night):
    (night / "empty.fits").touch()
    done = mask("good.fits", "empty.fits", "lost.fits", "--json", "summary.json")
    assert (done.returncode, done.stdout) == (1, "")
    content = json.loads(Path("summary.json").read_text())
    assert content["summary"] == "3 files: 1 masked, 2 failed."
    assert content["ok"] is False
    good, empty, lost = content["files"]
    cmap = expected()
    counts = {name: int(cmap.class_mask(name).sum()) for name in cmap.classes}
    assert good == {
        "source": "good.fits",
        "status": "masked",
        "output": "good.masks.fits",
        "message": "",
        "hdus": [
            {
                "index": 0,
                "name": "PRIMARY",
                "action": "masked",
                "reason": "",
                "shape": [64, 80],
                "pixels": {**counts, "NO_DATA": 0},
                "unlike": None,
            }
        ],
    }
    for file, message in (
        (empty, "empty.fits is empty; it must be a FITS file."),
        (lost, "lost.fits does not exist."),
    ):
        assert file == {
            "source": message.split()[0],
            "status": "failed",
            "output": None,
            "message": message,
            "hdus": [],
        }


def test_quiet(mask):
    done = mask("good.fits", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_verbose(mask, caplog):
    (Path("good.masks.fits")).touch()
    done = mask("good.fits", "--verbose", "--if-exists", "skip")
    assert done.returncode == 0
    assert caplog.messages == ["good.masks.fits exists."]


def test_the_progress_bar_is_not_on_standard_output(night, tiny_model):
    """With a terminal on stderr there is a bar, on stdout there is JSON alone."""
    write_exposure("second.fits")
    terminal, stderr = os.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    words = ("mask", ".", "--model", tiny_model, "--tiling", "original", "--json", "-")
    with subprocess.Popen(
        [find_command("maximask-astro"), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
    ) as process:
        os.close(stderr)
        stdout = process.stdout.read()
        shown = b""
        while True:
            try:
                part = os.read(terminal, 4096)
            except OSError:  # the other end was closed
                break
            if not part:
                break
            shown += part
    os.close(terminal)
    assert process.returncode == 0
    assert len(json.loads(stdout)["files"]) == 2
    assert b"2/2" in shown
    assert b"2 files: 2 masked." in shown


@pytest.fixture
def hears_interrupts():
    """Processes hear SIGINT, though the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hears_interrupts")
def test_an_interrupt_leaves_whole_files(night, tiny_model):
    (night / "good.fits").unlink()
    exposure = make_exposure((200, 200)).astype("i2")
    for number in range(60):
        fits.writeto(f"{number:02d}.fits", exposure)
    before = {path.name for path in night.iterdir()}
    words = ("mask", ".", "--model", tiny_model, "--tiling", "original")
    with subprocess.Popen(
        [find_command("maximask-astro"), *words],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not Path("01.masks.fits").exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        stderr = process.stderr.read()
    assert process.returncode == 130
    assert stderr.splitlines()[-1] == (
        "maximask-astro mask: interrupted; finished files are whole."
    )
    assert "Traceback" not in stderr
    masks = {path.name for path in night.iterdir()} - before
    assert "01.masks.fits" in masks
    assert len(masks) < 60
    first = fits.getdata("01.masks.fits")
    for name in masks:
        assert name.endswith(".masks.fits")
        assert not name.startswith(".")
        np.testing.assert_array_equal(fits.getdata(name), first)


@pytest.mark.real_data
def test_real_files_in_every_form(night, run, real_data, tiny_model):
    """The installed command on a directory, a list and single HDUs in one go."""
    exposures = real_data / "exposures"
    (night / "good.fits").unlink()
    (night / "sub").mkdir()
    for name in (
        "decam_cp_sat1_img.fits",
        "decam_cp_sat1_dq.fits",
        "cfht_mega_cr.fits",
    ):
        shutil.copyfile(exposures / name, night / "sub" / name)
    for name in ("aspen_kelt16_hotcol.fit.gz", "lbcb_raw4.fits", "gmoss_spec_cr.fits"):
        shutil.copyfile(exposures / name, night / name)
    with fits.open(exposures / "decam_raw_62x100.fits.fz") as file:
        fits.HDUList(list(file)[:4]).writeto("decam.fits.fz")
    (night / "all.list").write_text("# two\nlbcb_raw4.fits[3]\n\ngmoss_spec_cr.fits\n")
    paths = ("sub", "all.list", "decam.fits.fz", "aspen_kelt16_hotcol.fit.gz")
    done = run(
        *("maximask-astro", "mask", *paths, "gmoss_spec_cr.fits[SCI]"),
        *("--model", tiny_model, "--tiling", "original", "-o", "out", "--json", "-"),
    )
    assert done.returncode == 0
    assert done.stderr == "maximask-astro mask: 8 files: 7 masked, 1 skipped.\n"
    content = json.loads(done.stdout)
    assert {
        Path(file["output"] or "none").name: [hdu["action"] for hdu in file["hdus"]]
        for file in content["files"]
    } == {
        "cfht_mega_cr.masks.fits": ["masked"],
        "none": [],
        "decam_cp_sat1_img.masks.fits": ["copied", "masked"],
        "lbcb_raw4.masks3.fits": ["masked"],
        "gmoss_spec_cr.masks.fits": ["copied", "masked", "copied", "masked"],
        "decam.masks.fits": ["copied", "masked", "masked", "masked"],
        "aspen_kelt16_hotcol.masks.fits": ["masked"],
        "gmoss_spec_cr.masks1.fits": ["masked"],
    }
    single = fits.getdata(night / "out" / "gmoss_spec_cr.masks1.fits")
    whole = fits.getdata(night / "out" / "gmoss_spec_cr.masks.fits", "SCI")
    np.testing.assert_array_equal(single, whole)
