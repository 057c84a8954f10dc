"""Sky level, sky noise and normalization of an exposure."""

from maximask_astro.background.fill import FILL_REACH, fill_invalid
from maximask_astro.background.normalization import (
    NORMALIZATIONS,
    estimate_background,
    estimate_sky,
    look_over,
    normalize,
)
from maximask_astro.background.sky import Sky, array_reader
from maximask_astro.background.surface import SplineSurface, constant_surface
from maximask_astro.background.view import (
    BLOCK,
    FULL,
    N_BRIGHTEST,
    SEGMENT,
    VIEW_CHANNELS,
    block_statistics,
    full_level,
    line_contrast,
    scale_blocks,
)
from maximask_astro.background.view_builder import FrameView, ViewBuilder

__all__ = [
    "BLOCK",
    "FILL_REACH",
    "FULL",
    "N_BRIGHTEST",
    "NORMALIZATIONS",
    "SEGMENT",
    "VIEW_CHANNELS",
    "FrameView",
    "Sky",
    "SplineSurface",
    "ViewBuilder",
    "array_reader",
    "block_statistics",
    "constant_surface",
    "estimate_background",
    "estimate_sky",
    "fill_invalid",
    "full_level",
    "line_contrast",
    "look_over",
    "normalize",
    "scale_blocks",
]
