"""Run networks over images: tiles, batches, prior shift, evidence, uncertainty."""

from maximask_astro.inference.bands import Band, join_bands
from maximask_astro.inference.engine import TILINGS, TileEngine
from maximask_astro.inference.evidence import combine_evidence, posterior_of
from maximask_astro.inference.frame import has_view
from maximask_astro.inference.likeness import (
    PATCH,
    UNLIKE,
    Patches,
    PatchReader,
    image_features,
    image_score,
    likeness_of,
)
from maximask_astro.inference.logits import logits_of_image
from maximask_astro.inference.priors import log_prior_factor, update_probability
from maximask_astro.inference.process_settings import keep_compiled, keep_memory
from maximask_astro.inference.rivals import LIKELIER
from maximask_astro.inference.summary import (
    SummaryEngine,
    WholeTile,
    plan_last_blocks,
    plan_whole_tiles,
)
from maximask_astro.inference.symmetry import spread_over_symmetries
from maximask_astro.inference.tiling import Tile, mirrored, plan_blocks, plan_tiles
from maximask_astro.inference.verdicts import ClassDecision

__all__ = [
    "LIKELIER",
    "PATCH",
    "TILINGS",
    "UNLIKE",
    "Band",
    "ClassDecision",
    "Patches",
    "PatchReader",
    "SummaryEngine",
    "Tile",
    "TileEngine",
    "WholeTile",
    "combine_evidence",
    "has_view",
    "image_features",
    "image_score",
    "join_bands",
    "keep_compiled",
    "keep_memory",
    "likeness_of",
    "log_prior_factor",
    "logits_of_image",
    "mirrored",
    "plan_blocks",
    "plan_last_blocks",
    "plan_tiles",
    "plan_whole_tiles",
    "posterior_of",
    "spread_over_symmetries",
    "update_probability",
]
