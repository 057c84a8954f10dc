import pytest
from astropy.nddata.bitmask import bitfield_to_boolean_mask

from maximask_astro.flags import (
    ABBREVIATIONS,
    BITMASK_DTYPE,
    CLASSES,
    NO_DATA,
    ContaminantFlags,
    class_table,
    get_class,
)

WITH_BIT = [flag for flag in (*CLASSES, NO_DATA) if flag.bit]


def test_bits_are_distinct_powers_of_two():
    bits = [flag.bit for flag in WITH_BIT]
    assert all(bit.bit_count() == 1 for bit in bits)
    assert len(set(bits)) == len(bits)


def test_only_the_background_has_no_bit():
    assert [flag.abbreviation for flag in CLASSES if not flag.bit] == ["BG"]


def test_bits_are_those_of_maximask():
    """The numbers of its README, which archives of masks rely on."""
    bits = dict(zip(ABBREVIATIONS, [2**n for n in range(13)] + [0], strict=True))
    assert {flag.abbreviation: flag.bit for flag in CLASSES} == bits
    names = "CR HCL DCL HP DP P TRL FR NEB SAT SP OV BBG BG"
    assert " ".join(ABBREVIATIONS) == names


def test_bitmask_dtype_is_the_smallest_that_holds_all_bits():
    assert BITMASK_DTYPE.kind == "u"
    assert 2 ** (8 * BITMASK_DTYPE.itemsize // 2) <= sum(f.bit for f in WITH_BIT)
    assert sum(f.bit for f in WITH_BIT) < 2 ** (8 * BITMASK_DTYPE.itemsize)


@pytest.mark.parametrize("flag", WITH_BIT, ids=lambda flag: flag.abbreviation)
def test_astropy_knows_the_bits_by_name(flag):
    assert ContaminantFlags[flag.abbreviation] == flag.bit
    mask = bitfield_to_boolean_mask(
        [flag.bit, 0],
        ignore_flags=f"~{flag.abbreviation}",
        flag_name_map=ContaminantFlags,
    )
    assert mask.tolist() == [True, False]


@pytest.mark.parametrize("flag", CLASSES, ids=lambda flag: flag.abbreviation)
def test_defaults_make_sense(flag):
    assert 0 < flag.prior < 1
    assert 0 < flag.threshold < 1
    assert flag.meaning.endswith(".")
    assert flag.color.startswith("#")


def test_colors_tell_classes_apart():
    assert len({flag.color for flag in (*CLASSES, NO_DATA)}) == len(CLASSES) + 1


@pytest.mark.parametrize("name", ["TRL", "trl", " Trl ", "STL", "stl"])
def test_get_class_takes_any_case_and_the_other_spelling(name):
    assert get_class(name).abbreviation == "TRL"


@pytest.mark.parametrize("name", ["", "XX", "NO_DATA", None, 1])
def test_get_class_names_what_there_is(name):
    with pytest.raises(ValueError, match="the classes are CR, HCL, DCL"):
        get_class(name)


def test_class_table_has_one_row_a_class():
    table = class_table()
    assert tuple(table["abbreviation"]) == ABBREVIATIONS
    assert {"name", "bit", "prior", "threshold", "unusable"} <= set(table.colnames)
