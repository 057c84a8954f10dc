"""Sky level, sky noise and normalization of an exposure."""

from maximask_astro.background.fill import FILL_REACH, fill_invalid
from maximask_astro.background.normalization import (
    NORMALIZATIONS,
    estimate_background,
    estimate_sky,
    normalize,
)
from maximask_astro.background.sky import Sky, array_reader
from maximask_astro.background.surface import SplineSurface, constant_surface

__all__ = [
    "FILL_REACH",
    "NORMALIZATIONS",
    "Sky",
    "SplineSurface",
    "array_reader",
    "constant_surface",
    "estimate_background",
    "estimate_sky",
    "fill_invalid",
    "normalize",
]
