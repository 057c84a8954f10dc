import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from maximask_astro.flags import (
    BITMASK_DTYPE,
    CLASSES,
    NO_DATA,
    ContaminantFlags,
    decode,
    select,
)

NAMES = [flag.abbreviation for flag in (*CLASSES, NO_DATA) if flag.bit]
INTEGERS = ["uint8", "int8", ">i2", "uint16", "int32", ">u4", "int64", "uint64"]


@given(st.sets(st.sampled_from(NAMES)))
def test_decode_names_the_bits_that_were_set(names):
    value = sum(ContaminantFlags[name] for name in names)
    assert decode(value) == tuple(name for name in NAMES if name in names)


@given(hnp.arrays(BITMASK_DTYPE, hnp.array_shapes(max_dims=3, max_side=4)), st.data())
def test_select_agrees_with_decode(bitmask, data):
    bitmask &= sum(ContaminantFlags[name] for name in NAMES)
    names = data.draw(st.sets(st.sampled_from(NAMES)))
    selected = select(bitmask, names)
    assert selected.shape == bitmask.shape
    for value, chosen in zip(bitmask.ravel(), selected.ravel(), strict=True):
        assert chosen == (not names.isdisjoint(decode(value)))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_any_integer_dtype_will_do(dtype):
    bitmask = np.array([[0, 1], [64, 65]], dtype=dtype)
    assert decode(bitmask) == [[(), ("CR",)], [("TRL",), ("CR", "TRL")]]
    assert select(bitmask, "TRL, no_data").tolist() == [[False, False], [True, True]]


def test_select_takes_a_list_or_a_string():
    bitmask = [1, 64, 512, 0]
    assert select(bitmask, "cr, STL").tolist() == [True, True, False, False]
    assert select(bitmask, ["CR", "TRL"]).tolist() == [True, True, False, False]
    assert select(bitmask, []).tolist() == [False] * 4


@pytest.mark.parametrize("value", [8192, 32768, -1, [1, 2**20]])
def test_decode_refuses_bits_of_no_class(value):
    with pytest.raises(ValueError, match="bits that no class has"):
        decode(value)


@pytest.mark.parametrize("value", [1.0, [True], "CR", [1, None]])
def test_only_integers_are_bit_masks(value):
    with pytest.raises(TypeError, match="must have an integer dtype"):
        decode(value)
    with pytest.raises(TypeError, match="must have an integer dtype"):
        select(value, "CR")


def test_select_refuses_the_background_and_unknown_classes():
    with pytest.raises(ValueError, match="BG has no bit"):
        select([0], "CR,BG")
    with pytest.raises(ValueError, match="'nonsense' is not a contaminant class"):
        select([0], ["nonsense"])
