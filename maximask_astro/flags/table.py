"""
The table of contaminant classes.

Abbreviations, meanings, bits, default priors and default thresholds are those
of MaxiMask 1.4.1 (Paillassa, Bertin & Bouy 2020, A&A 634, A48, table 2 and
its README). Everything else that names a class or a bit (bit maps, header
cards, tables, plots, documentation, command-line choices) is generated from
`CLASSES`.
"""

from dataclasses import dataclass

import numpy as np
from astropy.nddata.bitmask import extend_bit_flag_map
from astropy.table import Table

__all__ = [
    "ABBREVIATIONS",
    "BITMASK_DTYPE",
    "CLASSES",
    "NO_DATA",
    "RIVALS",
    "ContaminantFlags",
    "FlagDefinition",
    "class_table",
    "get_class",
    "rival_positions",
]


@dataclass(frozen=True)
class FlagDefinition:
    """
    One class of pixels.

    Parameters
    ----------
    abbreviation : str
        Short name, used in code, headers and on the command line.

    name : str
        Full name.

    bit : int
        Value in a bit mask, a power of two, or 0 for the background.

    meaning : str
        What the class covers, in a sentence.

    color : str
        Color of overlays, as matplotlib takes it.

    prior : float
        Default prior: the expected fraction of such pixels in an exposure.

    threshold : float
        Default threshold: a pixel belongs to the class where the posterior
        probability is above it.

    unusable : bool
        Whether a pixel of this class should not be used for measurements.
    """

    abbreviation: str
    name: str
    bit: int
    meaning: str
    color: str
    prior: float
    threshold: float
    unusable: bool


CLASSES = (
    FlagDefinition(
        "CR", "Cosmic Rays", 1,
        "Charge left by an energetic particle: a point, track or worm.",
        "#e6194b", 0.0005, 0.43, True,
    ),
    FlagDefinition(
        "HCL", "Hot Columns/Lines", 2,
        "A column or line that is too bright.",
        "#f58231", 0.00001, 0.60, True,
    ),
    FlagDefinition(
        "DCL", "Dead Columns/Lines/Clusters", 4,
        "A column, line or cluster of pixels that responds too little.",
        "#9a6324", 0.0001, 0.74, True,
    ),
    FlagDefinition(
        "HP", "Hot Pixels", 8,
        "A single pixel that is too bright.",
        "#ffe119", 0.000001, 0.43, True,
    ),
    FlagDefinition(
        "DP", "Dead Pixels", 16,
        "A single pixel that responds too little.",
        "#808000", 0.000001, 0.99, True,
    ),
    FlagDefinition(
        "P", "Persistence", 32,
        "The remains of a bright source of an earlier exposure.",
        "#f032e6", 0.001, 0.65, True,
    ),
    FlagDefinition(
        "TRL", "Trails", 64,
        "The track of a satellite, airplane or meteor.",
        "#42d4f4", 0.001, 0.28, True,
    ),
    FlagDefinition(
        "FR", "Fringe patterns", 128,
        "Interference of sky lines in the detector.",
        "#469990", 0.001, 0.76, False,
    ),
    FlagDefinition(
        "NEB", "Nebulosities", 256,
        "Diffuse emission or reflection from dust and gas.",
        "#dcbeff", 0.001, 0.56, False,
    ),
    FlagDefinition(
        "SAT", "Saturated pixels", 512,
        "Saturated pixels with the charge that bleeds from them.",
        "#800000", 0.001, 0.81, True,
    ),
    FlagDefinition(
        "SP", "Diffraction spikes", 1024,
        "Light of a bright star diffracted by the telescope's spider.",
        "#4363d8", 0.005, 0.54, True,
    ),
    FlagDefinition(
        "OV", "Overscan", 2048,
        "Pixels that are read out but see no light.",
        "#a9a9a9", 0.005, 0.55, True,
    ),
    FlagDefinition(
        "BBG", "Bright background", 4096,
        "Light of stars and galaxies above the background.",
        "#3cb44b", 0.1, 0.44, False,
    ),
    FlagDefinition(
        "BG", "Background", 0,
        "Sky with no object and no contaminant.",
        "#000075", 0.9, 0.27, False,
    ),
)  # fmt: skip

# Not a class but an absence of one: no verdict could be given.
NO_DATA = FlagDefinition(
    "NO_DATA", "No data", 16384,
    "The pixel was masked, NaN or infinite, so no verdict was given.",
    "#000000", 0.0, 1.0, True,
)  # fmt: skip

# Pairs of classes that look alike, so that one streak is easily called both: the
# likelier takes the pixel, see `maximask_astro.inference.rivals`. A ray of a star's
# light and the track of a satellite are both straight lines, brighter than the sky.
RIVALS = (("TRL", "SP"),)

ABBREVIATIONS = tuple(flag.abbreviation for flag in CLASSES)

_BITS = {flag.abbreviation: flag.bit for flag in (*CLASSES, NO_DATA) if flag.bit}

# An astropy BitFlagNameMap: ContaminantFlags.CR == ContaminantFlags["CR"] == 1.
ContaminantFlags = extend_bit_flag_map("ContaminantFlags", **_BITS)

# The smallest unsigned integer that holds all bits.
BITMASK_DTYPE = np.min_scalar_type(sum(_BITS.values()))

# Other spellings, as found in configuration files of the original.
_ALIASES = {"STL": "TRL"}

_BY_NAME = {flag.abbreviation: flag for flag in CLASSES}


def get_class(name):
    """
    Look up a class by its abbreviation.

    Parameters
    ----------
    name : str
        The abbreviation, in upper or lower case. ``STL``, the spelling for
        trails in some of the original's files, is accepted for ``TRL``.

    Returns
    -------
    flag : `FlagDefinition`
        Its row of the table.

    Raises
    ------
    ValueError
        There is no such class.
    """
    key = str(name).strip().upper()
    try:
        return _BY_NAME[_ALIASES.get(key, key)]
    except KeyError:
        raise ValueError(
            f"'{name}' is not a contaminant class; the classes are "
            f"{', '.join(ABBREVIATIONS)}."
        ) from None


def rival_positions(names):
    """
    Find pairs of rivals among some classes.

    Parameters
    ----------
    names : sequence of str
        Abbreviations.

    Returns
    -------
    pairs : tuple of tuple of two int
        Positions in ``names`` of each pair of `RIVALS` that it has both of.
    """
    places = {name: place for place, name in enumerate(names)}
    return tuple(
        (places[first], places[second])
        for first, second in RIVALS
        if first in places and second in places
    )


def class_table():
    """
    The table of classes, for printing and documentation.

    Returns
    -------
    table : `~astropy.table.Table`
        One row a class, with the columns of `FlagDefinition`.
    """
    names = list(FlagDefinition.__dataclass_fields__)
    rows = [[getattr(flag, name) for name in names] for flag in CLASSES]
    return Table(rows=rows, names=names)
