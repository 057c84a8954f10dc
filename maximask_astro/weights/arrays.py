"""
Arrays of models: their files and digests.

Arrays are read with pickling switched off, and are refused unless their digest is the
one on the card.
"""

import hashlib
from pathlib import Path

import numpy as np

from maximask_astro.utils.errors import ModelIntegrityError

__all__ = [
    "LIKENESS",
    "WEIGHTS",
    "read_arrays",
    "read_likeness",
    "read_weights",
    "weights_digest",
]

WEIGHTS, LIKENESS = "weights.npz", "likeness.npz"


def weights_digest(weights):
    """
    SHA-256 of a set of arrays, independent of the file that holds them.

    Parameters
    ----------
    weights : dict of str to `~numpy.ndarray`
        Arrays by name.

    Returns
    -------
    digest : str
        64 hexadecimal digits over names, dtypes, shapes and values.
    """
    digest = hashlib.sha256()
    for name in sorted(weights):
        array = np.ascontiguousarray(weights[name])
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        digest.update(array.data)
    return digest.hexdigest()


def read_arrays(path):
    """
    Read a NumPy archive without ever unpickling.

    Parameters
    ----------
    path : path-like
        An ``.npz`` file.

    Returns
    -------
    arrays : dict of str to `~numpy.ndarray`
        Arrays by name.

    Raises
    ------
    ModelIntegrityError
        The file is missing, damaged or holds Python objects.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # zipfile and NumPy raise a dozen kinds
        raise ModelIntegrityError(
            f"{path} is damaged or is not a NumPy archive: {error}."
        ) from error


def read_weights(directory, card):
    """
    Read a model's weights and check them against its card.

    Parameters
    ----------
    directory : path-like
        Directory of the model.

    card : `ModelCard`
        The card whose digest the weights must have.

    Returns
    -------
    weights : dict of str to `~numpy.ndarray`
        Arrays by the path of the Keras variable. What was stored in half
        precision, to save space, comes as float32.

    Raises
    ------
    ModelIntegrityError
        The file is missing, damaged, or its digest differs.
    """
    return _read_checked(Path(directory) / WEIGHTS, card.weights_sha256)


def read_likeness(directory, card):
    """
    Read what tells images that are unlike a model's exposures.

    Parameters
    ----------
    directory, card : path-like, `ModelCard`
        As in `read_weights`.

    Returns
    -------
    likeness : dict of str to `~numpy.ndarray`
        See `LoadedModel`; empty if the card says that there is none.

    Raises
    ------
    ModelIntegrityError
        The file is missing, damaged, or its digest differs.
    """
    if not card.likeness_sha256:
        return {}
    return _read_checked(Path(directory) / LIKENESS, card.likeness_sha256)


def _read_checked(path, expected):
    """Arrays that must have a digest."""
    weights = read_arrays(path)
    digest = weights_digest(weights)
    if digest != expected:
        raise ModelIntegrityError(
            f"{path} holds other weights than its card says: their SHA-256 is "
            f"{digest[:12]}..., not {expected[:12]}...; remove {path.parent} and "
            "install the model again."
        )
    return {
        name: array.astype(np.float32) if array.dtype == np.float16 else array
        for name, array in weights.items()
    }
