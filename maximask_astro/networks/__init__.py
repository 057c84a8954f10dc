"""
What networks compute, as functions of a graph, and how to run them row by row.

They know arrays only, and need no Keras: `maximask_astro.models` makes Keras models of
the same functions.
"""

from functools import partial

from maximask_astro.networks.array_graph import ArrayGraph
from maximask_astro.networks.folded_unet import folded_unet, frame_networks
from maximask_astro.networks.frame import FrameContext, spread_segments
from maximask_astro.networks.kernels import apply_kernel
from maximask_astro.networks.likeness import (
    N_FEATURES,
    image_logit,
    likeness_shapes,
    patch_logits,
)
from maximask_astro.networks.maximask import maximask
from maximask_astro.networks.streaming import RowNetwork

__all__ = [
    "N_FEATURES",
    "ArrayGraph",
    "FrameContext",
    "RowNetwork",
    "apply_kernel",
    "folded_unet",
    "frame_functions",
    "image_logit",
    "likeness_shapes",
    "maximask",
    "patch_logits",
    "row_function",
    "spread_segments",
]

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
        From a graph, an image and, if it has a whole-frame view, what the frame has,
        to logits; None if the architecture cannot be run row by row.
    """
    function = _ROW_FUNCTIONS.get(architecture)
    return None if function is None else partial(function, **options)


def frame_functions(architecture, options):
    """
    Find the functions that apply the networks of the whole-frame view.

    Parameters
    ----------
    architecture, options : str and mapping
        As of `row_function`.

    Returns
    -------
    functions : tuple of two callable or None
        From a graph and the view's blocks, and its columns or rows, to their
        features; None for a network without such a view.
    """
    return frame_networks(**options) if architecture == "folded_unet" else None
