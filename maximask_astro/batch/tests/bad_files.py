"""Files that cannot be masked, and what is to be said about each."""

import bz2
import gzip
import io

import numpy as np
from astropy.io import fits

from maximask_astro.tests.helpers import make_exposure


def _bytes(*hdus):
    stream = io.BytesIO()
    fits.HDUList(list(hdus)).writeto(stream)
    return stream.getvalue()


def _image(dtype="f4"):
    return make_exposure((64, 80)).astype(dtype)


def _plain():
    """A header of one block, then 7.1 blocks of data."""
    return _bytes(fits.PrimaryHDU(_image()))


def _compressed():
    return _bytes(fits.PrimaryHDU(), fits.CompImageHDU(_image("i2")))


def _extensions():
    return _bytes(fits.PrimaryHDU(), fits.ImageHDU(_image()), fits.ImageHDU(_image()))


def _only(data):
    return lambda: _bytes(fits.PrimaryHDU(data))


def _cut(make, number, pack=bytes):
    """Without its last ``number`` bytes, or only its first."""
    return lambda: pack(make())[: number if number > 0 else number or None]


def _flipped(make, position, pack=bytes):
    def flip():
        content = bytearray(pack(make()))
        content[position] ^= 0xFF
        return bytes(content)

    return flip


def _with_card(card, line):
    """The plain file with a line of its header replaced."""

    def change():
        content = bytearray(_plain())
        content[80 * line : 80 * (line + 1)] = card.ljust(80).encode()
        return bytes(content)

    return change


_NOT_FITS = "is not a FITS file, or is damaged: "
_NO_VERDICT = "has no image to mask (HDU 0: No verdict: "

# Name: what makes its content, and what follows the name in the sentence.
BAD_FILES = {
    "cut_in_data.fits": (_cut(_plain, 10000), "is truncated: "),
    "cut_in_padding.fits": (_cut(_plain, -100), "is truncated: "),
    "cut_after_header.fits": (_cut(_plain, 2880), "is truncated: "),
    "cut_in_header.fits": (_cut(_plain, 500), _NOT_FITS),
    "cut_in_last_image.fits": (_cut(_extensions, -5000), "is truncated: "),
    "cut_in_last_header.fits": (_cut(_extensions, -25000), "is truncated"),
    "cut_in_tiles.fits.fz": (_cut(_compressed, -3000), "is truncated: "),
    "cut_in_stream.fits.gz": (_cut(_plain, 4000, gzip.compress), _NOT_FITS),
    "cut_at_start.fits.gz": (_cut(_plain, 8, gzip.compress), _NOT_FITS),
    "cut_in_stream.fits.bz2": (_cut(_plain, -500, bz2.compress), _NOT_FITS),
    "flipped.fits.gz": (_flipped(_plain, 4000, gzip.compress), _NOT_FITS),
    "text.fits": (lambda: b"Cloudy; went home.\n" * 300, _NOT_FITS),
    "zeros.fits": (lambda: bytes(5760), _NOT_FITS),
    "picture.fits": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, _NOT_FITS),
    "empty.fits": (lambda: b"", "is empty; it must be a FITS file."),
    "no_data.fits": (_only(None), "has no image to mask (HDU 0: it has no data)."),
    "no_rows.fits": (
        _only(np.zeros((0, 30))),
        "has no image to mask (HDU 0: it has no data).",
    ),
    "no_image.fits": (
        lambda: _bytes(
            fits.PrimaryHDU(),
            fits.BinTableHDU.from_columns([fits.Column("x", "J", array=[1, 2])]),
        ),
        "has no image to mask (HDU 0: it has no data; HDU 1: it is not an image).",
    ),
    "nan.fits": (
        _only(np.full((50, 60), np.nan)),
        f"{_NO_VERDICT}every pixel is masked, NaN or infinite).",
    ),
    "zero.fits": (
        _only(np.zeros((50, 60), "i2")),
        f"{_NO_VERDICT}every pixel with a value is 0).",
    ),
    "line.fits": (
        _only(np.arange(100.0)),
        "has no image to mask (HDU 0: it has 1 dimension, not 2 or 3).",
    ),
    "4d.fits": (
        _only(np.zeros((2, 2, 20, 20), "i2")),
        "has no image to mask (HDU 0: it has 4 dimensions, not 2 or 3).",
    ),
    "bitpix.fits": (
        _with_card("BITPIX  =                   17", 1),
        "cannot be read, it may be truncated or damaged: ",
    ),
    "negative.fits": (
        _with_card("NAXIS1  =                  -80", 3),
        "cannot be read",
    ),
    "huge.fits": (_with_card("NAXIS1  =            900000000", 3), "is truncated: "),
}


def write_bad_file(name, directory):
    """Write one of them, and return its path."""
    path = directory / name
    path.write_bytes(BAD_FILES[name][0]())
    return path
