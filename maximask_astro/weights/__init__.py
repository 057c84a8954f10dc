"""Model cards, hash-checked loading, and conversion of published networks."""

from maximask_astro.weights.arrays import weights_digest
from maximask_astro.weights.card import ModelCard
from maximask_astro.weights.checkpoint import read_checkpoint
from maximask_astro.weights.curves import logit_at_rate
from maximask_astro.weights.install import install_model
from maximask_astro.weights.model import LoadedModel, load_model
from maximask_astro.weights.spread import look_up_uncertainty, spread_of
from maximask_astro.weights.store import (
    home_directory,
    is_installed,
    is_shipped,
    list_models,
    model_path,
    packaged_card,
    save_model,
    update_card,
)
from maximask_astro.weights.verify import (
    Verification,
    make_test_block,
    make_test_tensors,
    verify_model,
)

__all__ = [
    "LoadedModel",
    "ModelCard",
    "Verification",
    "home_directory",
    "install_model",
    "is_installed",
    "is_shipped",
    "list_models",
    "load_model",
    "logit_at_rate",
    "look_up_uncertainty",
    "make_test_block",
    "make_test_tensors",
    "model_path",
    "packaged_card",
    "read_checkpoint",
    "save_model",
    "spread_of",
    "update_card",
    "verify_model",
    "weights_digest",
]
