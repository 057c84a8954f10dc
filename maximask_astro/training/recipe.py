"""Recipes: everything that decides how a model is trained, in a TOML file."""

import hashlib
import math
import tomllib
from dataclasses import dataclass, field, fields, replace
from importlib import resources
from numbers import Real
from pathlib import Path

from maximask_astro.flags import get_class
from maximask_astro.utils.errors import InputError

__all__ = ["Recipe", "adapted_recipe", "read_recipe"]

_CHOICES = {
    "task": ("contaminants", "tracking"),
    "loss": ("balanced", "paper"),
    "precision": ("float32", "bfloat16"),
}
_POSITIVE = ("size", "batch", "steps", "learning_rate", "validate_every")
_FRACTIONS = ("simulated", "ema", "quiet", "cutouts", "real")


@dataclass(frozen=True)
class Recipe:
    """
    How a model is trained.

    Parameters
    ----------
    name : str
        Name of the recipe.

    task : {'contaminants', 'tracking'}
        What the network is to learn. For tracking errors, ``loss``,
        ``weight_power``, ``jitter``, ``emphasis``, ``frequencies``, ``quiet``,
        ``cutouts`` and ``simulated`` mean nothing.

    architecture : str
        Key of `maximask_astro.models.ARCHITECTURES`.

    options : dict
        Arguments of the architecture's builder.

    size : int
        Height and width of the simulated exposures in pixels.

    crop : int
        Height and width of the part of each exposure that is looked at closely; 0 for
        all of it. The whole-frame view, if the network has one, is of the whole
        exposure.

    blocks : float
        How much the loss of the view's blocks counts beside that of pixels.

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

    loss : {'balanced', 'paper'}
        Weights of `balanced_loss_weights`, or the paper's `paper_loss_weights`.

    weight_power : float
        Power of the weights, see `positive_weights` and `class_weights`.

    jitter : float
        Standard deviation of random factors on, and offsets to, the normalized
        exposures, so that errors of the sky and its noise matter little.

    ema : float
        Decay a step of the running mean of the weights that is evaluated and
        kept in the end.

    precision : {'float32', 'bfloat16'}
        Of the network's arithmetic; weights are float32.

    validation : int
        Exposures in the validation set; 0 for none.

    validate_every, save_minutes : float
        Steps between validations and minutes between checkpoints.

    seed : int
        Of weights and training sets. Validation sets are the same for all.

    frequencies : dict of str to float
        How often exposures have a class, in place of
        `maximask_astro.simulation.DEFAULT_FREQUENCIES`.

    emphasis : dict of str to float
        How many times as much as others a class counts in the loss, by
        abbreviation; its pixels count like this whether they have it or not, so
        that the priors stay.

    quiet : float
        Fraction of quiet exposures among those learned from, see
        `maximask_astro.simulation.SimulationConfig`; the validation set has
        none.

    cutouts : float
        Fraction of the steps that learn from small images: exposures are cut into two
        by two, or four by four, pieces, of which two or four are used.

    real : float
        Fraction of the simulated exposures whose sky is a real one, if there are real
        skies to learn from.

    simulated : float
        Fraction of the exposures of a batch that are simulated, where there
        are examples of one's own.

    start, data : str
        Digests of the model that training begins with and of the examples;
        they are filled in and make sure that training goes on with the same.

    Raises
    ------
    InputError
        A value is not as described.
    """

    name: str
    task: str = "contaminants"
    architecture: str = "folded_unet"
    options: dict = field(default_factory=dict)
    size: int = 416
    crop: int = 0
    blocks: float = 0.3
    batch: int = 8
    steps: int = 1000
    warmup: int = 100
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    loss: str = "balanced"
    weight_power: float = 0.7
    jitter: float = 0.1
    ema: float = 0.999
    precision: str = "float32"
    validation: int = 64
    validate_every: int = 500
    save_minutes: float = 3.0
    seed: int = 1
    frequencies: dict = field(default_factory=dict)
    emphasis: dict = field(default_factory=dict)
    quiet: float = 0.0
    cutouts: float = 0.0
    real: float = 0.4
    simulated: float = 1.0
    start: str = ""
    data: str = ""

    def __post_init__(self):
        for item in fields(self):
            self._check(item.name, getattr(self, item.name), item.type)
        if self.emphasis and self.loss == "paper":
            raise self._error("emphasis is for the loss 'balanced'")
        for entry, highest in (("frequency", 1), ("emphasis", math.inf)):
            given = self.frequencies if entry == "frequency" else self.emphasis
            for name, value in given.items():
                self._check_of_class(entry, name, value, highest)

    def _check_of_class(self, entry, name, value, highest):
        try:
            get_class(name)
        except ValueError as error:
            raise self._error(f"{entry}: {error}".rstrip(".")) from None
        if not (isinstance(value, Real) and 0 <= value <= highest):
            allowed = f"from 0 to {highest}" if highest == 1 else "at least 0"
            raise self._error(f"the {entry} of {name} must be {allowed}")

    def _error(self, reason):
        return InputError(f"The recipe '{self.name}' is wrong: {reason}.")

    def _check(self, name, value, kind):
        number = isinstance(value, Real) and not isinstance(value, bool)
        if kind in (int, float):
            whole = kind is float or (number and float(value).is_integer())
            if not (number and math.isfinite(value) and value >= 0 and whole):
                what = "number" if kind is float else "whole number"
                raise self._error(f"{name} must be a {what} of at least 0")
        elif not isinstance(value, kind):
            what = {str: "a text", dict: "a table"}[kind]
            raise self._error(f"{name} must be {what}")
        if name in _CHOICES and value not in _CHOICES[name]:
            allowed = " or ".join(f"'{choice}'" for choice in _CHOICES[name])
            raise self._error(f"{name} must be {allowed}")
        if name in _POSITIVE and not value > 0:
            raise self._error(f"{name} must be above 0")
        if name in _FRACTIONS and value > 1:
            raise self._error(f"{name} must be from 0 to 1")


