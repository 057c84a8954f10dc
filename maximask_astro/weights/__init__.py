"""Model cards, hash-checked loading, and conversion of published networks."""

from maximask_astro.weights.card import ModelCard
from maximask_astro.weights.checkpoint import read_checkpoint
from maximask_astro.weights.install import install_model
from maximask_astro.weights.model import LoadedModel, load_model
from maximask_astro.weights.store import (
    home_directory,
    is_installed,
    list_models,
    model_path,
    packaged_card,
    save_model,
    weights_digest,
)
from maximask_astro.weights.verify import Verification, make_test_block, verify_model

__all__ = [
    "LoadedModel",
    "ModelCard",
    "Verification",
    "home_directory",
    "install_model",
    "is_installed",
    "list_models",
    "load_model",
    "make_test_block",
    "model_path",
    "packaged_card",
    "read_checkpoint",
    "save_model",
    "verify_model",
    "weights_digest",
]
