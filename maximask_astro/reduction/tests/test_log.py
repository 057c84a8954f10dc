import warnings

import ccdproc
import pytest
from astropy.io import fits
from astropy.nddata import CCDData

from maximask_astro import ContaminantMasker
from maximask_astro.reduction import flag_contaminants, mask_contaminants
from maximask_astro.tests.helpers import make_exposure

STEPS = {
    "flag_contaminants": (
        flag_contaminants,
        "flagcont",
        "masker=ContaminantMasker('tiny', tiling='original')",
    ),
    "mask_contaminants": (
        mask_contaminants,
        "maskcont",
        "masker=ContaminantMasker('tiny', tiling='original'), classes='{}'".format(
            "CR,HCL,DCL,HP,DP,P,TRL,SAT,SP,OV"
        ),
    ),
}


@pytest.fixture(params=[fits.Header, dict])
def ccd(request):
    """An exposure with a FITS header, or with a dictionary."""
    return CCDData(make_exposure((40, 50)), unit="adu", meta=request.param())


@pytest.fixture(params=STEPS)
def name(request):
    """Name of a step."""
    return request.param


def logged(result):
    """What is in the header but the provenance of the map, keywords in capitals."""
    return {
        key.upper(): value
        for key, value in result.meta.items()
        if not key.startswith("MM_")
    }


def trimmed(ccd, **kwargs):
    """What ccdproc logs for a step of its own."""
    return logged(ccdproc.trim_image(ccd, **kwargs))


def test_arguments_are_logged_by_default(ccd, masker, name):
    step, short, text = STEPS[name]
    expected = {name.upper(): short, short.upper(): text}
    assert logged(step(ccd, masker)) == expected
    assert logged(step(ccd, masker, add_keyword=True)) == expected


def test_the_cards_are_like_those_of_ccdproc(masker, name):
    step, short, _ = STEPS[name]
    ccd = CCDData(make_exposure((40, 50)), unit="adu", meta=fits.Header())
    result = step(ccdproc.trim_image(ccd), masker)
    theirs, ours = (result.meta.cards[key] for key in ("TRIM_IMAGE", name))
    assert str(theirs).startswith("HIERARCH TRIM_IMAGE = 'trimim  ' / Shortened name")
    assert str(ours).startswith(f"HIERARCH {name.upper()} = '{short}' / Shortened name")
    assert list(result.meta).index("TRIM_IMAGE") < list(result.meta).index(name.upper())


@pytest.mark.parametrize("nothing", [False, None, "", {}])
def test_nothing_is_logged_if_so_wished(ccd, masker, name, nothing):
    result = STEPS[name][0](ccd, masker, add_keyword=nothing)
    assert logged(result) == trimmed(ccd, add_keyword=nothing) == {}
    # The provenance is no log: without it nobody knows what the flags mean.
    assert result.meta["MM_MODEL"] == "tiny"


@pytest.mark.parametrize(
    "keywords",
    [
        "cleaned",
        ccdproc.Keyword("cleaned", value="yes"),
        {"cleaned": True, "by": "me"},
        fits.Header({"CLEANED": 1.5}),
    ],
)
def test_keywords_of_ones_own(ccd, masker, name, keywords):
    result = STEPS[name][0](ccd, masker, add_keyword=keywords)
    assert "CLEANED" in logged(result)
    assert logged(result) == trimmed(ccd, add_keyword=keywords)


def test_automatic_logging_can_be_switched_off(ccd, masker, name):
    step = STEPS[name][0]
    with ccdproc.conf.set_temp("auto_logging", False):
        assert logged(step(ccd, masker)) == trimmed(ccd) == {}
        own = step(ccd, masker, add_keyword="cleaned")
        assert logged(own) == trimmed(ccd, add_keyword="cleaned")


def test_repeated_steps_keep_the_last_log(ccd, masker, tiny_model, name):
    step, short, _ = STEPS[name]
    other = ContaminantMasker(tiny_model, tiling="original", thresholds=0.9)
    result = step(step(ccd, masker), other)
    log = logged(result)
    assert set(log) == {name.upper(), short.upper()}
    assert "thresholds=0.9" in log[short.upper()]


def test_long_arguments_fit_into_a_fits_header(tmp_path, tiny_model, name):
    step, short, _ = STEPS[name]
    thresholds = {"CR": 0.1, "HP": 0.2, "DP": 0.3, "TRL": 0.4, "SAT": 0.5, "OV": 0.6}
    masker = ContaminantMasker(tiny_model, tiling="original", thresholds=thresholds)
    ccd = CCDData(make_exposure((40, 50)), unit="adu", meta=fits.Header())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step(ccd, masker).write(tmp_path / "a.fits")
    header = fits.getheader(tmp_path / "a.fits")
    assert len(repr(masker)) > 80
    assert header[name] == short
    assert header[short].startswith(f"masker={masker!r}")


def test_the_log_says_how_to_make_the_masker_again(ccd, masker, tiny_model, name):
    step, short, _ = STEPS[name]
    text = logged(step(ccd, masker))[short.upper()]
    names = {"ContaminantMasker": lambda model, **kwargs: (model, kwargs)}
    arguments = eval(f"dict({text})", names)
    assert arguments["masker"] == ("tiny", {"tiling": "original"})
