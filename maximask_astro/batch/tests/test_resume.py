import os
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits

from maximask_astro.batch import process
from maximask_astro.masking import ContaminantMasker
from maximask_astro.tests.helpers import make_exposure

IMAGE = make_exposure((64, 80)).astype("i2")


@pytest.fixture
def night(tmp_path):
    """A directory with two exposures."""
    directory = tmp_path / "night"
    directory.mkdir()
    for name in "ab":
        fits.writeto(directory / f"{name}.fits", IMAGE + ord(name))
    return directory


def resume(night, masker, **options):
    """Status of each file."""
    results = process(night, masker, if_exists="resume", **options)
    return [result.status for result in results]


def stamp(night, name):
    return (night / f"{name}.masks.fits").stat().st_mtime_ns


def test_what_is_finished_is_skipped(night, masker):
    assert resume(night, masker) == ["masked", "masked"]
    before = stamp(night, "a"), stamp(night, "b")
    assert resume(night, masker) == ["skipped", "skipped"]
    assert (stamp(night, "a"), stamp(night, "b")) == before
    (night / "a.masks.fits").unlink()
    assert resume(night, masker) == ["masked", "skipped"]


def test_the_reason_is_told(night, masker):
    resume(night, masker)
    result, _ = process(night, masker, if_exists="resume")
    output = night / "a.masks.fits"
    expected = f"{output} was made of the same exposure in the same way."
    assert result.message == expected


def test_another_exposure_of_the_same_name_is_masked(night, masker):
    resume(night, masker)
    fits.writeto(night / "b.fits", IMAGE + 7, overwrite=True)
    assert resume(night, masker) == ["skipped", "masked"]
    assert resume(night, masker) == ["skipped", "skipped"]


@pytest.mark.parametrize(
    "changed", [{"grow": 2}, {"classes": "CR"}, {"priors": {"CR": 0.1}}]
)
def test_other_settings_mask_again(night, masker, tiny_model, changed):
    resume(night, masker)
    other = ContaminantMasker(tiny_model, tiling="original", **changed)
    assert resume(night, other) == ["masked", "masked"]
    assert resume(night, other) == ["skipped", "skipped"]
    assert resume(night, other, content="masks") == ["masked", "masked"]


def test_what_is_no_mask_is_replaced(night, masker):
    output = night / "a.masks.fits"
    for content in (b"", b"precious", (night / "b.fits").read_bytes()):
        output.write_bytes(content)
        assert resume(night, masker)[0] == "masked"


def test_what_failed_in_part_is_tried_again(tmp_path, masker):
    nothing = np.full((40, 40), np.nan, "f4")
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(IMAGE), fits.ImageHDU(nothing)]
    fits.HDUList(hdus).writeto(tmp_path / "a.fits")
    assert resume(tmp_path / "a.fits", masker) == ["partial"]
    with fits.open(tmp_path / "a.masks.fits") as file:
        states = [hdu.header.get("MM_STATE") for hdu in file]
    assert states == [None, "masked", "failed"]
    assert resume(tmp_path / "a.fits", masker) == ["partial"]


def test_leftovers_of_dead_processes_are_removed(night, masker):
    """Of this output only, and not those of processes that are alive."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    resume(night, masker)
    script = (
        "import sys, time\n"
        "from maximask_astro.utils.files import atomic_path\n"
        "with atomic_path(sys.argv[1], overwrite=True) as path:\n"
        "    print(path, flush=True)\n"
        "    time.sleep(600)\n"
    )
    output = night / "a.masks.fits"
    command = [sys.executable, "-c", script, str(output)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as alive:
        kept = alive.stdout.readline().strip()
        left = kept.replace(f"-{alive.pid}-", f"-{dead.pid}-")
        other = left.replace("a.masks", "b.masks")
        for name in (left, other):
            (night / name).write_text("half")
        output.unlink()
        assert resume(night, masker) == ["masked", "skipped"]
        names = {str(path) for path in night.iterdir()}
        assert {kept, other} <= names
        assert left not in names
        alive.kill()
    assert os.path.exists(kept)
