"""The command with the options, the files and the results of MaxiMask 1.4.1."""

import shutil

import numpy as np
import pytest
from astropy.io import fits

from maximask_astro import ContaminantMasker
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.scripts.maximask import main
from maximask_astro.scripts.tests.conftest import write_exposure
from maximask_astro.weights import load_model
from maximask_astro.weights.checkpoint import crc32c
from maximask_astro.weights.tests import bundle


@pytest.fixture
def maximask(night, call, tiny_model):
    """Run the command with the stand-in model; it must succeed without a word."""

    def run_it(*arguments):
        done = call(main, *arguments, "--net_dir", tiny_model)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    return run_it


@pytest.fixture(scope="session")
def expected(tiny_model):
    """The map that the command's options should give."""

    def judge(name="good.fits", **settings):
        masker = ContaminantMasker(tiny_model, tiling="original", **settings)
        return masker(fits.getdata(name))

    return judge


def class_planes(cmap):
    return np.array([cmap.class_mask(name) for name in cmap.classes])


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_a_plane_a_class(maximask, expected, night):
    maximask("good.fits")
    assert names(night) == ["good.fits", "good.masks.fits"]
    with fits.open("good.masks.fits") as file:
        assert file[0].data.dtype == np.uint8
        np.testing.assert_array_equal(file[0].data, class_planes(expected()))
        header = file[0].header
    cards = [header[name] for name in ("PRIORS", "THRESH", "SMASK", "MM_TILES")]
    assert cards == ["Yes", "Yes", "No", "original"]


@pytest.mark.parametrize("word", ["True", "yes", "1"])
def test_single_mask(maximask, expected, word):
    maximask("good.fits", "--single_mask", word)
    with fits.open("good.masks.fits") as file:
        np.testing.assert_array_equal(file[0].data, expected().bitmask)
        assert file[0].header["SMASK"] == "Yes"


@pytest.mark.parametrize("word", ["False", "no", "0"])
def test_probabilities(maximask, expected, word):
    maximask("good.fits", "--proba_thresh", word)
    with fits.open("good.masks.fits") as file:
        # Batches of other sizes may change the last bits.
        np.testing.assert_allclose(
            file[0].data, expected().probability_planes, atol=1e-5
        )
        assert file[0].header["THRESH"] == "No"
        assert file[0].header["PRIORS"] == "Yes"


def test_priors_of_the_network(maximask, expected):
    maximask("good.fits", "--prior_modif", "False")
    planes = class_planes(expected(priors=None))
    assert (planes != class_planes(expected())).any()
    with fits.open("good.masks.fits") as file:
        np.testing.assert_array_equal(file[0].data, planes)
        assert file[0].header["PRIORS"] == "No"
        assert "CR_PR" not in file[0].header


def test_the_batch_size_does_not_matter(maximask, expected):
    maximask("good.fits", "--batch_size", 3)
    planes = class_planes(expected())
    np.testing.assert_array_equal(fits.getdata("good.masks.fits"), planes)


@pytest.fixture
def configuration(night):
    """Files as the original has them: three classes, among them STL."""
    directory = night / "config"
    directory.mkdir()
    values = {
        "flags": {"CR": 1, "STL": 1, "SAT": 1},
        "priors": {"CR": 0.2, "STL": 0.3},
        "thresh": {"STL": 0.05, "SAT": 0.9},
    }
    for kind, given in values.items():
        rows = []
        for name in ABBREVIATIONS:
            name = "STL" if name == "TRL" else name
            value = given.get(name, 0 if kind == "flags" else 0.5)
            rows.append(f"{name} {value}\n")
        (directory / f"classes.{kind}").write_text("".join(rows))
    return directory


def test_configuration_files(maximask, expected, configuration):
    maximask("good.fits", "--config_dir", configuration)
    cmap = expected(
        classes="CR,TRL,SAT",
        priors={"CR": 0.2, "TRL": 0.3, "SAT": 0.5},
        thresholds={"CR": 0.5, "TRL": 0.05, "SAT": 0.9},
    )
    with fits.open("good.masks.fits") as file:
        np.testing.assert_array_equal(file[0].data, class_planes(cmap))
        header = file[0].header
    assert [header[f"{name}_DIM"] for name in ("CR", "TRL", "SAT")] == ["0", "1", "2"]
    assert [header[f"{name}_PR"] for name in ("CR", "TRL", "SAT")] == [
        "0.2",
        "0.3",
        "0.5",
    ]
    assert [header[f"{name}_TH"] for name in ("CR", "TRL", "SAT")] == [
        "0.5",
        "0.05",
        "0.9",
    ]
    assert "HCL" not in header


