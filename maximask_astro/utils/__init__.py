"""Errors, input unpacking, safe file writing and other small helpers."""

from maximask_astro.utils.errors import (
    InputError,
    MaximaskWarning,
    ModelIntegrityError,
    ModelNotFoundError,
)

__all__ = [
    "InputError",
    "MaximaskWarning",
    "ModelIntegrityError",
    "ModelNotFoundError",
]
