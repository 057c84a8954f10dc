"""Train models on simulated exposures, and adapt them to exposures of one's own."""

from maximask_astro.training.examples import Example, make_examples
from maximask_astro.training.export import export_model, write_model
from maximask_astro.training.fine_tuning import adapted_model, fine_tune, judge_of
from maximask_astro.training.likeness import (
    measure_likeness,
    patches_of,
    train_likeness,
)
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
from maximask_astro.training.other_pictures import draw_picture
from maximask_astro.training.pairs import read_examples
from maximask_astro.training.picture import draw_learning_curve
from maximask_astro.training.priors import DEFAULT_PRIORS
from maximask_astro.training.recipe import Recipe, read_recipe
from maximask_astro.training.skies import Sky, read_skies
from maximask_astro.training.sky_crops import SkyCrops, draw_sky_crops
from maximask_astro.training.tracking_trainer import TrackingTrainer
from maximask_astro.training.trainer import MaskerTrainer

__all__ = [
    "DEFAULT_PRIORS",
    "Example",
    "LossWeights",
    "MaskerTrainer",
    "Recipe",
    "Sky",
    "SkyCrops",
    "TrackingTrainer",
    "Trainer",
    "adapted_model",
    "balanced_loss_weights",
    "class_weights",
    "draw_learning_curve",
    "draw_picture",
    "draw_sky_crops",
    "effective_priors",
    "export_model",
    "fine_tune",
    "judge_of",
    "make_examples",
    "measure_likeness",
    "normalize_batch",
    "paper_loss_weights",
    "patches_of",
    "pixel_weights",
    "positive_weights",
    "read_examples",
    "read_recipe",
    "read_skies",
    "train_likeness",
    "weighted_cross_entropy",
    "write_model",
]
