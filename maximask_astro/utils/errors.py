"""
Exceptions and warnings: the one place that says which to raise when.

* A wrong argument of a Python call: `TypeError` or `ValueError`.
* A file, HDU or image that cannot be used: `InputError`.
* A model that is not installed: `ModelNotFoundError`.
* A model that is installed but damaged, incomplete or not the one its card
  describes: `ModelIntegrityError`.
* Something the user should know about a result that is still usable:
  `MaximaskWarning`.
"""

from astropy.utils.exceptions import AstropyUserWarning

__all__ = [
    "InputError",
    "MaximaskWarning",
    "ModelIntegrityError",
    "ModelNotFoundError",
]


class InputError(ValueError):
    """
    A file, HDU or image cannot be used.

    The message is one sentence that names the file, HDU or argument, what is
    wrong with it, and what would be right.
    """


class ModelNotFoundError(LookupError):
    """A model's name is unknown, or the model is not installed."""

    def __str__(self):
        return str(self.args[0]) if self.args else ""


class ModelIntegrityError(ValueError):
    """Model files are damaged, incomplete, or not what their card says."""


class MaximaskWarning(AstropyUserWarning):
    """A result is usable, but there is something to know about it."""
