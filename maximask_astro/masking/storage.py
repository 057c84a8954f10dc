"""Contaminant maps in FITS files."""

import json

import numpy as np
from astropy.io import fits
from astropy.table import Table

from maximask_astro.flags import NO_DATA
from maximask_astro.masking.contaminant_map import ClassSettings, ContaminantMap
from maximask_astro.masking.header import class_cards, provenance_cards
from maximask_astro.utils.errors import InputError
from maximask_astro.utils.files import atomic_path
from maximask_astro.utils.headers import derived_header
from maximask_astro.utils.nddata import header_wcs

__all__ = ["read_map", "write_map"]

_FORMAT = "maximask_astro contaminant map"


def write_map(cmap, path, *, overwrite=False):
    """
    See `ContaminantMap.write`.

    Parameters
    ----------
    cmap : `ContaminantMap`
        The map.

    path : path-like
        The file.

    overwrite : bool, optional
        Whether an existing file is replaced.
    """
    header = derived_header(cmap.meta, cmap.wcs)
    for card in (
        *provenance_cards(cmap.provenance, cmap.invalid.sum()),
        *class_cards(cmap.settings, single_mask=True),
        ("MM_FMT", _FORMAT, "format of this file"),
    ):
        header.set(*card)
    hdus = [fits.PrimaryHDU(cmap.bitmask, header)]

    table = cmap.to_table()
    table.meta.clear()
    table["background"] = [not settings.bit for settings in cmap.settings]
    hdus.append(fits.BinTableHDU(Table(table), name="CLASSES"))
    # FITS drops spaces at the end of a card: write them so that none is lost.
    text = json.dumps(dict(cmap.provenance), separators=(",", ":"))
    hdus[-1].header["HISTORY"] = text.replace(" ", r"\u0020")

    if cmap.spread:
        hdus.append(fits.BinTableHDU(_spread_table(cmap.spread), name="SPREAD"))
    if cmap.probability_planes is not None:
        hdus.append(fits.ImageHDU(cmap.probability_planes, name="PROBABILITY"))
    if cmap.uncertainty_planes is not None:
        hdus.append(fits.ImageHDU(cmap.uncertainty_planes, name="UNCERTAINTY"))
    if "BG" in cmap.classes:
        background = cmap.class_mask("BG").astype(np.uint8)
        hdus.append(fits.ImageHDU(background, name="BACKGROUND"))
    with atomic_path(path, overwrite=overwrite) as temporary:
        fits.HDUList(hdus).writeto(
            temporary, overwrite=True, output_verify="silentfix+ignore"
        )


def _spread_table(spread):
    """Tables of uncertainties, one below the other."""
    rows = [
        (name, *numbers)
        for name, table in spread.items()
        for numbers in zip(table["logit"], table["sigma"], strict=True)
    ]
    return Table(rows=rows, names=("class", "logit", "sigma"))


def _spread(file):
    tables = {}
    if "SPREAD" in file:
        for row in file["SPREAD"].data:
            table = tables.setdefault(str(row["class"]), {"logit": (), "sigma": ()})
            for key in table:
                table[key] += (float(row[key]),)
    return tables


def _native(array):
    """The array in the machine's own byte order."""
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _planes(file, name):
    return _native(file[name].data) if name in file else None


def _settings(row):
    def optional(number):
        return None if np.isnan(number) else float(number)

    return ClassSettings(
        str(row["class"]),
        optional(row["training_prior"]),
        optional(row["prior"]),
        float(row["threshold"]),
    )


def _map(file):
    header = file[0].header
    bits = _native(file[0].data)
    settings = tuple(_settings(row) for row in file["CLASSES"].data)
    invalid = bits == NO_DATA.bit
    verdicts = np.where(invalid, 0, bits).astype(np.uint32)
    for item in settings:
        if not item.bit:
            verdicts[file["BACKGROUND"].data != 0] |= np.uint32(item.code)
    return ContaminantMap(
        settings,
        verdicts,
        invalid,
        _planes(file, "PROBABILITY"),
        _planes(file, "UNCERTAINTY"),
        header_wcs(header),
        derived_header(header),
        json.loads("".join(file["CLASSES"].header["HISTORY"])),
        _spread(file),
    )


def read_map(path):
    """
    See `ContaminantMap.read`.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    map : `ContaminantMap`
        The map.
    """
    try:
        with fits.open(path, memmap=False) as file:
            if file[0].header.get("MM_FMT") == _FORMAT:
                return _map(file)
    except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} cannot be read as a contaminant map: {error}.") from (
            error
        )
    raise InputError(
        f"{path} is not a contaminant map that ContaminantMap.write wrote."
    )
