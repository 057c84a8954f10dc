import warnings
from dataclasses import replace

import ccdproc
import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData, NDData, StdDevUncertainty
from astropy.wcs import WCS

from maximask_astro import TrackingClassifier
from maximask_astro.reduction import tracking, tracking_quality
from maximask_astro.tests.helpers import make_exposure
from maximask_astro.tests.tracking_models import tiny_tracking_model
from maximask_astro.utils import MaximaskWarning

SHAPE = (130, 200)


@pytest.fixture(scope="module")
def classifier():
    """The stand-in network with everything else by default."""
    return TrackingClassifier(tiny_tracking_model())


@pytest.fixture(params=[fits.Header, dict])
def ccd(request):
    """An exposure with everything that CCDData can have."""
    mask = np.zeros(SHAPE, bool)
    mask[5] = True
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    return CCDData(
        make_exposure(SHAPE),
        unit="adu",
        mask=mask,
        flags=np.full(SHAPE, 4, "u1"),
        uncertainty=StdDevUncertainty(np.sqrt(make_exposure(SHAPE))),
        wcs=wcs,
        meta=request.param({"OBJECT": "M 1", "EXPTIME": 30.0}),
    )


def test_the_verdict_is_in_the_header(ccd, classifier):
    judged = tracking_quality(ccd, classifier)
    found = classifier(ccd).summary()
    assert {key: judged.meta[key] for key in judged.meta if key.startswith("TRK")} == {
        "TRKVERD": found["verdict"],
        "TRKPROB": found["probability"],
        "TRKSIG": found["uncertainty"],
        "TRKPRIOR": 0.05,
        "TRKTHRSH": 0.5,
        "TRKDEFOC": found["defocus_probability"],
        "TRKLEN": found["blur_length_pix"],
        "TRKANG": found["blur_angle_deg"],
        "TRKTILES": 6,
        "TRKMODEL": "tiny",
        "TRKSHA": found["weights_sha256"][:32],
        "TRKVERS": found["version"],
    }
    if isinstance(judged.meta, fits.Header):
        assert judged.meta.comments["TRKLEN"] == "[pix] length of the blur"


def test_all_else_is_copied(ccd, classifier):
    judged = tracking_quality(ccd, classifier)
    assert type(judged) is CCDData
    assert judged.unit == u.adu
    assert judged.meta["OBJECT"] == "M 1"
    assert judged.wcs.to_header() == ccd.wcs.to_header()
    assert isinstance(judged.uncertainty, StdDevUncertainty)
    for name in ("data", "mask", "flags"):
        ours, theirs = getattr(judged, name), getattr(ccd, name)
        np.testing.assert_array_equal(ours, theirs)
        assert not np.shares_memory(ours, theirs)
    np.testing.assert_array_equal(judged.uncertainty.array, ccd.uncertainty.array)
    assert list(ccd.meta) == ["OBJECT", "EXPTIME"]


def test_what_is_not_known_is_left_out(ccd):
    """Without stars, also where an earlier verdict had said more."""
    for keyword in ("TRKLEN", "TRKSIG"):
        ccd.meta[keyword] = 12.5
    blind = TrackingClassifier(tiny_tracking_model(usable=-6.0))
    meta = tracking_quality(ccd, blind).meta
    assert (meta["TRKVERD"], meta["TRKTILES"]) == ("undecided", 0)
    assert not {"TRKSIG", "TRKDEFOC", "TRKLEN", "TRKANG"} & set(meta)
    assert ccd.meta["TRKLEN"] == 12.5


def test_an_exposure_that_cannot_be_judged(ccd, classifier):
    ccd.data[:] = 7
    with pytest.warns(MaximaskWarning, match="every pixel with a value is 7"):
        meta = tracking_quality(ccd, classifier).meta
    assert (meta["TRKVERD"], meta["TRKPROB"]) == ("undecided", 0.05)


def test_a_long_name_of_a_model_fits(ccd, tmp_path):
    model = tiny_tracking_model()
    card = replace(model.card, name="a very long and strange näme " * 4)
    classifier = TrackingClassifier(replace(model, card=card))
    meta = tracking_quality(ccd, classifier, add_keyword=False).meta
    if isinstance(meta, fits.Header):
        assert len(meta.tostring(padding=False)) == 80 * (len(meta) + 1)
    assert meta["TRKMODEL"].startswith("a very long and strange n?me a")


def test_the_step_is_logged(ccd, classifier):
    log = "classifier=TrackingClassifier('tiny', prior=0.05, fraction=1, threshold=0.5)"
    for meta in (
        tracking_quality(ccd, classifier).meta,
        tracking_quality(tracking_quality(ccd, classifier), classifier).meta,
    ):
        name = next(key for key in meta if key.lower() == "tracking_quality")
        assert meta[meta[name]] == log
    meta = tracking_quality(ccd, classifier, add_keyword=False).meta
    assert set(meta) - {"OBJECT", "EXPTIME"} == {k for k in meta if k[:3] == "TRK"}
    assert (
        tracking_quality(ccd, classifier, add_keyword={"BY": "me"}).meta["BY"] == "me"
    )


@pytest.mark.parametrize("ccd", [fits.Header], indirect=True)
def test_the_result_goes_on_through_ccdproc(ccd, classifier, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        judged = tracking_quality(ccdproc.trim_image(ccd[:, :150]), classifier)
        judged.write(tmp_path / "a.fits")
        again = CCDData.read(tmp_path / "a.fits")
    verdict = {key: value for key, value in judged.meta.items() if key[:3] == "TRK"}
    assert len(verdict) == 12
    assert {key: again.meta[key] for key in verdict} == verdict


@pytest.mark.parametrize(
    ("wrong", "name"),
    [(np.zeros(SHAPE), "ndarray"), (NDData(np.zeros(SHAPE)), "NDData"), (None, "None")],
)
def test_anything_else_is_a_type_error(classifier, wrong, name):
    with pytest.raises(TypeError, match=f"ccd must be a CCDData object, not {name}"):
        tracking_quality(wrong, classifier)


def test_the_default_classifier_is_made_once(ccd, classifier, monkeypatch):
    made = []

    def make():
        made.append(classifier)
        return classifier

    tracking._default_classifier.cache_clear()
    monkeypatch.setattr(tracking, "TrackingClassifier", make)
    try:
        first, second = tracking_quality(ccd), tracking_quality(ccd)
    finally:
        tracking._default_classifier.cache_clear()
    assert made == [classifier]
    assert first.meta["TRKPROB"] == second.meta["TRKPROB"]
