"""Train models on simulated exposures, and adapt them to exposures of one's own."""

from maximask_astro.training.examples import Example, make_examples
from maximask_astro.training.export import export_model, write_model
from maximask_astro.training.fine_tuning import adapted_model, fine_tune, judge_of
from maximask_astro.training.loop import Trainer
from maximask_astro.training.losses import (
    LossWeights,
    balanced_loss_weights,
    class_weights,
    effective_priors,
    paper_loss_weights,
    pixel_weights,
    positive_weights,
    weighted_cross_entropy,
)
from maximask_astro.training.normalization import normalize_batch
from maximask_astro.training.pairs import read_examples
from maximask_astro.training.picture import draw_learning_curve
from maximask_astro.training.recipe import Recipe, read_recipe
from maximask_astro.training.skies import Sky, read_skies
from maximask_astro.training.tracking_trainer import TrackingTrainer
from maximask_astro.training.trainer import MaskerTrainer

__all__ = [
    "Example",
    "LossWeights",
    "MaskerTrainer",
    "Recipe",
    "Sky",
    "TrackingTrainer",
    "Trainer",
    "adapted_model",
    "balanced_loss_weights",
    "class_weights",
    "draw_learning_curve",
    "effective_priors",
    "export_model",
    "fine_tune",
    "judge_of",
    "make_examples",
    "normalize_batch",
    "paper_loss_weights",
    "pixel_weights",
    "positive_weights",
    "read_examples",
    "read_recipe",
    "read_skies",
    "weighted_cross_entropy",
    "write_model",
]
