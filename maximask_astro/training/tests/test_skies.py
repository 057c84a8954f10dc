"""Skies from directories of exposures."""

import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.training.skies import read_skies
from maximask_astro.utils.errors import InputError, MaximaskWarning
from maximask_astro.utils.files import file_sha256

SHAPE = (80, 100)


def exposure(seed=0, sky=1000.0, noise=10.0):
    return np.random.default_rng(seed).normal(sky, noise, SHAPE)


def write(path, data, **cards):
    fits.writeto(path, data, fits.Header(cards))
    return path


def known(sky, name):
    return (sky.known & (1 << ABBREVIATIONS.index(name))) != 0


@pytest.fixture(name="directory")
def five_exposures(tmp_path):
    write(tmp_path / "a.fits", exposure(1).round().astype("u2"), GAIN=1.5)
    write(tmp_path / "b.fit", exposure(2).astype("f4"))
    write(tmp_path / "c.fits.gz", exposure(3).astype("f8"), GAIN="unknown")
    fits.CompImageHDU(exposure(4).astype("i2")).writeto(tmp_path / "d.fits.fz")
    write(tmp_path / "e.FITS", -exposure(5).astype("f4") / 1e12)
    return tmp_path


def one(tmp_path, data, **options):
    write(tmp_path / "sky.fits", data)
    return read_skies(tmp_path, names=["sky.fits"], least=1, **options)[0]


def test_exposures_are_read_without_masks(directory):
    write(directory / "a.masks.fits", np.zeros(SHAPE, "i2"))
    write(directory / ".hidden.fits", exposure())
    (directory / "notes.txt").write_text("no exposure")
    skies = read_skies(directory)
    assert [s.name for s in skies] == [
        "a.fits",
        "b.fit",
        "c.fits.gz",
        "d.fits.fz",
        "e.FITS",
    ]
    for sky in skies[:4]:
        assert sky.level == pytest.approx(1000, abs=1)
        assert sky.noise == pytest.approx(10, rel=0.06)
        assert sky.image.dtype == np.float32
        assert sky.image.std() == pytest.approx(1, rel=0.06)
        assert sky.noise_binned == pytest.approx(0.5, rel=0.1)
        assert not sky.present.any()
    assert skies[4].noise == pytest.approx(1e-11, rel=0.06)
    assert [s.gain for s in skies] == [1.5, None, None, None, None]
    assert skies[0].quantum == pytest.approx(0.1, rel=0.1)
    assert skies[1].quantum == 0.0


def test_each_image_of_a_file_is_a_sky(tmp_path):
    images = [fits.ImageHDU(exposure(seed)) for seed in range(5)]
    images.insert(2, fits.ImageHDU(exposure(9), name="DQ"))
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto(tmp_path / "mosaic.fits")
    assert [sky.name[-3:] for sky in read_skies(tmp_path)] == [
        "[1]", "[2]", "[4]", "[5]", "[6]",
    ]  # fmt: skip


