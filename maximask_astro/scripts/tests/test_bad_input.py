"""
Bad input: directories of it with the real commands, the rest within the tests.

Whatever is wrong: one clear sentence, exit code 1 (2 for wrong usage), the other
files still masked, nothing half-written, and the source as it was.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from maximask_astro.batch.tests.bad_files import BAD_FILES, write_bad_file
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.scripts.tests.conftest import write_exposure
from maximask_astro.tests.helpers import make_exposure

# The words of each command, and its option for a model.
COMMANDS = {
    "maximask": (["maximask"], "--net_dir"),
    "maximask-astro mask": (["maximask-astro", "mask"], "--model"),
}

# One of each kind; the others come in a directory, see below.
KINDS = (
    *("cut_in_data.fits", "cut_in_header.fits", "cut_in_stream.fits.gz"),
    *("cut_in_tiles.fits.fz", "text.fits", "empty.fits", "no_data.fits"),
    *("nan.fits", "zero.fits", "line.fits", "4d.fits"),
)


@pytest.fixture(params=COMMANDS)
def command(request, run_within, tiny_model):
    """Either command with the stand-in model: its name, and how to run it."""
    words, option = COMMANDS[request.param]

    def run_it(*arguments, model=tiny_model, **kwargs):
        return run_within(*words, *arguments, option, model, **kwargs)

    run_it.name = request.param
    return run_it


@pytest.fixture
def mask(run_within, tiny_model):
    """Run ``maximask-astro mask`` with the stand-in model."""

    def run_it(*arguments, **kwargs):
        options = ("--model", tiny_model, "--tiling", "original")
        return run_within("maximask-astro", "mask", *arguments, *options, **kwargs)

    return run_it


def contents(directory):
    """All files below a directory."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def assert_failed(done, name, sentence):
    """One sentence and a summary."""
    assert (done.returncode, done.stdout) == (1, "")
    error, summary = done.stderr.splitlines()
    assert error.startswith(f"{name}: error: ")
    assert sentence in error
    assert error.endswith(".")
    assert summary == f"{name}: 1 file: 1 failed."


def assert_refused(done, name, sentence):
    """One sentence, before any file was opened."""
    assert (done.returncode, done.stdout) == (1, "")
    (error,) = done.stderr.splitlines()
    assert error.startswith(f"{name}: error: ")
    assert sentence in error
    assert error.endswith(".")


def assert_wrong_usage(done, name, sentence):
    """How to use the command, and one sentence."""
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"usage: {name} ")
    assert lines[-1].startswith(f"{name}: error: ")
    assert sentence in lines[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", KINDS)
def test_a_file_that_cannot_be_masked(night, command, name):
    write_bad_file(name, night)
    before = contents(night)
    done = command(name)
    assert_failed(done, command.name, BAD_FILES[name][1])
    assert name in done.stderr
    assert contents(night) == before


@pytest.fixture(scope="module", params=COMMANDS)
def directory(request, run, tiny_model, tmp_path_factory):
    """A directory of good and bad files, and what a command made of it."""
    path = tmp_path_factory.mktemp("night")
    for name in BAD_FILES:
        write_bad_file(name, path)
    write_exposure(path / "first.fits")
    write_exposure(path / "zz_last.fits", (70, 60))
    hdus = [
        fits.PrimaryHDU(),
        fits.ImageHDU(make_exposure((30, 40)), name="CCD1"),
        fits.ImageHDU(np.full((30, 40), np.nan), name="CCD2"),
        fits.ImageHDU(np.zeros((30, 40), "i2"), name="CCD3"),
        fits.ImageHDU(np.zeros((0, 40)), name="CCD4"),
    ]
    fits.HDUList(hdus).writeto(path / "partly.fits")
    before = contents(path)
    words, option = COMMANDS[request.param]
    done = run(*words, ".", option, tiny_model, cwd=path)
    return request.param, path, before, done


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_of_a_directory_is_named(directory, name):
    command, _, _, done = directory
    (line,) = (line for line in done.stderr.splitlines() if name in line)
    assert line.startswith(f"{command}: error: ")
    assert BAD_FILES[name][1] in line
    assert line.endswith(".")


def test_hdus_without_a_verdict_are_named(directory):
    command, _, _, done = directory
    (line,) = (line for line in done.stderr.splitlines() if "partly" in line)
    assert line == (
        f"{command}: error: partly.fits is masked only in part: HDU 2: No verdict: "
        "every pixel is masked, NaN or infinite; HDU 3: No verdict: every pixel with a "
        "value is 0."
    )


def test_nothing_else_is_said(directory):
    command, _, _, done = directory
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert len(lines) == len(BAD_FILES) + 2
    assert lines[-1] == (
        f"{command}: {len(BAD_FILES) + 3} files: 2 masked, 1 partial, "
        f"{len(BAD_FILES)} failed."
    )


def test_the_other_files_of_the_directory_are_masked(directory):
    _, path, before, _ = directory
    after = contents(path)
    masks = {"first.masks.fits", "partly.masks.fits", "zz_last.masks.fits"}
    assert set(after) == {*before, *masks}
    assert {name: after[name] for name in before} == before
    with fits.open(path / "partly.masks.fits") as file:
        assert [hdu.name for hdu in file] == ["PRIMARY", "CCD1", "CCD2", "CCD3", "CCD4"]
    for name, shape in (("first", (64, 80)), ("zz_last", (70, 60))):
        assert fits.getdata(path / f"{name}.masks.fits").shape[-2:] == shape


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("lost.fits", "lost.fits does not exist."),
        ("empty", "The directory empty has no FITS file (.fits, .fit or .fts, also"),
        ("lost_entry.list", "'lost.fits' in the list lost_entry.list does not exist."),
        ("good.fits[3]", "good.fits has no HDU 3; it has 1, numbered from 0 to 0."),
        ("good.fits[SCI]", "good.fits has no HDU SCI; it has 1, numbered from 0"),
    ],
)
def test_a_path_that_leads_nowhere(night, command, path, sentence):
    (night / "empty").mkdir()
    (night / "lost_entry.list").write_text("lost.fits\n")
    before = contents(night)
    assert_failed(command(path), command.name, sentence)
    assert contents(night) == before