def read_recipe(recipe):
    """
    Read a recipe.

    Parameters
    ----------
    recipe : str or path-like
        ``'default'``, ``'cpu'``, ``'smoke'``, ``'fine_tune'``,
        ``'fine_tune_skies'``, ``'tracking'``, ``'tracking_cpu'``,
        ``'tracking_smoke'``, or a TOML file.

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


def adapted_recipe(recipe, start=None, examples=None, skies=None):
    """
    Put a model to begin with, examples and skies into a recipe.

    Parameters
    ----------
    recipe : `Recipe`
        The recipe.

    start : `~maximask_astro.weights.LoadedModel`, optional
        The model; its architecture takes the place of the recipe's.

    examples : list of `Example`, optional
        The examples.

    skies : list of `~maximask_astro.training.skies.Sky`, optional
        Real skies.

    Returns
    -------
    adapted : `Recipe`
        The recipe with their digests.

    Raises
    ------
    InputError
        The model is for another task, its exposures are normalized in a way in
        which simulated ones cannot be, or all exposures would be simulated.
    """
    if start is not None:
        card = start.card
        if card.task != recipe.task:
            raise InputError(
                f"The model '{card.name}' is for {card.task}, the recipe "
                f"'{recipe.name}' for {recipe.task}; both must be for the same."
            )
        simulated = recipe.simulated if examples else 1.0
        # Those that judge tracking normalize by themselves.
        if (
            card.task == "contaminants"
            and simulated
            and card.normalization != "photutils"
        ):
            raise InputError(
                f"The model '{card.name}' takes exposures with the normalization "
                f"'{card.normalization}', which simulated ones do not have here; use "
                "examples only, with simulated = 0."
            )
        recipe = replace(recipe, start=card.weights_sha256)
        # A recipe may add a whole-frame view to a network that has none.
        grows = recipe.options.get("frame") and not card.options.get("frame")
        if not (grows and recipe.architecture == card.architecture):
            recipe = replace(
                recipe, architecture=card.architecture, options=dict(card.options)
            )
    if examples:
        if not round(recipe.batch * (1 - recipe.simulated)):
            raise InputError(
                f"The recipe '{recipe.name}' leaves no place for examples in its "
                f"batches of {recipe.batch}: let simulated be less than "
                f"{recipe.simulated:g}."
            )
        digest = hashlib.sha256()
        for example in examples:
            for array in (example.image, example.codes, example.known):
                digest.update(array.tobytes())
        recipe = replace(recipe, data=digest.hexdigest())
    if skies:
        digest = hashlib.sha256(recipe.data.encode())
        for sky in skies:
            digest.update(sky.image.tobytes())
        recipe = replace(recipe, data=digest.hexdigest())
    return recipe
