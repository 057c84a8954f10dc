"""Checkpoints from which training goes on as if it had not stopped."""

import json
from dataclasses import asdict
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from maximask_astro.training.recipe import Recipe
from maximask_astro.utils.errors import InputError
from maximask_astro.utils.files import atomic_path

__all__ = ["load_checkpoint", "read_checkpoint", "save_checkpoint"]

_FILE = "checkpoint.npz"


def save_checkpoint(directory, recipe, step, groups):
    """
    Save the state of a training.

    Parameters
    ----------
    directory : path-like
        Where.

    recipe : `Recipe`
        Its recipe.

    step : int
        Steps done.

    groups : dict of str to list of array
        Weights, their running mean, the optimizer's variables, the paths of the
        weights, and the proportions of classes.
    """
    arrays = {
        f"{group}/{index:04d}": np.asarray(array)
        for group, values in groups.items()
        for index, array in enumerate(values)
    }
    text = json.dumps(asdict(recipe), sort_keys=True)
    with (
        atomic_path(Path(directory) / _FILE, overwrite=True) as temporary,
        open(temporary, "wb") as file,
    ):
        np.savez(file, step=step, recipe=text, **arrays)


def load_checkpoint(directory, recipe):
    """
    Load the state of a training, if there is one.

    Parameters
    ----------
    directory : path-like
        Where it was saved.

    recipe : `Recipe`
        The recipe; it must be the one of the checkpoint.

    Returns
    -------
    step : int
        Steps done; 0 if there is no checkpoint.

    groups : dict of str to list of `~numpy.ndarray`, or None
        As given to `save_checkpoint`.

    Raises
    ------
    InputError
        The checkpoint is of another recipe, or cannot be read.
    """
    path = Path(directory) / _FILE
    if not path.is_file():
        return 0, None
    stored, step, groups = read_checkpoint(directory)
    # As JSON both ways: tuples become lists.
    if asdict(stored) != json.loads(json.dumps(asdict(recipe))):
        raise InputError(
            f"{path} was made with another recipe, model or set of examples; train "
            "into another directory."
        )
    return step, groups


def read_checkpoint(directory):
    """
    Read the state of a training whatever its recipe.

    Parameters
    ----------
    directory : path-like
        Where it was saved.

    Returns
    -------
    recipe : `Recipe`
        Its recipe.

    step : int
        Steps done.

    groups : dict of str to list of `~numpy.ndarray`
        As given to `save_checkpoint`.

    Raises
    ------
    InputError
        There is no checkpoint, or it cannot be read.
    """
    path = Path(directory) / _FILE
    try:
        with np.load(path, allow_pickle=False) as archive:
            recipe = Recipe(**json.loads(str(archive["recipe"])))
            groups = {}
            for name in sorted(archive.files):
                group, _, index = name.partition("/")
                if index:
                    groups.setdefault(group, []).append(archive[name])
            return recipe, int(archive["step"]), groups
    except (OSError, EOFError, LookupError, TypeError, ValueError, BadZipFile) as error:
        raise InputError(
            f"{path} cannot be read as the checkpoint of a training: {error}."
        ) from error