@pytest.mark.parametrize("directory", ["file", "file/masks", "/proc/self"])
def test_an_output_directory_where_nothing_can_be_written(night, mask, directory):
    (night / "file").write_text("precious")
    if directory.startswith("/proc") and not Path(directory).is_dir():
        pytest.skip("this system has no such directory")
    before = contents(night)
    done = mask("good.fits", "--output-dir", directory)
    sentence = f"The output directory {directory} cannot be written to: "
    assert_failed(done, "maximask-astro mask", sentence)
    assert contents(night) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_directory(night, command):
    night.chmod(0o555)
    try:
        done = command("good.fits")
    finally:
        night.chmod(0o755)
    sentence = "The output directory . cannot be written to: Permission denied."
    assert_failed(done, command.name, sentence)
    assert set(contents(night)) == {"good.fits"}


def test_a_disk_that_gets_full(night, mask):
    """The masks of the first and last file fit, those of the second do not."""
    write_exposure("big.fits", (150, 500))  # a bit mask of 150 kB
    write_exposure("last.fits")
    (night / "all.list").write_text("good.fits\nbig.fits\nlast.fits\n")
    before = contents(night)
    done = mask("all.list", largest_file=100_000)
    assert done.returncode == 1
    error, summary = done.stderr.splitlines()
    assert error == (
        "maximask-astro mask: error: big.masks.fits cannot be written: File too large."
    )
    assert summary == "maximask-astro mask: 3 files: 2 masked, 1 failed."
    after = contents(night)
    assert set(after) == {*before, "good.masks.fits", "last.masks.fits"}
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("policy", [None, "error", "skip"])
def test_an_output_that_exists(night, mask, policy):
    (night / "good.masks.fits").write_text("precious")
    before = contents(night)
    done = mask("good.fits", *(["--if-exists", policy] if policy else []))
    if policy == "skip":
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == "maximask-astro mask: 1 file: 1 skipped.\n"
    else:
        sentence = "good.masks.fits exists; choose to overwrite or to skip it."
        assert_failed(done, "maximask-astro mask", sentence)
    assert contents(night) == before


def test_an_output_that_may_be_overwritten(night, run_within, mask, tiny_model):
    """Both commands can: maximask always does, like the original."""
    (night / "good.masks.fits").write_text("old")
    done = mask("good.fits", "--if-exists", "overwrite")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "maximask-astro mask: 1 file: 1 masked.\n"
    assert fits.getdata("good.masks.fits").shape == (64, 80)
    done = run_within("maximask", "good.fits", "--net_dir", tiny_model)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert fits.getdata("good.masks.fits").shape == (14, 64, 80)
    assert set(contents(night)) == {"good.fits", "good.masks.fits"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--classes", "CR,XYZ"], "argument --classes: "),
        (["--prior", "CR=0"], "'CR=0': the prior must be a number between 0 and 1"),
        (["--prior", "XYZ=0.5"], "argument --prior: "),
        (["--tile-size", "10"], "tile_size is 10, but this model needs tiles of at"),
    ],
)
def test_wrong_usage(night, run_within, tiny_model, arguments, sentence):
    words = ("maximask-astro", "mask", "good.fits", "--model", tiny_model)
    assert_wrong_usage(run_within(*words, *arguments), "maximask-astro mask", sentence)
    assert set(contents(night)) == {"good.fits"}


def test_wrong_usage_of_the_original(night, run_within):
    done = run_within(
        "maximask", "good.fits", "--single_mask", "1", "--proba_thresh", "no"
    )
    sentence = "--single_mask True needs --proba_thresh True"
    assert_wrong_usage(done, "maximask", sentence)
    assert set(contents(night)) == {"good.fits"}


ROWS = [f"{name} 0.5" for name in ABBREVIATIONS]


@pytest.mark.parametrize(
    ("kind", "rows", "sentence"),
    [
        ("priors", ROWS[:13], "has 13 rows; it must have one for each of the 14 class"),
        ("thresh", ["CR many", *ROWS[1:]], "has 'many' where a number must be."),
        ("priors", ["CR 1.0", *ROWS[1:]], "has 1.0; a prior must be between 0 and 1"),
        ("flags", ["XYZ 1", *ROWS[1:]], "is about 'XYZ'; it must be about CR."),
    ],
)
def test_configuration_files(night, run_within, tiny_model, kind, rows, sentence):
    (night / "config").mkdir()
    for name in ("flags", "priors", "thresh"):
        good = [f"{name} 1" for name in ABBREVIATIONS] if name == "flags" else ROWS
        text = "\n".join(rows if name == kind else good)
        (night / "config" / f"classes.{name}").write_text(text)
    before = contents(night)
    arguments = ("good.fits", "--config_dir", "config", "--net_dir", tiny_model)
    done = run_within("maximask", *arguments)
    assert_refused(done, "maximask", f"config/classes.{kind} {sentence}")
    assert contents(night) == before
