"""
Network architectures in Keras: no weights, no files, arrays in, logits out.

Importing this sub-package imports Keras (with its JAX backend).
"""

from maximask_astro.models.folded_unet import build_folded_unet
from maximask_astro.models.folding import Fold, Unfold
from maximask_astro.models.local_sky import LocalSky
from maximask_astro.models.maximask import build_maximask
from maximask_astro.models.maxitrack import build_maxitrack
from maximask_astro.models.pooling import PoolWithPositions, Unpool
from maximask_astro.models.stamps import BLOCK, StarStamps
from maximask_astro.models.tracking_network import (
    TRACKING_OUTPUTS,
    build_tracking_network,
)

__all__ = [
    "ARCHITECTURES",
    "BLOCK",
    "TRACKING_OUTPUTS",
    "Fold",
    "LocalSky",
    "PoolWithPositions",
    "StarStamps",
    "Unfold",
    "Unpool",
    "build_folded_unet",
    "build_maximask",
    "build_maxitrack",
    "build_tracking_network",
]

# What a model card's ``architecture`` may name.
ARCHITECTURES = {
    "folded_unet": build_folded_unet,
    "maximask": build_maximask,
    "maxitrack": build_maxitrack,
    "tracking_network": build_tracking_network,
}