def test_bad_files_are_named_and_left_out(directory):
    (directory / "text.fits").write_text("no FITS")
    (directory / "empty.fits").write_bytes(b"")
    whole = (directory / "b.fit").read_bytes()
    (directory / "cut.fits").write_bytes(whole[: len(whole) // 2])
    write(directory / "constant.fits", np.full(SHAPE, 7.0))
    write(directory / "nothing.fits", np.full(SHAPE, np.nan))
    write(directory / "tiny.fits", exposure()[:63])
    write(directory / "cube.fits", np.zeros((3, *SHAPE)))
    table = fits.BinTableHDU.from_columns([fits.Column("x", "E", array=[1.0])])
    table.writeto(directory / "table.fits")
    with pytest.warns(MaximaskWarning) as caught:
        skies = read_skies(directory)
    assert len(skies) == 5
    (warning,) = [w for w in caught if w.category is MaximaskWarning]
    bad = ("text", "empty", "cut", "constant", "nothing", "tiny", "cube", "table")
    for name in bad:
        assert f"{name}.fits" in str(warning.message)
    assert str(warning.message).startswith("8 of the skies")


def test_fewer_than_five_are_too_few(directory):
    (directory / "a.fits").unlink()
    with pytest.raises(InputError, match="has 4 usable exposures; to learn"):
        read_skies(directory)
    assert len(read_skies(directory, least=4)) == 4
    with pytest.raises(InputError, match="is not a directory"):
        read_skies(directory / "b.fit")


def test_what_stands_out_is_unknown_without_marks(tmp_path):
    data = exposure()
    data[40, 50] += 1000.0
    data[:, 20] -= 8.0
    sky = one(tmp_path, data)
    assert known(sky, "NEB").all()
    assert known(sky, "TRL").all()
    assert not known(sky, "CR")[38:43, 48:53].any()
    assert known(sky, "CR")[40, 53]
    assert known(sky, "CR").mean() > 0.95
    assert not known(sky, "DCL")[:, 20].any()
    assert known(sky, "DP")[:, 20].mean() > 0.8
    assert not known(sky, "BBG").any()


def test_marks_say_more(tmp_path):
    data = exposure()
    data[40, 50] += 1000.0
    path = write(tmp_path / "sky.fits", data)
    entry = {
        "absent": "TRL FR P OV CR HCL DCL DP SAT SP",
        "marks": {"HP": [["bright", [50, 40, 2]]], "NEB": [["present", [0, 0, 9, 9]]]},
        "fwhm": 2.5,
        "sha256": file_sha256(path),
    }
    (sky,) = read_skies(tmp_path, marks={"sky.fits": entry}, least=1)
    assert sky.fwhm == 2.5
    assert known(sky, "CR").all()
    hot = (sky.present & (1 << ABBREVIATIONS.index("HP"))) != 0
    assert np.argwhere(hot).tolist() == [[40, 50]]
    entry["sha256"] = "0" * 64
    with pytest.raises(InputError, match="not the file that its marks were made on"):
        read_skies(tmp_path, marks={"sky.fits": entry}, least=1)


def test_a_judge_makes_classes_unknown(tmp_path):
    def judge(data):
        assert data.shape == SHAPE
        plane = np.zeros(SHAPE)
        plane[:10], plane[10:20] = 0.4, 0.2
        return {"TRL": plane, "BG": plane}

    sky = one(tmp_path, exposure(), judge=judge)
    assert not known(sky, "TRL")[:10].any()
    assert known(sky, "TRL")[10:].all()
    assert known(sky, "NEB").all()


def test_a_judge_of_another_shape_is_refused(tmp_path):
    with pytest.raises(ValueError, match="judge's plane of TRL"):
        one(tmp_path, exposure(), judge=lambda data: {"TRL": np.zeros((2, 2))})


def test_blank_parts_are_not_valid_but_saturated_stars_are(tmp_path):
    data = exposure()
    data[:, :30], data[50:62, 60:72], data[5, 90] = 0.0, 60000.0, np.inf
    sky = one(tmp_path, data)
    assert not sky.valid[:, :30].any()
    assert not sky.valid[5, 90]
    assert sky.valid[:, 30:].sum() == 80 * 70 - 1
    assert not sky.known[~sky.valid].any()
    assert np.isfinite(sky.image).all()
    assert sky.level == pytest.approx(1000, abs=1)


def test_light_of_objects_is_known_where_it_is_not_the_sky(tmp_path):
    y, x = np.mgrid[:500, :500]
    data = np.random.default_rng(0).normal(0, 1, (500, 500)) + 0.3 * x
    data += 400 * np.exp(-((y - 100) ** 2 + (x - 250) ** 2) / 30)
    write(tmp_path / "sky.fits", data)
    (sky,) = read_skies(tmp_path, least=1)
    assert sky.light[100, 250] == pytest.approx(400, rel=0.2)
    assert np.isnan(sky.light[300, 480])


def test_of_large_images_the_middle_is_read(tmp_path):
    data = np.random.default_rng(0).normal(0, 1, (70, 2100)).astype("f4")
    data[30, 1050] = 100
    write(tmp_path / "sky.fits", data)
    (sky,) = read_skies(tmp_path, least=1)
    assert sky.image.shape == (70, 2048)
    assert np.unravel_index(sky.image.argmax(), sky.image.shape) == (30, 1050 - 26)


def test_the_modules_do_not_load_jax():
    names = ("sky_marks", "sky_measures", "sky_crops", "skies")
    code = (
        "import sys, importlib.util as u, types\n"
        "import maximask_astro.flags, maximask_astro.background\n"
        "before = set(sys.modules)\n"
        "package = types.ModuleType('maximask_astro.training')\n"
        "folder = maximask_astro.__path__[0] + '/training'\n"
        "package.__path__ = [folder]\n"
        "sys.modules['maximask_astro.training'] = package\n"
        f"for name in {names}:\n"
        "    __import__('maximask_astro.training.' + name)\n"
        "print('jax' in sys.modules or 'keras' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
