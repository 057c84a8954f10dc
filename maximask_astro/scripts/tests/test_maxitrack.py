"""The command with the options, the output and the results of MaxiTrack 1.4.1."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from maximask_astro import TrackingClassifier
from maximask_astro.scripts.maxitrack import main
from maximask_astro.tests.helpers import make_exposure
from maximask_astro.tests.tracking_models import save, tiny_maxitrack
from maximask_astro.tracking import posterior_of

# Ten blocks of the stand-in, which begin at (5, 7).
IMAGE = make_exposure((101, 247))
OTHER = IMAGE[::-1].copy()
OUTPUT = Path("maxitrack.out")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Directory of the stand-in for the published network."""
    return save(tiny_maxitrack(), tmp_path_factory.mktemp("models") / "maxitrack")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty directory, in which the test runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def maxitrack(here, call, model):
    """Run the command with the stand-in."""
    return lambda *arguments: call(main, *arguments, "--net_dir", model)


@pytest.fixture(scope="module")
def expected(model):
    """Mean over the blocks of images, then over images."""
    classifier = TrackingClassifier(model)

    def mean(*images, prior=0.05):
        evidence = [[tile.evidence for tile in classifier(i).tiles] for i in images]
        return np.mean([posterior_of(each, prior).mean() for each in evidence])

    return mean


def write(path, *images, names=(None,) * 9):
    hdus = [
        fits.ImageHDU(image, name=name)
        for image, name in zip(images, names, strict=False)
    ]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)


