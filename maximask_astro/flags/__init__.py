"""The table of contaminant classes, their bits, and how to decode them."""

from maximask_astro.flags.decode import decode, select
from maximask_astro.flags.table import (
    ABBREVIATIONS,
    BITMASK_DTYPE,
    CLASSES,
    NO_DATA,
    RIVALS,
    ContaminantFlags,
    FlagDefinition,
    class_table,
    get_class,
    rival_positions,
)

__all__ = [
    "ABBREVIATIONS",
    "BITMASK_DTYPE",
    "CLASSES",
    "NO_DATA",
    "RIVALS",
    "ContaminantFlags",
    "FlagDefinition",
    "class_table",
    "decode",
    "get_class",
    "rival_positions",
    "select",
]
