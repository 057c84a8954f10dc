"""Train models on simulated exposures."""

from maximask_astro.training.losses import (
    class_weights,
    pixel_weights,
    weighted_cross_entropy,
)
from maximask_astro.training.normalization import normalize_batch
from maximask_astro.training.recipe import Recipe, read_recipe
from maximask_astro.training.trainer import MaskerTrainer

__all__ = [
    "MaskerTrainer",
    "Recipe",
    "class_weights",
    "normalize_batch",
    "pixel_weights",
    "read_recipe",
    "weighted_cross_entropy",
]
