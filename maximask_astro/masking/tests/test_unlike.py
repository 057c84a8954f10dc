"""Exposures that are unlike those that a model was trained on."""

import json
import warnings

import numpy as np
import pytest
from astropy.io import fits

from maximask_astro.batch import process
from maximask_astro.masking import ContaminantMap, ContaminantMasker
from maximask_astro.scripts.main import main
from maximask_astro.tests.helpers import knows_noise, with_bright_pixels
from maximask_astro.utils import MaximaskWarning
from maximask_astro.weights import load_model

SHAPE = (260, 256)


@pytest.fixture(scope="module")
def model(tiny_model, tmp_path_factory):
    directory = tmp_path_factory.mktemp("knows") / "noise"
    return knows_noise(load_model(tiny_model), directory)


@pytest.fixture(scope="module")
def ordinary():
    return np.random.RandomState(50).normal(500, 20, SHAPE).astype(np.float32)


@pytest.fixture(scope="module")
def unlike(ordinary):
    return with_bright_pixels(ordinary)


def test_a_map_says_how_unlike_the_exposure_is(model, ordinary, unlike, tmp_path):
    masker = ContaminantMasker(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cmap = masker(ordinary)
    assert 0 <= cmap.provenance["unlike"] <= 0.999
    with pytest.warns(MaximaskWarning, match="unlike the exposures that the model 't"):
        other = masker(unlike)
    assert other.provenance["unlike"] == 1.0
    other.write(tmp_path / "mask.fits")
    assert fits.getheader(tmp_path / "mask.fits")["MM_UNLIK"] == 1.0
    again = ContaminantMap.read(tmp_path / "mask.fits")
    assert again.provenance["unlike"] == 1.0


def test_verdicts_are_what_they_are_without(model, tiny_model, unlike):
    with pytest.warns(MaximaskWarning, match="unlike"):
        found = ContaminantMasker(model)(unlike)
    assert np.array_equal(found.bitmask, ContaminantMasker(tiny_model)(unlike).bitmask)


def test_of_a_cube_the_worst_plane_counts(model, ordinary, unlike):
    masker = ContaminantMasker(model)
    with pytest.warns(MaximaskWarning, match="unlike"):
        cmap = masker(np.stack([ordinary, unlike]))
    assert cmap.provenance["unlike"] == 1.0


def test_models_that_do_not_know_say_so(tiny_model, unlike):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cmap = ContaminantMasker(tiny_model)(unlike)
    assert cmap.provenance["unlike"] is None


def test_files_that_are_unlike_are_named(model, ordinary, unlike, tmp_path, capsys):
    for name, image in (("good", ordinary), ("odd", unlike)):
        fits.writeto(tmp_path / f"{name}.fits", image)
    report = tmp_path / "report.json"
    paths = [str(tmp_path / f"{name}.fits") for name in ("good", "odd")]
    arguments = ["mask", *paths, "--model", str(model), "--json", str(report)]
    assert main(arguments) == 0
    shown = capsys.readouterr().err
    assert f"warning: {paths[1]} is unlike the exposures that the model" in shown
    assert "good.fits is unlike" not in shown
    content = json.loads(report.read_text())
    text = json.dumps(content)
    assert '"unlike": 1.0' in text
    headers = [fits.getheader(p.replace(".fits", ".masks.fits")) for p in paths]
    assert headers[0]["MM_UNLIK"] <= 0.999
    assert headers[1]["MM_UNLIK"] == 1.0


def test_results_of_a_batch_tell(model, unlike, tmp_path):
    fits.writeto(tmp_path / "odd.fits", unlike)
    (result,) = process(tmp_path / "odd.fits", ContaminantMasker(model))
    assert result.ok
    assert result.hdus[0].unlike == 1.0
    assert "HDU 0" in result.warning
