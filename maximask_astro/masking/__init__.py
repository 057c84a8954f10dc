"""Find contaminants in exposures, pixel by pixel."""

from maximask_astro.masking.contaminant_map import (
    BACKGROUND_CODE,
    ClassSettings,
    ContaminantMap,
)
from maximask_astro.masking.header import (
    class_cards,
    provenance_cards,
    saturation_card,
    unlike_card,
)
from maximask_astro.masking.masker import DEFAULT_MODEL, ContaminantMasker
from maximask_astro.utils.verdict import why_no_verdict

__all__ = [
    "BACKGROUND_CODE",
    "DEFAULT_MODEL",
    "ClassSettings",
    "ContaminantMap",
    "ContaminantMasker",
    "class_cards",
    "provenance_cards",
    "saturation_card",
    "unlike_card",
    "why_no_verdict",
]
