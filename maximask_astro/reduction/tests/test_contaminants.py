import warnings

import ccdproc
import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData, NDData, StdDevUncertainty
from astropy.wcs import WCS

from maximask_astro import ContaminantMasker
from maximask_astro.flags import ABBREVIATIONS, CLASSES, NO_DATA, get_class, select
from maximask_astro.reduction import contaminants, flag_contaminants, mask_contaminants
from maximask_astro.tests.helpers import make_exposure

SHAPE = (60, 64)
UNUSABLE = [flag.abbreviation for flag in CLASSES if flag.unusable]

both_steps = pytest.mark.parametrize("step", [flag_contaminants, mask_contaminants])


@pytest.fixture
def ccd():
    """An exposure with everything that CCDData can have, but flags."""
    data = make_exposure(SHAPE)
    data[10:12, 20:30] = np.nan
    mask = np.zeros(SHAPE, bool)
    mask[5] = True
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [100.0, 10.0]
    return CCDData(
        data,
        unit="adu",
        mask=mask,
        uncertainty=StdDevUncertainty(np.sqrt(make_exposure(SHAPE))),
        wcs=wcs,
        meta=fits.Header({"OBJECT": "M 1", "EXPTIME": 30.0}),
    )


def parts(ccd):
    """All that an exposure holds, copied."""
    return {
        "data": ccd.data.copy(),
        "mask": None if ccd.mask is None else ccd.mask.copy(),
        "flags": None if ccd.flags is None else ccd.flags.copy(),
        "uncertainty": ccd.uncertainty.array.copy(),
        "unit": ccd.unit,
        "meta": dict(ccd.meta),
        "wcs": ccd.wcs.to_header(),
    }


def assert_same(new, old, keys):
    for key in keys:
        np.testing.assert_equal(new[key], old[key])


@both_steps
@pytest.mark.parametrize("flags", [None, 0, 2**15])
def test_the_exposure_is_copied_and_left_alone(ccd, masker, step, flags):
    if flags is not None:
        ccd.flags = np.full(SHAPE, flags, "u2")
    before = parts(ccd)
    result = step(ccd, masker)
    result.data += 1
    result.uncertainty.array += 1
    result.flags |= 1
    result.mask |= True
    result.meta["OBJECT"] = "another"
    assert_same(parts(ccd), before, before)


@both_steps
def test_data_unit_uncertainty_and_coordinates_are_kept(ccd, masker, step):
    result = step(ccd, masker)
    assert type(result) is CCDData
    keys = ("data", "unit", "uncertainty", "wcs")
    assert_same(parts(result), parts(ccd), keys)
    assert isinstance(result.uncertainty, StdDevUncertainty)
    assert result.meta["OBJECT"] == "M 1"
    assert result.meta["EXPTIME"] == 30.0


@both_steps
@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (np.zeros(SHAPE), "ndarray"),
        (NDData(np.zeros(SHAPE)), "NDData"),
        (np.zeros(SHAPE) * u.adu, "Quantity"),
        (fits.ImageHDU(np.zeros(SHAPE)), "ImageHDU"),
        ("exposure.fits", "str"),
        ([[1, 2], [3, 4]], "list"),
        (None, "NoneType"),
    ],
)
def test_anything_else_is_a_type_error(masker, step, wrong, name):
    with pytest.raises(TypeError, match=f"ccd must be a CCDData object, not {name}"):
        step(wrong, masker)


@both_steps
def test_flags_are_those_of_the_masker(ccd, masker, step):
    flags = step(ccd, masker).flags
    np.testing.assert_array_equal(flags, masker(ccd).bitmask)
    assert (flags[5] == NO_DATA.bit).all()
    assert (flags[10:12, 20:30] == NO_DATA.bit).all()
    assert len(np.unique(flags)) > 2


def test_flagging_leaves_the_mask(ccd, masker):
    result = flag_contaminants(ccd, masker)
    np.testing.assert_array_equal(result.mask, ccd.mask)
    ccd.mask = None
    assert flag_contaminants(ccd, masker).mask is None