def test_help(call):
    done = call(main, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: maxitrack [-h] [--net_dir NET_DIR] [--prior")
    assert "maxitrack.out" in done.stdout


def test_the_installed_command(run):
    done = run("maxitrack", "--help")
    assert (done.returncode, done.stderr) == (0, "")


def test_an_image(maxitrack, expected):
    write("a.fits", IMAGE)
    done = maxitrack("a.fits")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert OUTPUT.read_text() == f"a.fits {expected(IMAGE):.4f}\n"


def test_results_are_appended(maxitrack, expected):
    OUTPUT.write_text("earlier.fits 0.1234\n")
    write("a.fits", IMAGE)
    for prior in (0.5, 0.9):
        assert maxitrack("a.fits", "--prior", prior).returncode == 0
    low, high = (expected(IMAGE, prior=prior) for prior in (0.5, 0.9))
    lines = f"earlier.fits 0.1234\na.fits {low:.4f}\na.fits {high:.4f}\n"
    assert OUTPUT.read_text() == lines
    assert high > low + 0.1


@pytest.mark.parametrize("size", [1, 4, 10, 16])
def test_every_block_counts_once(maxitrack, expected, size):
    """The original loses the blocks left over after the last full batch."""
    write("a.fits", IMAGE)
    assert maxitrack("a.fits", "--batch_size", size).returncode == 0
    assert OUTPUT.read_text() == f"a.fits {expected(IMAGE):.4f}\n"


def test_images_of_a_file_are_averaged(maxitrack, expected):
    """Each counts alike, however many blocks it has."""
    small = OTHER[:60, :70].copy()
    write("a.fits", IMAGE, np.zeros_like(IMAGE), small, IMAGE, names=("", "", "", "DQ"))
    done = maxitrack("a.fits")
    assert (done.returncode, done.stderr) == (0, "")
    assert OUTPUT.read_text() == f"a.fits {expected(IMAGE, small):.4f}\n"


def test_channels_of_cubes(maxitrack, expected):
    cube = np.stack([IMAGE, OTHER])
    write("a.fits", IMAGE, cube, OTHER[None], cube[::-1])
    assert maxitrack("a.fits").returncode == 0
    assert OUTPUT.read_text() == (
        f"a.fits HDU 2 Channel 0 {expected(IMAGE):.4f}\n"
        f"a.fits HDU 2 Channel 1 {expected(OTHER):.4f}\n"
        f"a.fits HDU 4 Channel 0 {expected(OTHER):.4f}\n"
        f"a.fits HDU 4 Channel 1 {expected(IMAGE):.4f}\n"
        f"a.fits {expected(IMAGE, OTHER):.4f}\n"
    )


def test_paths(maxitrack, expected, here):
    (here / "night").mkdir()
    write("night/b.fits", IMAGE, OTHER)
    write("night/a.fits.gz", OTHER)
    Path("all.list").write_text("night/b.fits[2]\nnight/b.fits[1]\n")
    for path in ("night", "all.list", "night/b.fits[1]"):
        assert maxitrack(path).returncode == 0
    assert OUTPUT.read_text() == (
        f"night/a.fits.gz {expected(OTHER):.4f}\n"
        f"night/b.fits {expected(IMAGE, OTHER):.4f}\n"
        f"night/b.fits[2] {expected(OTHER):.4f}\n"
        f"night/b.fits[1] {expected(IMAGE):.4f}\n"
        f"night/b.fits[1] {expected(IMAGE):.4f}\n"
    )


def test_a_fraction_of_the_hdus(maxitrack, expected):
    images = [IMAGE * factor for factor in (1, 2, 3, 4)]
    write("a.fits", *images)
    for _ in range(2):
        assert maxitrack("a.fits", "--frac", "0.3").returncode == 0
    first, second = OUTPUT.read_text().splitlines()
    assert first == second
    assert first in {f"a.fits {expected(image):.4f}" for image in images}


def test_files_that_cannot_be_judged(maxitrack, expected):
    write("a.fits", IMAGE)
    write("b.fits", np.stack([IMAGE, np.full_like(IMAGE, np.nan)]))
    write("c.fits", IMAGE[:40])
    Path("d.fits").write_text("Cloudy; went home.")
    Path("all.list").write_text("lost.fits\na.fits\nb.fits\nc.fits\nd.fits\n")
    done = maxitrack("all.list")
    assert (done.returncode, done.stdout) == (1, "")
    *errors, summary = done.stderr.splitlines()
    starts = [
        "'lost.fits' in the list all.list does not exist.",
        "b.fits is judged only in part: HDU 1, channel 1: every pixel is masked, NaN",
        "c.fits has no image to judge (HDU 1: the image has 40 x 247 pixels, and at",
        "d.fits is not a FITS file, or is damaged: ",
    ]
    for error, start in zip(errors, starts, strict=True):
        assert error.startswith(f"maxitrack: error: {start}")
        assert error.endswith(".")
    assert summary == "maxitrack: 5 files: 1 judged, 1 partial, 3 failed."
    assert OUTPUT.read_text() == (
        f"a.fits {expected(IMAGE):.4f}\nb.fits HDU 1 Channel 0 {expected(IMAGE):.4f}\n"
    )


def test_nothing_to_write(maxitrack):
    done = maxitrack("lost.fits")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "maxitrack: error: lost.fits does not exist.",
        "maxitrack: 1 file: 1 failed.",
    ]
    assert not OUTPUT.exists()


def test_an_output_that_cannot_be_written(maxitrack):
    OUTPUT.mkdir()
    write("a.fits", IMAGE)
    done = maxitrack("a.fits")
    assert (done.returncode, done.stdout) == (1, "")
    message = "maxitrack: error: maxitrack.out cannot be written: Is a directory.\n"
    assert done.stderr == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--prior", "0"], "argument --prior: '0' is not a number in (0, 1)"),
        (["--prior", "1"], "argument --prior: '1' is not a number in (0, 1)"),
        (["--frac", "0"], "argument --frac: '0' is not a number in (0, 1]"),
        (["--frac", "half"], "argument --frac: 'half' is not a number in (0, 1]"),
        (["--batch_size", "0"], "argument --batch_size: '0' is not a positive whole"),
        (["--net_dir", "contaminants-1"], "is for contaminants, not for tracking err"),
    ],
)
def test_wrong_usage(here, call, arguments, message):
    done = call(main, "a.fits", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert not OUTPUT.exists()


def test_an_unknown_model(here, call):
    done = call(main, "a.fits", "--net_dir", "lost")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("maxitrack: error: There is no model 'lost' and no")


def test_verbose(maxitrack):
    write("a.fits", IMAGE, IMAGE[:30])
    done = maxitrack("a.fits", "-v")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-1] == "maxitrack: 1 file: 1 judged."


@pytest.mark.real_data
@pytest.mark.published_weights
def test_probabilities_are_the_published_ones(here, call, real_data):
    for name in ("exotic_013612.fits", "saao_ste3_raw.fits"):
        shutil.copy(real_data / "exposures" / name, here)
    done = call(main, here)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    lines = [re.sub(".*/", "", line) for line in OUTPUT.read_text().splitlines()]
    assert lines == ["exotic_013612.fits 0.0000", "saao_ste3_raw.fits 0.0060"]
