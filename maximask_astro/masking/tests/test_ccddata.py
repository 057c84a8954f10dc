import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData, NDData, StdDevUncertainty

from maximask_astro.flags import ContaminantFlags, select
from maximask_astro.masking.tests.maps import make_map

SHAPE = (12, 15)


def exposure(**others):
    data = np.random.RandomState(0).normal(size=SHAPE)
    return CCDData(data, unit="adu", meta={"OBJECT": "M31"}, **others)


def test_copy_has_flags_mask_and_header_and_the_exposure_has_not():
    ccd, cmap = exposure(uncertainty=StdDevUncertainty(np.ones(SHAPE))), make_map()
    flagged = cmap.to_ccddata(ccd)
    assert np.array_equal(flagged.flags, cmap.bitmask)
    assert np.array_equal(flagged.mask, cmap.mask)
    assert np.array_equal(flagged.data, ccd.data)
    assert flagged.unit == ccd.unit
    assert np.array_equal(flagged.uncertainty.array, ccd.uncertainty.array)
    assert flagged.meta["OBJECT"] == "M31"
    assert flagged.meta["MM_MODEL"] == cmap.provenance["model"]
    assert flagged.meta["MM_NODAT"] == cmap.invalid.sum()
    assert ccd.flags is None
    assert ccd.mask is None
    assert dict(ccd.meta) == {"OBJECT": "M31"}
    flagged.flags[0, 0] += 1
    assert flagged.flags[0, 0] == cmap.bitmask[0, 0] + 1


def test_masks_are_joined_unless_not_wanted():
    own = np.zeros(SHAPE, bool)
    own[3, 4] = own[5, 6] = True
    cmap = make_map()
    assert np.array_equal(cmap.to_ccddata(exposure(mask=own)).mask, cmap.mask | own)
    kept = cmap.to_ccddata(exposure(mask=own), update_mask=False)
    assert np.array_equal(kept.mask, own)
    bits = cmap.to_ccddata(exposure(mask=own * 4)).mask
    assert bits.dtype == bool
    assert np.array_equal(bits, cmap.mask | own)
    assert cmap.to_ccddata(exposure(), update_mask=False).mask is None


@pytest.mark.parametrize("dtype", ["uint8", "int16", ">u2", "int64", "uint64"])
def test_flags_on_other_bits_are_kept(dtype):
    ccd, cmap = exposure(), make_map(names=("TRL", "SAT", "BBG"))
    ccd.flags = np.zeros(SHAPE, dtype)
    ccd.flags[2] = 8 + 1
    flags = cmap.to_ccddata(ccd).flags
    assert flags.dtype.kind in "iu"
    assert np.array_equal(flags & ~np.array(9, flags.dtype), cmap.bitmask)
    assert np.array_equal((flags & 9) != 0, np.indices(SHAPE)[0] == 2)


def test_flags_on_the_same_bits_are_refused():
    ccd = exposure()
    ccd.flags = np.full(SHAPE, ContaminantFlags.TRL | ContaminantFlags.SAT)
    with pytest.raises(ValueError, match="already use the bits of TRL, SAT for some"):
        make_map().to_ccddata(ccd)
    ccd.flags = np.full(SHAPE, ContaminantFlags.NO_DATA)
    with pytest.raises(ValueError, match="already use the bits of NO_DATA"):
        make_map().to_ccddata(ccd)
    ccd.flags = np.zeros(SHAPE)
    with pytest.raises(TypeError, match="flags must be integers, not 'float64'"):
        make_map().to_ccddata(ccd)


def test_flags_of_this_library_are_added_to():
    first, second = make_map(seed=1), make_map(seed=2, names=("CR", "OV"))
    flagged = second.to_ccddata(first.to_ccddata(exposure()))
    assert np.array_equal(flagged.flags, first.bitmask | second.bitmask)
    again = first.to_ccddata(flagged)
    assert np.array_equal(again.flags, flagged.flags)
    assert select(again.flags, "OV").sum() == second.class_mask("OV").sum()


def test_header_cards_have_comments_and_can_be_written(tmp_path):
    ccd = exposure()
    ccd.meta = fits.Header({"OBJECT": "M31"})
    name = "a 'model' of Zürich " * 5
    cmap = make_map(provenance={"model": name, "weights_sha256": "0" * 64})
    flagged = cmap.to_ccddata(ccd)
    assert flagged.meta.comments["MM_MODEL"] == "model"
    assert flagged.meta["MM_MODEL"].startswith("a 'model' of Z?rich")
    flagged.write(tmp_path / "ccd.fits")
    assert len(fits.getheader(tmp_path / "ccd.fits")["MM_MODEL"]) > 40


def test_only_exposures_of_the_same_shape():
    with pytest.raises(
        ValueError, match=r"shape \(12, 15\), the contaminant map \(1, 1"
    ):
        make_map((1, 1)).to_ccddata(exposure())
    with pytest.raises(TypeError, match="must be a CCDData object, not NDData"):
        make_map().to_ccddata(NDData(np.zeros(SHAPE)))
