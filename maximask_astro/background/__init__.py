"""Sky level, sky noise and normalization of an exposure."""

from maximask_astro.background.fill import fill_invalid
from maximask_astro.background.mesh import mesh_background
from maximask_astro.background.normalization import (
    NORMALIZATIONS,
    estimate_background,
    normalize,
)

__all__ = [
    "NORMALIZATIONS",
    "estimate_background",
    "fill_invalid",
    "mesh_background",
    "normalize",
]
