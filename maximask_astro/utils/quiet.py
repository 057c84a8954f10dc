"""Ignore or record warnings, also where several threads do."""

import threading
import warnings
from contextlib import contextmanager

__all__ = ["quiet", "recorded"]

# What is done about warnings is a matter of the whole process: one thread at a time.
_LOCK = threading.RLock()


@contextmanager
def quiet(category):
    """
    Ignore warnings.

    Other threads that ignore or record warnings wait meanwhile.

    Parameters
    ----------
    category : type
        Which ones.

    Yields
    ------
    None
        Nothing.
    """
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore", category)
        yield


@contextmanager
def recorded(category):
    """
    Record warnings, of this thread and of others that do not use this module.

    Parameters
    ----------
    category : type
        Which ones are recorded even if they were before.

    Yields
    ------
    caught : list of `warnings.WarningMessage`
        The warnings.
    """
    with _LOCK, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", category)
        yield caught
