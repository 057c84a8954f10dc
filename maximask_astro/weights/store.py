"""
Where models live, and how their files are read and written.

A model is a directory with ``card.json``, ``weights.npz``, ``test.npz`` (see
`maximask_astro.weights.verify_model`) and perhaps ``likeness.npz``, in this package or
in the user's home directory.
"""

import os
import shutil
import tempfile
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
from astropy.config import get_cache_dir_path

from maximask_astro.utils.errors import ModelIntegrityError, ModelNotFoundError
from maximask_astro.utils.files import atomic_path
from maximask_astro.weights.arrays import LIKENESS, WEIGHTS, weights_digest
from maximask_astro.weights.card import ModelCard

__all__ = [
    "home_directory",
    "is_installed",
    "is_shipped",
    "list_models",
    "model_path",
    "packaged_card",
    "save_model",
    "update_card",
]

CARD, TEST = "card.json", "test.npz"


def home_directory():
    """
    Directory of installed models and other files of this library.

    Returns
    -------
    path : `~pathlib.Path`
        ``$MAXIMASK_ASTRO_HOME`` if that is set and not empty, else the
        platform's cache directory as astropy knows it.
    """
    home = os.environ.get("MAXIMASK_ASTRO_HOME")
    if home:
        return Path(home).expanduser()
    return Path(get_cache_dir_path("maximask_astro"))


def model_path(name):
    """
    Directory where a model is, or would be, installed.

    Parameters
    ----------
    name : str
        The model's name.

    Returns
    -------
    path : `~pathlib.Path`
        In this package for a model that comes with it, else in the home
        directory; it need not exist.
    """
    if is_shipped(name):
        return _shipped() / name
    return home_directory() / "models" / name


def _packaged():
    return Path(str(resources.files("maximask_astro.weights") / "cards"))


def _shipped():
    return Path(str(resources.files("maximask_astro.weights") / "shipped"))


def _is_complete(directory):
    return all((directory / file).is_file() for file in (CARD, WEIGHTS, TEST))


def is_shipped(name):
    """
    Whether a model comes with this package.

    Parameters
    ----------
    name : str
        The model's name.

    Returns
    -------
    shipped : bool
        Whether it is there without being installed.
    """
    # A path in place of a name must not lead out of the directory.
    return Path(name).name == name and _is_complete(_shipped() / name)


def packaged_file(name, suffix):
    """
    Find a file about a published model that this package carries.

    Parameters
    ----------
    name : str
        The model's name.

    suffix : str
        What follows the name and a period in the file's name.

    Returns
    -------
    path : `~pathlib.Path`
        The file; it need not exist.
    """
    return _packaged() / f"{name}.{suffix}"


def packaged_card(name):
    """
    The card of a published model, installed or not, or of a shipped one.

    Parameters
    ----------
    name : str
        The model's name.

    Returns
    -------
    card : `ModelCard` or None
        None if this package has no card of that name.
    """
    path = _shipped() / name / CARD if is_shipped(name) else packaged_file(name, CARD)
    return ModelCard.read(path) if path.is_file() else None


def is_installed(name):
    """
    Whether a model is there (complete; its digest is not checked).

    Parameters
    ----------
    name : str
        The model's name.

    Returns
    -------
    installed : bool
        Whether its files are there: installed, or shipped with this package.
    """
    return _is_complete(model_path(name))


def list_models():
    """
    All models that are known here.

    Returns
    -------
    models : dict of str to bool
        Name to whether it is there, in alphabetical order.
    """
    names = {
        path.name.removesuffix(f".{CARD}")
        for path in _packaged().iterdir()
        if path.name.endswith(CARD)
    }
    if _shipped().is_dir():
        names |= {path.name for path in _shipped().iterdir() if is_shipped(path.name)}
    installed = home_directory() / "models"
    if installed.is_dir():
        # A hidden directory is a model that a killed installation left half way.
        names |= {
            path.name for path in installed.glob("[!.]*") if is_installed(path.name)
        }
    return {name: is_installed(name) for name in sorted(names)}


def save_model(directory, card, weights, test, likeness=None):
    """
    Write a model's directory, all of it or nothing.

    Parameters
    ----------
    directory : path-like
        Where; an earlier model there is replaced.

    card : `ModelCard`
        The model's card, with the digest of ``weights``.

    weights, test : dict of str to `~numpy.ndarray`
        The weights by the path of the Keras variable, and the test tensors.

    likeness : dict of str to `~numpy.ndarray`, optional
        What tells images that are unlike the model's exposures.

    Raises
    ------
    ModelIntegrityError
        The card's digests are not those of the weights.
    """
    digests = weights_digest(weights), weights_digest(likeness) if likeness else ""
    if digests != (card.weights_sha256, card.likeness_sha256):
        raise ModelIntegrityError(
            f"The card of '{card.name}' does not have the digest of the weights."
        )
    directory = Path(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=directory.parent))
    try:
        temporary.chmod(0o755)
        np.savez(temporary / WEIGHTS, **weights)
        np.savez(temporary / TEST, **test)
        if likeness:
            np.savez(temporary / LIKENESS, **likeness)
        card.write(temporary / CARD)
        if directory.exists():
            shutil.rmtree(directory)
        os.replace(temporary, directory)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def update_card(directory, **changes):
    """
    Change what the card of a model says about it.

    Parameters
    ----------
    directory : path-like
        Directory of the model.

    **changes
        New values of fields of `ModelCard`, such as ``known_limits``. Entries
        of ``figures`` and ``training`` are added to those that are there.

    Returns
    -------
    card : `ModelCard`
        The new card.

    Raises
    ------
    ModelIntegrityError
        There is no readable card.

    TypeError
        There is no such field.
    """
    path = Path(directory) / CARD
    card = ModelCard.read(path)
    for name in changes.keys() & {"figures", "training"}:
        changes[name] = {**getattr(card, name), **changes[name]}
    card = replace(card, **changes)
    with atomic_path(path, overwrite=True) as temporary:
        card.write(temporary)
    return card


def installed_card(name):
    """
    The card of an installed model.

    Parameters
    ----------
    name : str
        The model's name.

    Returns
    -------
    card : `ModelCard`
        The card this package carries, if it has one of that name (so that the
        digest of a published model cannot be changed in the cache), else the
        installed one.

    Raises
    ------
    ModelNotFoundError
        The model is not installed.
    """
    card = packaged_card(name)
    if is_installed(name):
        return card or ModelCard.read(model_path(name) / CARD)
    if card is not None:
        raise ModelNotFoundError(
            f"The model '{name}' is not installed: run "
            f"'maximask-astro weights install {name}'."
        )
    known = ", ".join(list_models())
    raise ModelNotFoundError(
        f"There is no model '{name}' and no such directory; the models are {known}."
    )
