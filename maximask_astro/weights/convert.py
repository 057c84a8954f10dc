"""Rename the variables of the published checkpoints to those of our networks."""

from pathlib import Path

from maximask_astro.utils.errors import ModelIntegrityError
from maximask_astro.utils.files import file_sha256
from maximask_astro.weights.checkpoint import read_checkpoint

__all__ = ["convert_checkpoint", "is_checkpoint"]

DATA_FILE = "variables.data-00000-of-00001"

# The published MaxiTrack keeps its PReLU slopes as unnamed variables.
_MAXITRACK_SLOPES = {
    f"variables/{number}": f"slopes{index}/alpha"
    for index, number in enumerate((2, 5, 8, 11, 14, 17, 20), start=1)
}


def is_checkpoint(directory):
    """
    Whether a directory holds a published network in its original format.

    Parameters
    ----------
    directory : path-like
        The directory of a TensorFlow SavedModel.

    Returns
    -------
    found : bool
        Whether there is a checkpoint in its ``variables``.
    """
    return (Path(directory) / "variables" / DATA_FILE).is_file()


def convert_checkpoint(directory, *, expected_sha256=None):
    """
    Read a checkpoint under the names of our Keras variables.

    Parameters
    ----------
    directory : path-like
        The directory of a TensorFlow SavedModel (with ``variables`` in it).

    expected_sha256 : str, optional
        What the SHA-256 of the data file must be.

    Returns
    -------
    weights : dict of str to `~numpy.ndarray`
        float32 arrays by the path of the Keras variable.

    Raises
    ------
    ModelIntegrityError
        The checkpoint is missing, damaged, or not the expected one.
    """
    variables = Path(directory) / "variables"
    data = variables / DATA_FILE
    if not data.is_file():
        raise ModelIntegrityError(
            f"{directory} holds no TensorFlow checkpoint: there is no "
            f"variables/{DATA_FILE} in it."
        )
    if expected_sha256 is not None:
        found = file_sha256(data)
        if found != expected_sha256:
            raise ModelIntegrityError(
                f"{data} is damaged or not the published file: its SHA-256 is "
                f"{found[:12]}..., not {expected_sha256[:12]}...."
            )
    return {
        _MAXITRACK_SLOPES.get(name, name): array
        for name, array in read_checkpoint(variables).items()
    }
