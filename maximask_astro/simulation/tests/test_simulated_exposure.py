import jax
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData

from maximask_astro.flags import ABBREVIATIONS, CLASSES, decode, select
from maximask_astro.simulation import (
    DEFAULT_FREQUENCIES,
    SimulationConfig,
    simulate_exposure,
)
from maximask_astro.utils.errors import InputError

SHAPE = (64, 96)  # the only one, so that it is compiled once


def make(key, shape=SHAPE, **keywords):
    return simulate_exposure(key, shape, **keywords)


@pytest.fixture(scope="module")
def exposure():
    return make(1, classes="CR,HCL,OV")


def same(first, second):
    return np.array_equal(first.ccd.data, second.ccd.data) and np.array_equal(
        first.bitmask, second.bitmask
    )


def test_what_comes_back(exposure):
    ccd, labels = exposure
    assert isinstance(ccd, CCDData)
    assert (ccd.shape, ccd.data.dtype, str(ccd.unit)) == (SHAPE, np.float32, "adu")
    assert np.isfinite(ccd.data).all()
    assert tuple(labels) == ABBREVIATIONS
    for plane in labels.values():
        assert (plane.shape, plane.dtype) == (SHAPE, bool)


def test_results_cannot_be_changed_by_accident(exposure):
    with pytest.raises(TypeError):
        exposure.labels["CR"] = None
    with pytest.raises(ValueError, match="read-only"):
        exposure.labels["CR"][0, 0] = True


def test_the_bit_mask_has_the_labels(exposure):
    for name in ABBREVIATIONS[:-1]:
        assert np.array_equal(select(exposure.bitmask, name), exposure.labels[name])
    assert np.array_equal(exposure.bitmask == 0, exposure.labels["BG"])


def test_classes_are_there_and_no_others(exposure):
    found = {name for name in DEFAULT_FREQUENCIES if exposure.labels[name].any()}
    assert found == {"CR", "HCL", "OV"}


@pytest.mark.parametrize("classes", ["sp, sat", ["SP", "SAT"]])
def test_a_rare_class_is_there_when_asked_for(classes):
    labels = make(2, classes=classes).labels
    assert {name for name in DEFAULT_FREQUENCIES if labels[name].any()} == {"SP", "SAT"}


@pytest.mark.parametrize("classes", ["none", []])
def test_a_clean_sky(classes):
    labels = make(3, classes=classes).labels
    assert not any(labels[name].any() for name in DEFAULT_FREQUENCIES)
    assert np.array_equal(labels["BG"], ~labels["BBG"])


def test_all_is_a_mixture():
    exposures = [make(seed) for seed in range(12)]
    for name in ("CR", "OV"):
        found = [bool(exposure.labels[name].any()) for exposure in exposures]
        assert 0 < sum(found) < len(found), name


def test_frequencies_of_a_configuration():
    never = dict.fromkeys(DEFAULT_FREQUENCIES, 0.0)
    config = SimulationConfig(SHAPE, {**never, "DCL": 1.0})
    labels = make(1, None, config=config).labels
    assert labels["DCL"].shape == SHAPE
    assert {n for n in DEFAULT_FREQUENCIES if labels[n].any()} == {"DCL"}
    # Classes that are named have the last word.
    labels = make(1, classes="HCL", config=config).labels
    assert {n for n in DEFAULT_FREQUENCIES if labels[n].any()} == {"HCL"}


def test_the_key_decides(exposure):
    assert same(make(1, classes="OV,CR,HCL"), exposure)
    assert same(make(np.int64(1), classes="CR,HCL,OV"), exposure)
    assert same(make(jax.random.key(1), classes="CR,HCL,OV"), exposure)
    assert not same(make(2, classes="CR,HCL,OV"), exposure)


def test_the_header_describes_the_exposure():
    for seed in (4, 5, 6):
        ccd, labels = make(seed, classes="none")
        header = ccd.header
        assert header["SEED"] == seed
        assert header["INSTRUME"] == "simulated"
        sky = ccd.data[labels["BG"]]
        assert abs(np.median(sky) - header["SKYLEVEL"]) < 12 * header["SKYNOISE"]
        assert header["GAIN"] > 0
        assert header["RDNOISE"] > 0
        assert header["FWHM"] > 0
    assert "SEED" not in make(jax.random.key(1), classes="none").ccd.header


def test_the_header_tells_what_was_asked_for(exposure):
    assert exposure.ccd.header["CERTAIN"] == "CR,HCL,OV"
    assert exposure.ccd.header["POSSIBLE"] == ""
    assert make(1).ccd.header["POSSIBLE"].split(",")[:3] == ["CR", "HCL", "DCL"]


def test_write(exposure, tmp_path):
    path = tmp_path / "out.fits.gz"
    exposure.write(path)
    assert path.read_bytes()[:2] == b"\x1f\x8b"
    ccd = CCDData.read(path)
    assert np.array_equal(ccd.data, exposure.ccd.data)
    assert str(ccd.unit) == "adu"
    assert ccd.header["FWHM"] == exposure.ccd.header["FWHM"]
    with fits.open(path) as file:
        file.verify("exception")
        assert [hdu.name for hdu in file] == ["PRIMARY", "DQ"]
        assert np.array_equal(file["DQ"].data, exposure.bitmask)
        for flag in CLASSES:
            assert file["DQ"].header[f"{flag.abbreviation}_SM"] == str(flag.bit)
            assert file["DQ"].header[flag.abbreviation].endswith(flag.name)
    decode(exposure.bitmask)  # no bit that has no meaning


def test_nothing_is_overwritten_unless_allowed(exposure, tmp_path):
    path = tmp_path / "out.fits"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="exists"):
        exposure.write(path)
    assert path.read_text() == "precious"
    exposure.write(path, overwrite=True)
    assert fits.getdata(path).shape == SHAPE
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("key", "keywords", "message"),
    [
        (-1, {}, "The key is -1; it must be a whole number from 0"),
        (2**32, {}, "whole number from 0"),
        (1.5, {}, "The key is 1.5"),
        ("1", {}, "The key is '1'"),
        (1, {"shape": (64, 63)}, r"The shape is \(64, 63\); .* at least 64 pixels"),
        (1, {"shape": (64, 64, 3)}, "a height and a width"),
        (1, {"shape": 64}, "a height and a width"),
        (1, {"shape": (64.5, 64)}, "a height and a width"),
        (1, {"classes": "CR,XX"}, "'XX' is not a contaminant class"),
        (1, {"classes": ""}, "'' is not a contaminant class"),
        (1, {"classes": "BG"}, "There is no contaminant 'BG' to simulate"),
        (1, {"classes": ["CR", "BBG"]}, "There is no contaminant 'BBG'"),
    ],
)
def test_bad_arguments(key, keywords, message):
    with pytest.raises(InputError, match=message):
        make(key, **keywords)


def test_several_keys_are_not_one():
    with pytest.raises(InputError, match=r"one key of jax\.random"):
        make(jax.random.split(jax.random.key(1), 2))


def test_what_cannot_be_had(monkeypatch):
    # Most of such small frames have no star that is bright enough.
    name = "maximask_astro.simulation.simulated_exposure._ATTEMPTS"
    monkeypatch.setattr(name, 1)
    succeeded, messages = 0, []
    for seed in range(40):
        try:
            make(seed, classes="SAT,SP")
            succeeded += 1
        except InputError as error:
            messages.append(str(error))
    assert succeeded
    assert messages
    for message in messages:
        assert "In 1 attempts no exposure of 64 by 96 pixels had all of" in message
