import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.utils import ModelIntegrityError
from maximask_astro.weights import read_checkpoint
from maximask_astro.weights.checkpoint import crc32c
from maximask_astro.weights.tests.bundle import slow_crc32c, write_bundle

INDEX, DATA = "variables.index", "variables.data-00000-of-00001"

RANDOM = np.random.RandomState(0)
ARRAYS = {
    "conv1/kernel": RANDOM.standard_normal((3, 3, 1, 4)).astype("<f4"),
    "conv1/bias": np.zeros(4, "<f4"),
    "conv10/kernel": RANDOM.standard_normal((1, 300)).astype("<f4"),
    "scalar": np.float32(7),
    "variables/2": np.float32([np.nan, np.inf, -0.0]),
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_bundle(tmp_path_factory.mktemp("checkpoint") / "variables", ARRAYS)


def same_arrays(found, expected):
    return found.keys() == expected.keys() and all(
        found[name].shape == expected[name].shape
        and found[name].tobytes() == expected[name].tobytes()
        for name in expected
    )


def copy_with(bundle, directory, **changed):
    """The bundle in another directory, one of its files with other bytes."""
    directory.mkdir(exist_ok=True)
    for label, name in (("index", INDEX), ("data", DATA)):
        content = changed.get(label, (bundle / name).read_bytes())
        (directory / name).write_bytes(content)
    return directory


def test_crc_of_the_published_vectors():
    """RFC 3720, appendix B.4, and the usual check value."""
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"") == 0


@given(st.integers(0, 2**32 - 1), st.integers(0, 3000))
def test_crc_is_that_of_the_slow_definition(seed, size):
    data = np.random.RandomState(seed).bytes(size)
    assert crc32c(data) == slow_crc32c(data)


def test_crc_of_more_bytes_than_rows():
    data = np.random.RandomState(1).bytes(300_001)
    assert crc32c(data) == slow_crc32c(data)


def test_arrays_are_read_byte_by_byte(bundle):
    found = read_checkpoint(bundle)
    assert same_arrays(found, ARRAYS)
    assert {array.dtype for array in found.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", [INDEX, DATA])
def test_missing_files(bundle, tmp_path, name):
    copy = copy_with(bundle, tmp_path / "copy")
    (copy / name).unlink()
    with pytest.raises(ModelIntegrityError, match=f"cannot read '{name}'"):
        read_checkpoint(copy)


@given(st.data())
def test_cut_files_are_refused(bundle, tmp_path_factory, data):
    label, name = data.draw(st.sampled_from([("index", INDEX), ("data", DATA)]))
    content = (bundle / name).read_bytes()
    cut = content[: data.draw(st.integers(0, len(content) - 9))]
    copy = copy_with(bundle, tmp_path_factory.mktemp("copy"), **{label: cut})
    with pytest.raises(ModelIntegrityError, match="is damaged"):
        read_checkpoint(copy)


@given(st.data())
def test_a_flipped_bit_is_noticed_or_harmless(bundle, tmp_path_factory, data):
    label, name = data.draw(st.sampled_from([("index", INDEX), ("data", DATA)]))
    content = bytearray((bundle / name).read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    copy = copy_with(bundle, tmp_path_factory.mktemp("copy"), **{label: content})
    try:
        found = read_checkpoint(copy)
    except ModelIntegrityError:
        return
    assert same_arrays(found, ARRAYS)


@given(st.data())
def test_a_flipped_bit_in_a_tensor_is_noticed(bundle, tmp_path_factory, data):
    content = bytearray((bundle / DATA).read_bytes())
    bit = data.draw(st.integers(0, 8 * sum(a.nbytes for a in ARRAYS.values()) - 1))
    counter = 8  # the save counter, which is not read, comes after conv10
    position = bit // 8 if bit // 8 < 16 + 144 + 1200 else bit // 8 + counter
    content[position] ^= 1 << bit % 8
    copy = copy_with(bundle, tmp_path_factory.mktemp("copy"), data=content)
    with pytest.raises(ModelIntegrityError, match=r"checksum of '.*' differs"):
        read_checkpoint(copy)


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused(bundle, tmp_path_factory, content):
    copy = copy_with(bundle, tmp_path_factory.mktemp("copy"), index=content)
    with pytest.raises(ModelIntegrityError, match="not a string table"):
        read_checkpoint(copy)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"kind": 1}, "compressed block"), ({"shard": 1}, "more than one shard")],
)
def test_unsupported_parts_of_the_format_are_refused(tmp_path, options, message):
    directory = write_bundle(tmp_path / "variables", ARRAYS, **options)
    with pytest.raises(ModelIntegrityError, match=message):
        read_checkpoint(directory)
