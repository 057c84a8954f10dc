"""Adapt a model to a camera by exposures of one's own, with masks or without."""

from dataclasses import replace

from scipy.special import expit

from maximask_astro import __version__
from maximask_astro.inference import log_prior_factor, logits_of_image
from maximask_astro.training.examples import make_examples
from maximask_astro.training.export import half_precision
from maximask_astro.training.recipe import read_recipe
from maximask_astro.training.runs import summarize_runs
from maximask_astro.training.skies import read_skies
from maximask_astro.training.trainer import MaskerTrainer
from maximask_astro.utils.errors import InputError
from maximask_astro.weights import LoadedModel, load_model, weights_digest

__all__ = ["adapted_model", "fine_tune", "judge_of"]


def adapted_model(trainer, name=None):
    """
    Make a model of a training that learned from examples.

    Parameters
    ----------
    trainer : `MaskerTrainer`
        The trainer, with a model it began with, and examples or skies.

    name : str, optional
        Name of the model; by default that of the first with ``-adapted``.

    Returns
    -------
    model : `~maximask_astro.weights.LoadedModel`
        The model. Its card has the priors and thresholds of the first, since
        the loss presents the classes alike, but no ROC curves or figures,
        which were those of other weights.
    """
    base = trainer.start.card
    parts = [
        f"{len(items)} {what}"
        for items, what in (
            (trainer.examples or [], "exposures with masks"),
            (trainer.skies or [], "real skies"),
        )
        if items
    ]
    learned = " and ".join(parts)
    paths = [variable.path for variable in trainer.network.trainable_variables]
    weights = dict(zip(paths, trainer.groups["mean"], strict=True))
    # In half precision, as they will be if the model is saved.
    weights = half_precision(weights)
    card = replace(
        base,
        name=name or f"{base.name}-adapted",
        description=f"The model {base.name}, adapted to {learned}.",
        source={
            "package": f"maximask_astro {__version__}",
            "model": base.name,
            "model_sha256": base.weights_sha256,
        },
        weights_sha256=weights_digest(weights),
        roc={},
        figures={},
        training=summarize_runs(trainer.runs, trainer.recipe, trainer.step),
        known_limits=(
            *base.known_limits,
            f"Adapted to {learned}: it may do worse on others than before.",
        ),
    )
    full = {path: array.astype("f4") for path, array in weights.items()}
    return LoadedModel(card, full, likeness=trainer.start.likeness)


def judge_of(model):
    """
    Let a model tell what it suspects on exposures without masks.

    Parameters
    ----------
    model : `~maximask_astro.weights.LoadedModel`
        The model.

    Returns
    -------
    judge : callable
        As `read_skies` takes it: from an exposure to a mapping from classes to
        planes of posterior probability, at the default priors.
    """
    card = model.card
    names = [name for name in card.classes if name not in ("BBG", "BG")]
    # A suspicion is what is likely where contaminants are as frequent as usual.
    shifts = {
        name: log_prior_factor(card.training_priors[name], card.prior(name))
        for name in names
    }

    def judge(image):
        logits = logits_of_image(model, image)
        return {
            name: expit(logits[..., card.classes.index(name)] - shifts[name])
            for name in names
        }

    return judge


def fine_tune(
    model,
    images=None,
    masks=None,
    *,
    skies=None,
    classes=None,
    steps=None,
    learning_rate=None,
    size=None,
    batch=None,
    simulated=None,
    seed=None,
    name=None,
    progress_bar=False,
):
    """
    Adapt a model to exposures with masks, or to ordinary ones without.

    Learns from random crops of the exposures, turned and mirrored at random,
    and in part from simulated exposures, so that it does not forget what the
    masks do not show. On exposures without masks, contaminants are simulated.

    Parameters
    ----------
    model : str, path-like or `~maximask_astro.weights.LoadedModel`
        The model to begin with. It is not changed.

    images, masks : object, optional
        See `make_examples`.

    skies : path-like or list of `~maximask_astro.training.skies.Sky`, optional
        Directory of ordinary exposures of the camera, or what
        `~maximask_astro.training.read_skies` made of it. What the model itself
        finds on them is left out of the loss.

    classes : str or iterable of str, optional
        See `make_examples`.

    steps, learning_rate, size, batch, simulated, seed : optional
        In place of what the recipe ``'fine_tune'`` says, or ``'fine_tune_skies'`` if
        there are no masks, see `Recipe`.

    name : str, optional
        Name of the new model.

    progress_bar : bool, optional
        Whether to show a progress bar.

    Returns
    -------
    adapted : `~maximask_astro.weights.LoadedModel`
        The new model.

    Raises
    ------
    InputError
        Images and masks do not match, there are neither images nor enough skies, or
        the loss is not finite.

    Warns
    -----
    MaximaskWarning
        Some of the skies cannot be used.
    """
    model = load_model(model)
    if images is None and skies is None:
        raise InputError(
            "There is nothing to learn from: give images with masks, or skies."
        )
    changes = {
        "steps": steps,
        "learning_rate": learning_rate,
        "size": size,
        "batch": batch,
        "simulated": simulated,
        "seed": seed,
    }
    changes = {name: value for name, value in changes.items() if value is not None}
    recipe = read_recipe("fine_tune_skies" if images is None else "fine_tune")
    recipe = replace(recipe, **changes)
    if steps is not None:
        recipe = replace(recipe, warmup=min(recipe.warmup, steps // 10))
    examples = None
    if images is not None:
        examples = make_examples(
            images, masks, classes=classes, normalization=model.card.normalization
        )
    if skies is not None and not isinstance(skies, list):
        skies = read_skies(skies, judge=judge_of(model))
    trainer = MaskerTrainer(recipe, None, start=model, examples=examples, skies=skies)
    trainer.run(progress_bar=progress_bar)
    return adapted_model(trainer, name)