@pytest.mark.parametrize("mask", ["as it is", None, "bits"])
def test_masking_adds_to_the_mask(ccd, masker, mask):
    own = ccd.mask
    if mask is None:
        ccd.mask, own = None, np.zeros(SHAPE, bool)
    elif mask == "bits":
        ccd.mask = own * np.array(64, "i4")
    result = mask_contaminants(ccd, masker)
    assert result.mask.dtype == bool
    added = select(result.flags, [*UNUSABLE, "NO_DATA"])
    np.testing.assert_array_equal(result.mask, own | added)
    assert own.sum() + 20 < result.mask.sum() < result.mask.size


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        ("unusable", UNUSABLE),
        (ABBREVIATIONS[:-1], list(ABBREVIATIONS[:-1])),
        ("CR", ["CR"]),
        ("CR,STL", ["CR", "TRL"]),
        (["BBG", "CR"], ["CR", "BBG"]),
    ],
)
def test_only_chosen_classes_are_masked(ccd, masker, classes, names):
    result = mask_contaminants(ccd, masker, classes=classes)
    np.testing.assert_array_equal(result.flags, masker(ccd).bitmask)
    bits = NO_DATA.bit + sum(get_class(name).bit for name in names)
    np.testing.assert_array_equal(result.mask, (result.flags & bits) != 0)
    assert result.meta["maskcont"].endswith(f", classes='{','.join(names)}'")


@pytest.mark.parametrize("classes", ["XYZ", "CR,XYZ", "", [], "CR,BG", "all"])
def test_a_wrong_choice_fails_before_the_work(ccd, tiny_model, classes):
    class Idle(ContaminantMasker):
        def __call__(self, data, *, mask=None):
            raise AssertionError("this takes time")

    with pytest.raises(ValueError, match=r"class|BG has no bit"):
        mask_contaminants(ccd, Idle(tiny_model), classes=classes)
    idle = Idle(tiny_model, classes="SAT")
    with pytest.raises(ValueError, match="The model has no class CR"):
        mask_contaminants(ccd, idle, classes="CR")


@both_steps
def test_flags_of_others_are_kept(ccd, masker, step):
    ccd.flags = np.zeros(SHAPE, "u1").astype("i4")
    ccd.flags[:, ::2] = 1 << 20
    flags = step(ccd, masker).flags
    assert ((flags >> 20 & 1) == [[1, 0] * 32]).all()
    np.testing.assert_array_equal(flags & 0xFFFFF, masker(ccd).bitmask)


@both_steps
def test_flags_of_others_on_the_same_bits_are_refused(ccd, masker, step):
    ccd.flags = np.zeros(SHAPE, "u1")
    ccd.flags[3, 4] = 1 | 4
    with pytest.raises(ValueError, match="already use the bits of CR, DCL for some"):
        step(ccd, masker)
    ccd.flags = np.zeros(SHAPE)
    with pytest.raises(TypeError, match="flags must be integers, not 'float64'"):
        step(ccd, masker)


@both_steps
def test_a_second_step_adds_flags(ccd, masker, tiny_model, step):
    strict = ContaminantMasker(tiny_model, tiling="original", thresholds=0.999)
    once = step(ccd, strict)
    twice = step(once, masker)
    np.testing.assert_array_equal(
        twice.flags, strict(ccd).bitmask | masker(once).bitmask
    )


@both_steps
def test_the_default_masker_is_made_once(ccd, masker, monkeypatch, step):
    made = []

    def make(**kwargs):
        made.append(kwargs)
        return masker

    contaminants._default_masker.cache_clear()
    monkeypatch.setattr(contaminants, "ContaminantMasker", make)
    try:
        first, second = step(ccd), step(ccd)
    finally:
        contaminants._default_masker.cache_clear()
    assert made == [{"keep_probabilities": False}]
    np.testing.assert_array_equal(first.flags, second.flags)
    np.testing.assert_array_equal(first.flags, masker(ccd).bitmask)


@both_steps
@pytest.mark.parametrize(
    ("dtype", "unit"), [(">i2", "adu"), ("u2", "electron"), (">f8", "")]
)
def test_data_of_any_type(masker, step, dtype, unit):
    ccd = CCDData(make_exposure(SHAPE).astype(dtype), unit=unit)
    result = step(ccd, masker)
    assert result.data.dtype == ccd.data.dtype
    np.testing.assert_array_equal(result.data, ccd.data)
    np.testing.assert_array_equal(result.flags, masker(ccd.data).bitmask)


@both_steps
def test_the_result_goes_on_through_ccdproc(ccd, masker, step, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = step(ccdproc.trim_image(ccd[:, :50]), masker)
        result.write(tmp_path / "a.fits")
        again = CCDData.read(tmp_path / "a.fits")
    np.testing.assert_array_equal(again.mask, result.mask)
    np.testing.assert_array_equal(again.data, result.data)
    assert again.meta["trimim"] == "ccd=<CCDData>"
    name = step.__name__.upper()
    assert again.meta[again.meta[name]].startswith("masker=ContaminantMasker('tiny', ")
    trimmed = ccdproc.gain_correct(result, 2 * u.electron / u.adu)
    np.testing.assert_array_equal(trimmed.mask, result.mask)
