"""
Network architectures in Keras: no weights, no files, arrays in, logits out.

Importing this sub-package imports Keras (with its JAX backend).
"""

from maximask_astro.models.maximask import build_maximask
from maximask_astro.models.maxitrack import build_maxitrack
from maximask_astro.models.pooling import PoolWithPositions, Unpool

__all__ = [
    "ARCHITECTURES",
    "PoolWithPositions",
    "Unpool",
    "build_maximask",
    "build_maxitrack",
]

# What a model card's ``architecture`` may name.
ARCHITECTURES = {
    "maximask": build_maximask,
    "maxitrack": build_maxitrack,
}
