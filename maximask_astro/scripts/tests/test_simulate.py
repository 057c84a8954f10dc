import numpy as np
import pytest
from astropy.io import fits

from maximask_astro.flags import select
from maximask_astro.scripts.main import main

SHAPE = ("--shape", "64", "96")


@pytest.fixture
def simulate(call):
    """Function that runs the command in a small frame."""

    def run(*arguments):
        return call(main, "simulate", *arguments)

    return run


def test_help(call):
    done = call(main, "simulate", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: maximask-astro simulate")
    for word in ("--shape H W", "--classes LIST", "--seed N", "--overwrite"):
        assert word in done.stdout


def test_a_file(simulate, tmp_path):
    path = tmp_path / "out.fits"
    done = simulate(path, *SHAPE, "--classes", "cr,HP", "--seed", "5")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{path}: CR ")
    with fits.open(path) as file:
        file.verify("exception")
        assert file[0].data.shape == (64, 96)
        assert file[0].header["SEED"] == 5
        assert file[0].header["BUNIT"] == "adu"
        bits = file["DQ"].data
    assert select(bits, "CR").any()
    assert select(bits, "HP").any()
    assert not select(bits, "TRL,OV,FR,NEB,DCL,HCL,DP,P,SP,SAT").any()
    for part in done.stdout.split(": ")[1].split(", "):
        name, percentage = part.strip(" %\n").split(" ")
        if name != "BG":
            fraction = 100 * select(bits, name).mean()
            assert float(percentage) == pytest.approx(fraction, rel=0.06)


def test_the_default_is_a_mixture_and_the_seed_decides(simulate, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        simulate(tmp_path / f"{name}.fits", *SHAPE, "--seed", seed)
    a, b, c = (fits.getdata(tmp_path / f"{name}.fits") for name in "abc")
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_several(simulate, tmp_path):
    path = tmp_path / "out.fit.gz"
    done = simulate(path, *SHAPE, "--number", "2", "--seed", "1", "--classes", "none")
    assert done.returncode == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["out_1.fit.gz", "out_2.fit.gz"]
    seeds = [fits.getheader(tmp_path / name)["SEED"] for name in names]
    assert seeds == [1, 2]
    assert len(done.stdout.splitlines()) == 2


def test_what_exists_stays(simulate, tmp_path):
    path = tmp_path / "out_2.fits"
    path.write_text("precious")
    done = simulate(tmp_path / "out.fits", *SHAPE, "--number", "2")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"maximask-astro simulate: error: {path} exists; "
        "give --overwrite to replace it.\n"
    )
    # Nothing was begun.
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "precious"
    done = simulate(tmp_path / "out.fits", *SHAPE, "--number", "2", "--overwrite")
    assert done.returncode == 0
    assert fits.getdata(path).shape == (64, 96)


def test_no_directory(simulate, tmp_path):
    done = simulate(tmp_path / "nowhere" / "out.fits", *SHAPE)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"There is no directory {tmp_path / 'nowhere'} to write to." in done.stderr


@pytest.mark.parametrize("name", ["out.png", "out", "out.gz", "out.fits.fz"])
def test_other_formats(simulate, tmp_path, name):
    done = simulate(tmp_path / name)
    assert (done.returncode, done.stdout) == (1, "")
    assert "must end in .fits, .fit, .fts" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_too_small(simulate, tmp_path):
    done = simulate(tmp_path / "out.fits", "--shape", "64", "40")
    assert (done.returncode, done.stdout) == (1, "")
    assert "at least 64 pixels each" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: OUT.fits"),
        (["a.fits", "--shape", "100"], "expected 2 arguments"),
        (["a.fits", "--shape", "100", "x"], "'x' is not a positive whole number"),
        (["a.fits", "--classes", "CR,XX"], "'XX' is not a contaminant class"),
        (["a.fits", "--classes", ""], "'' is not a contaminant class"),
        (["a.fits", "--classes", "CR,BBG"], "BBG is no contaminant"),
        (["a.fits", "--seed", "-1"], "'-1' is not a whole number from 0"),
        (["a.fits", "--seed", "1.5"], "'1.5' is not a whole number from 0"),
        (["a.fits", "--seed", "4294967296"], "is not a whole number from 0"),
        (["a.fits", "--seed", "4294967295", "--number", "2"], "the last seed would be"),
        (["a.fits", "--number", "0"], "'0' is not a positive whole number"),
    ],
)
def test_wrong_usage(simulate, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    done = simulate(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []
