"""Recipes: everything that decides how a model is trained, in a TOML file."""

import tomllib
from dataclasses import dataclass, field, fields
from importlib import resources
from pathlib import Path

from maximask_astro.utils.errors import InputError

__all__ = ["Recipe", "read_recipe"]


@dataclass(frozen=True)
class Recipe:
    """
    How a model is trained.

    Parameters
    ----------
    name : str
        Name of the recipe.

    architecture : str
        Key of `maximask_astro.models.ARCHITECTURES`.

    options : dict
        Arguments of the architecture's builder.

    size : int
        Height and width of the simulated exposures in pixels.

    batch : int
        Exposures a step.

    steps : int
        Number of steps.

    warmup : int
        Steps over which the learning rate rises to its peak; from there it
        falls to zero as a cosine.

    learning_rate : float
        Its peak.

    weight_decay : float
        Of AdamW, in place of the paper's equation 17.

    weight_power : float
        Power of the class weights, see `class_weights`.

    ema : float
        Decay a step of the running mean of the weights that is evaluated and
        kept in the end.

    precision : {'float32', 'bfloat16'}
        Of the network's arithmetic; weights are float32.

    validation : int
        Exposures in the validation set.

    validate_every, save_minutes : float
        Steps between validations and minutes between checkpoints.

    seed : int
        Of weights, training and validation sets.

    frequencies : dict of str to float
        How often exposures have a class, in place of
        `maximask_astro.simulation.DEFAULT_FREQUENCIES`.
    """

    name: str
    architecture: str = "folded_unet"
    options: dict = field(default_factory=dict)
    size: int = 416
    batch: int = 8
    steps: int = 1000
    warmup: int = 100
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    weight_power: float = 0.5
    ema: float = 0.999
    precision: str = "float32"
    validation: int = 64
    validate_every: int = 500
    save_minutes: float = 3.0
    seed: int = 1
    frequencies: dict = field(default_factory=dict)


def read_recipe(recipe):
    """
    Read a recipe.

    Parameters
    ----------
    recipe : str or path-like
        ``'default'``, ``'cpu'``, ``'smoke'``, or a TOML file.

    Returns
    -------
    recipe : `Recipe`
        The recipe.

    Raises
    ------
    InputError
        There is no such recipe, or it says something that recipes cannot say.
    """
    path = Path(str(recipe))
    if path.suffix != ".toml":
        folder = resources.files("maximask_astro.training") / "recipes"
        path = Path(str(folder / f"{recipe}.toml"))
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"The recipe {recipe} cannot be read: {error}.") from error
    unknown = content.keys() - {item.name for item in fields(Recipe)}
    if unknown:
        raise InputError(
            f"The recipe {path} has the unknown entry '{sorted(unknown)[0]}'."
        )
    return Recipe(**{"name": path.stem, **content})
