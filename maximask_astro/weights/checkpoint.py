"""
Read TensorFlow checkpoints ("tensor bundles") with NumPy alone.

A bundle is two files: ``variables.index``, a sorted string table in the
LevelDB format whose values are ``BundleEntryProto`` messages, and
``variables.data-00000-of-00001``, the tensors' raw little-endian bytes. Only
what the published networks need is read: one shard, uncompressed table
blocks, float32 tensors. Everything else is refused with a clear error.
"""

from pathlib import Path

import numpy as np

from maximask_astro.utils.errors import ModelIntegrityError

__all__ = ["crc32c", "read_checkpoint"]

_MAGIC = 0xDB4775248B80FB57
_FOOTER_SIZE = 48
_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
_DT_FLOAT = 1


def _crc_table():
    """Remainders of all bytes for the Castagnoli polynomial (reflected)."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(0x82F63B78), table >> 1)
    return table


_TABLE = _crc_table()


def _shift_operator(n_zeros):
    """
    The 32 by 32 bit matrix that appends ``n_zeros`` zero bytes to a CRC.

    Parameters
    ----------
    n_zeros : int
        Number of zero bytes, at least 1.

    Returns
    -------
    columns : `~numpy.ndarray`
        32 unsigned integers, the images of the 32 unit vectors.
    """

    def apply(matrix, vectors):
        bits = (vectors[:, None] >> np.arange(32, dtype=np.uint32)) & 1
        return np.bitwise_xor.reduce(np.where(bits, matrix, 0), axis=1)

    unit = np.uint32(1) << np.arange(32, dtype=np.uint32)
    power = (unit >> 8) ^ _TABLE[unit & 0xFF]  # one zero byte
    result = unit
    while n_zeros:
        if n_zeros & 1:
            result = apply(power, result)
        power = apply(power, power)
        n_zeros >>= 1
    return result.astype(np.uint32)


def crc32c(data):
    """
    CRC-32C (Castagnoli) checksum, as TensorFlow stores it unmasked.

    The bytes are cut into equal rows that are advanced together, one column
    at a time, and the rows' checksums are then joined.

    Parameters
    ----------
    data : bytes-like
        Any number of bytes.

    Returns
    -------
    crc : int
        The checksum, in [0, 2**32).
    """
    data = np.frombuffer(data, dtype=np.uint8)
    n_rows = max(1, min(4096, data.size // 64))
    length = data.size // n_rows
    rows = data[: n_rows * length].reshape(n_rows, length)
    state = np.zeros(n_rows, dtype=np.uint32)
    state[0] = 0xFFFFFFFF
    for column in np.ascontiguousarray(rows.T):
        state = (state >> 8) ^ _TABLE[(state ^ column) & 0xFF]
    crc = state[0]
    if n_rows > 1:
        operator = _shift_operator(length)
        shifts = np.arange(32, dtype=np.uint32)
        for row_state in state[1:]:
            moved = np.where((crc >> shifts) & 1, operator, 0)
            crc = np.bitwise_xor.reduce(moved) ^ row_state
    for byte in data[n_rows * length :]:
        crc = (crc >> np.uint32(8)) ^ _TABLE[(crc ^ byte) & 0xFF]
    return int(crc) ^ 0xFFFFFFFF


def _unmask(crc):
    """Undo the rotation and offset that TensorFlow applies to stored CRCs."""
    rotated = (crc - 0xA282EAD8) & 0xFFFFFFFF
    return ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF


def _varint(buffer, position):
    value = shift = 0
    while True:
        byte = buffer[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


def _fields(message):
    """Yield (field number, value) of a protocol-buffer message."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        number, wire_type = key >> 3, key & 7
        if wire_type == 0:
            value, position = _varint(message, position)
        elif wire_type == 5:
            value = int.from_bytes(message[position : position + 4], "little")
            position += 4
        elif wire_type == 2:
            size, position = _varint(message, position)
            value = message[position : position + size]
            position += size
        else:
            raise ValueError(f"wire type {wire_type}")
        yield number, value


def _block(table, offset, size):
    """Yield (key, value) of one block of the string table."""
    if table[offset + size] != 0:
        raise ValueError("compressed block")
    stored = int.from_bytes(table[offset + size + 1 : offset + size + 5], "little")
    if crc32c(table[offset : offset + size + 1]) != _unmask(stored):
        raise ValueError("block checksum differs")
    block = table[offset : offset + size]
    n_restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (n_restarts + 1)
    position, key = 0, b""
    while position < end:
        shared, position = _varint(block, position)
        unshared, position = _varint(block, position)
        length, position = _varint(block, position)
        key = key[:shared] + block[position : position + unshared]
        position += unshared
        yield key, block[position : position + length]
        position += length


def _entries(table):
    """Yield (name, dtype, shape, offset, size, crc) of every tensor."""
    if int.from_bytes(table[-8:], "little") != _MAGIC:
        raise ValueError("not a string table")
    footer = table[-_FOOTER_SIZE:]
    _, position = _varint(footer, 0)  # the meta-index block is not needed
    _, position = _varint(footer, position)
    offset, position = _varint(footer, position)
    size, position = _varint(footer, position)
    for _, handle in _block(table, offset, size):
        block_offset, position = _varint(handle, 0)
        block_size, _ = _varint(handle, position)
        for key, value in _block(table, block_offset, block_size):
            if not key:  # the header of the bundle
                continue
            entry = {1: 0, 3: 0, 4: 0, 5: 0, 6: 0}
            shape = []
            for number, field in _fields(value):
                if number == 2:
                    shape = [
                        dict(_fields(dim)).get(1, 0)
                        for tag, dim in _fields(field)
                        if tag == 2
                    ]
                else:
                    entry[number] = field
            if entry[3]:
                raise ValueError("more than one shard")
            yield key.decode(), entry[1], tuple(shape), entry[4], entry[5], entry[6]


def read_checkpoint(directory):
    """
    Read the variables of a TensorFlow checkpoint.

    Parameters
    ----------
    directory : path-like
        Directory with ``variables.index`` and
        ``variables.data-00000-of-00001``.

    Returns
    -------
    variables : dict of str to `~numpy.ndarray`
        float32 arrays by the variable's name within the checkpoint, without
        TensorFlow's ``/.ATTRIBUTES/VARIABLE_VALUE``.

    Raises
    ------
    ModelIntegrityError
        A file is missing, damaged (each tensor's CRC-32C is checked), or uses
        a part of the format that is not supported.
    """
    directory = Path(directory)
    try:
        table = (directory / "variables.index").read_bytes()
        data = (directory / "variables.data-00000-of-00001").read_bytes()
    except OSError as error:
        raise ModelIntegrityError(
            f"{directory} is not a TensorFlow checkpoint: cannot read "
            f"'{Path(error.filename).name}' ({error.strerror})."
        ) from error

    variables = {}
    try:
        for name, dtype, shape, offset, size, crc in _entries(table):
            if not name.endswith(_SUFFIX) or dtype != _DT_FLOAT:
                continue  # the object graph and save counters
            raw = data[offset : offset + size]
            if size != 4 * int(np.prod(shape)) or len(raw) != size:
                raise ValueError(f"'{name}' is cut short")
            if crc32c(raw) != _unmask(crc):
                raise ValueError(f"the checksum of '{name}' differs")
            array = np.frombuffer(raw, dtype="<f4").reshape(shape)
            variables[name.removesuffix(_SUFFIX)] = array.astype(np.float32)
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise ModelIntegrityError(
            f"The TensorFlow checkpoint in {directory} is damaged: {error}."
        ) from error
    return variables
