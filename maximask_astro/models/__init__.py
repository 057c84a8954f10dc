"""
Network architectures in Keras: no weights, no files, arrays in, logits out.

Importing this sub-package imports Keras (with its JAX backend).
"""

from functools import partial
from inspect import signature

from maximask_astro.models.folded_unet import build_folded_unet, folded_unet
from maximask_astro.models.folding import Fold, Unfold
from maximask_astro.models.local_sky import LocalSky
from maximask_astro.models.maximask import build_maximask, maximask
from maximask_astro.models.maxitrack import build_maxitrack
from maximask_astro.models.pooling import PoolWithPositions, Unpool
from maximask_astro.models.stamps import BLOCK, StarStamps
from maximask_astro.models.streaming import RowNetwork
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
    "RowNetwork",
    "StarStamps",
    "Unfold",
    "Unpool",
    "build_folded_unet",
    "build_maximask",
    "build_maxitrack",
    "build_tracking_network",
    "row_function",
]

# What a model card's ``architecture`` may name.
ARCHITECTURES = {
    "folded_unet": build_folded_unet,
    "maximask": build_maximask,
    "maxitrack": build_maxitrack,
    "tracking_network": build_tracking_network,
}

# Those that can be run on a few rows of an image after the other.
_ROW_FUNCTIONS = {"folded_unet": folded_unet, "maximask": maximask}


def row_function(architecture, options):
    """
    Find the function that applies a network, for `RowNetwork`.

    Parameters
    ----------
    architecture : str
        What a model card says.

    options : mapping
        What it says about the architecture's arguments.

    Returns
    -------
    function : callable or None
        From a graph and an image to logits; None if the architecture cannot be run
        row by row.
    """
    if architecture not in _ROW_FUNCTIONS:
        return None
    parameters = signature(ARCHITECTURES[architecture]).parameters.items()
    defaults = {name: item.default for name, item in parameters}
    del defaults["kernel_initializer"]  # not part of the network
    return partial(_ROW_FUNCTIONS[architecture], **{**defaults, **options})
