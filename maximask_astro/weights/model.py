"""Load a model: its card and a Keras network with its weights in place."""

from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path

from maximask_astro.utils.errors import ModelIntegrityError
from maximask_astro.utils.files import file_sha256
from maximask_astro.weights.arrays import read_likeness, read_weights, weights_digest
from maximask_astro.weights.card import ModelCard
from maximask_astro.weights.convert import (
    DATA_FILE,
    convert_checkpoint,
    is_checkpoint,
)
from maximask_astro.weights.store import (
    CARD,
    installed_card,
    list_models,
    model_path,
    packaged_card,
)

__all__ = ["LoadedModel", "load_model"]


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """
    A model ready to use.

    Its Keras network is built when it is first asked for: until then Keras is
    not imported.

    Parameters
    ----------
    card : `ModelCard`
        What is known about it.

    weights : dict of str to `~numpy.ndarray`
        Arrays by the path of the Keras variable.

    directory : `~pathlib.Path` or None
        Where its files are, if there are any.

    likeness : dict of str to `~numpy.ndarray`
        How to tell images that are unlike those it was trained on, see
        `maximask_astro.inference`; empty if it does not know.
    """

    card: ModelCard
    weights: dict
    directory: Path | None = None
    likeness: dict = field(default_factory=dict)

    def __getstate__(self):
        # The network is built again where it is needed.
        return {k: v for k, v in self.__dict__.items() if k != "network"}

    @property
    def _where(self):
        if self.directory is None:
            return f"of '{self.card.name}'"
        return f"in {self.directory}"

    @cached_property
    def network(self):
        """The `keras.Model` with its weights in place."""
        from maximask_astro.models import ARCHITECTURES

        name = self.card.architecture
        if name not in ARCHITECTURES:
            raise ModelIntegrityError(
                f"The card {self._where} names the architecture '{name}'; "
                f"there are {', '.join(ARCHITECTURES)}."
            )
        network = ARCHITECTURES[name](**self.card.options, kernel_initializer="zeros")
        wanted = {variable.path: variable for variable in network.weights}
        for path in wanted.keys() | self.weights.keys():
            shapes = [
                tuple(found[path].shape) if path in found else "no such array"
                for found in (self.weights, wanted)
            ]
            if shapes[0] != shapes[1]:
                raise ModelIntegrityError(
                    f"The weights {self._where} do not fit the architecture "
                    f"'{name}': '{path}' is {shapes[0]}, not {shapes[1]}."
                )
        for path, variable in wanted.items():
            variable.assign(self.weights[path])
        return network


def _read_original(directory):
    """Card and weights of a directory in the original's format."""
    digest = file_sha256(directory / "variables" / DATA_FILE)
    weights = convert_checkpoint(directory)
    base = "maximask-1.4.1" if "convmid/kernel" in weights else "maxitrack-1.4.1"
    card = packaged_card(base)
    if digest != card.source["data_sha256"]:
        # Somebody's own training of a published architecture.
        card = replace(
            card,
            name=directory.name,
            description=f"A network of the architecture of {base}.",
            source={"directory": str(directory)},
            weights_sha256=weights_digest(weights),
            license="unknown",
        )
    return card, weights


@lru_cache(maxsize=4)
def _load(directory, name, stamp):
    directory = Path(directory)
    if name is not None:
        card = installed_card(name)
        weights = read_weights(directory, card)
    elif is_checkpoint(directory):
        card, weights = _read_original(directory)
    else:
        card = ModelCard.read(directory / CARD)
        weights = read_weights(directory, card)
    return LoadedModel(card, weights, directory, read_likeness(directory, card))


def find_model(model):
    """
    Resolve a model's name or directory without loading it.

    Parameters
    ----------
    model : str or path-like
        Name of an installed model, or a directory in this library's format
        or in the original's.

    Returns
    -------
    directory : `~pathlib.Path`
        Its directory.

    name : str or None
        Its name, or None for a directory.

    Raises
    ------
    ModelNotFoundError
        There is no such model, or it is not installed.
    """
    text = str(model)
    if text not in list_models() and Path(text).is_dir():
        return Path(text).resolve(), None
    installed_card(text)
    return model_path(text), text


def load_model(model):
    """
    Load a model.

    Loaded models are kept, so that a second call costs nothing. Safe to call
    from several threads.

    Parameters
    ----------
    model : str, path-like or `LoadedModel`
        Name of a model (see ``maximask-astro weights list``), a directory in
        this library's format or in the original's, or a model that is loaded
        already, which is returned.

    Returns
    -------
    loaded : `LoadedModel`
        The card, the weights and, on demand, the Keras network.

    Raises
    ------
    ModelNotFoundError
        There is no such model, or it is not installed.

    ModelIntegrityError
        Its files are damaged, incomplete, or not what its card says.
    """
    if isinstance(model, LoadedModel):
        return model
    directory, name = find_model(model)
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    stamp = tuple((str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in files)
    return _load(str(directory), name, stamp)