def test_only_the_configuration_files_that_count(maximask, expected, configuration):
    (configuration / "classes.priors").unlink()
    (configuration / "classes.thresh").unlink()
    maximask(
        *("good.fits", "--config_dir", configuration),
        *("--prior_modif", "False", "--proba_thresh", "False"),
    )
    cmap = expected(classes="CR,TRL,SAT", priors=None)
    planes = fits.getdata("good.masks.fits")
    np.testing.assert_allclose(planes, cmap.probability_planes, atol=1e-5)


@pytest.mark.parametrize(
    ("path", "outputs"),
    [
        (".", ["chips.masks.fits", "good.masks.fits"]),
        ("all.list", ["chips.masks1.fits", "good.masks.fits"]),
        ("chips.fits.gz", ["chips.masks.fits"]),
        ("chips.fits.gz[1]", ["chips.masks1.fits"]),
        ("chips.fits.gz[CCD1]", ["chips.masks1.fits"]),
    ],
)
def test_paths(maximask, night, path, outputs):
    hdu = fits.ImageHDU(fits.getdata("good.fits")[:40], name="CCD1")
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto("chips.fits.gz")
    (night / "all.list").write_text("good.fits\nchips.fits.gz[1]\n")
    before = names(night)
    maximask(path)
    assert names(night) == sorted([*before, *outputs])
    maximask(path)  # again: it overwrites, and does not take masks for exposures
    assert names(night) == sorted([*before, *outputs])


def test_verbose(night, call, tiny_model):
    write_exposure("second.fits")
    done = call(main, ".", "-v", "--net_dir", tiny_model)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-1] == "maximask: 2 files: 2 masked."


@pytest.fixture(scope="module")
def published(real_data):
    """What the published command gave."""
    with np.load(real_data / "reference" / "published_outputs.npz") as archive:
        return dict(archive)


EXPOSURES = ("exotic_013612", "saao_ste3_raw")


@pytest.mark.real_data
@pytest.mark.published_weights
def test_single_masks_are_the_published_ones(run, real_data, published, tmp_path):
    for name in EXPOSURES:
        shutil.copy(real_data / "exposures" / f"{name}.fits", tmp_path)
    done = run("maximask", tmp_path, "--single_mask", "True")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for name in EXPOSURES:
        ours = fits.getdata(tmp_path / f"{name}.masks.fits")
        theirs = published[f"{name}_single"]
        assert ours.dtype == theirs.dtype
        assert (ours == theirs).mean() >= 0.9999


@pytest.mark.real_data
@pytest.mark.published_weights
def test_masks_are_the_published_ones(run, real_data, published, tmp_path):
    name = "saao_ste3_raw"
    shutil.copy(real_data / "exposures" / f"{name}.fits", tmp_path)
    done = run("maximask", tmp_path / f"{name}.fits")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    ours = fits.getdata(tmp_path / f"{name}.masks.fits")
    theirs = np.unpackbits(published[f"{name}_masks"], axis=0, count=14)
    assert ours.dtype == theirs.dtype
    assert (ours == theirs).mean() >= 0.9999


@pytest.mark.real_data
@pytest.mark.published_weights
def test_a_network_in_the_original_format(
    call, real_data, published, tmp_path, monkeypatch
):
    """Its probabilities, without priors, are those of the published command."""
    monkeypatch.setattr(bundle, "slow_crc32c", crc32c)
    weights = load_model("maximask-1.4.1").weights
    bundle.write_bundle(tmp_path / "model" / "variables", weights)
    name = "saao_ste3_raw"
    shutil.copy(real_data / "exposures" / f"{name}.fits", tmp_path)
    done = call(
        main,
        *(tmp_path / f"{name}.fits", "--net_dir", tmp_path / "model"),
        *("--prior_modif", "False", "--proba_thresh", "False"),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    ours = fits.getdata(tmp_path / f"{name}.masks.fits")
    theirs = published[f"{name}_proba"].astype("f4")  # rounded to half precision
    assert np.isclose(ours, theirs, rtol=1e-3, atol=1e-4).mean() >= 0.9999
