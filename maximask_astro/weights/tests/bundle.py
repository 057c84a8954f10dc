"""Write TensorFlow checkpoints, from the description of their format alone."""

import numpy as np

SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
MAGIC = 0xDB4775248B80FB57


def slow_crc32c(data):
    """CRC-32C bit by bit, as in RFC 3720."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked_crc(data):
    """CRC-32C as TensorFlow stores it: rotated, with an offset."""
    crc = slow_crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8 & 0xFFFFFFFF).to_bytes(4, "little")


def varint(number):
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F)
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def field(number, value):
    """One field of a protocol-buffer message: a number or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def entry(dtype, array, offset, shard=0):
    raw = array.tobytes()
    shape = b"".join(field(2, field(1, size)) for size in array.shape)
    message = field(1, dtype) + field(2, shape)
    if shard:
        message += field(3, shard)
    message += field(4, offset) + field(5, len(raw))
    return message + varint(6 << 3 | 5) + masked_crc(raw)


def block(pairs):
    """A block of a string table: keys without what they share with the last."""
    content, last = b"", b""
    for key, value in pairs:
        shared = 0
        while shared < min(len(key), len(last)) and key[shared] == last[shared]:
            shared += 1
        content += varint(shared) + varint(len(key) - shared) + varint(len(value))
        content += key[shared:] + value
        last = key
    content += (0).to_bytes(4, "little") + (1).to_bytes(4, "little")  # one restart
    return content


def table(pairs, block_size=3, kind=0):
    """A string table with so many entries a block; kind 1 would be compressed."""
    written, index = b"", []

    def write(content):
        nonlocal written
        handle = varint(len(written)) + varint(len(content))
        content += bytes([kind])
        written += content + masked_crc(content)
        return handle

    for first in range(0, len(pairs), block_size):
        part = pairs[first : first + block_size]
        index.append((part[-1][0] + b"~", write(block(part))))
    handles = write(block([])) + write(block(index))
    return written + handles.ljust(40, b"\0") + MAGIC.to_bytes(8, "little")


def write_bundle(directory, arrays, *, shard=0, kind=0):
    """Write ``variables.index`` and the data file, as TensorFlow would."""
    directory.mkdir(parents=True)
    pairs, data = [(b"", field(1, 1))], b""
    others = {"save_counter" + SUFFIX: np.int64(1)}
    named = {name + SUFFIX: array for name, array in arrays.items()} | others
    for name in sorted(named):
        array = np.asarray(named[name])
        dtype = {"f": 1, "i": 9}[array.dtype.kind]
        pairs.append((name.encode(), entry(dtype, array, len(data), shard)))
        data += array.tobytes()
    (directory / "variables.index").write_bytes(table(pairs, kind=kind))
    (directory / "variables.data-00000-of-00001").write_bytes(data)
    return directory
