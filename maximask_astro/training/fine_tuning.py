"""Adapt a model to a camera by exposures with masks of one's own."""

from dataclasses import replace

from maximask_astro import __version__
from maximask_astro.training.examples import make_examples
from maximask_astro.training.export import half_precision
from maximask_astro.training.recipe import read_recipe
from maximask_astro.training.runs import summarize_runs
from maximask_astro.training.trainer import MaskerTrainer
from maximask_astro.weights import LoadedModel, load_model, weights_digest

__all__ = ["adapted_model", "fine_tune"]


def adapted_model(trainer, name=None):
    """
    Make a model of a training that learned from examples.

    Parameters
    ----------
    trainer : `MaskerTrainer`
        The trainer, with a model it began with and examples.

    name : str, optional
        Name of the model; by default that of the first with ``-adapted``.

    Returns
    -------
    model : `~maximask_astro.weights.LoadedModel`
        The model. Its card has the priors and thresholds of the first, since
        the loss presents the classes alike, but no ROC curves or figures,
        which were those of other weights.
    """
    base, number = trainer.start.card, len(trainer.examples)
    paths = [variable.path for variable in trainer.network.trainable_variables]
    weights = dict(zip(paths, trainer.groups["mean"], strict=True))
    # In half precision, as they will be if the model is saved.
    weights = half_precision(weights)
    card = replace(
        base,
        name=name or f"{base.name}-adapted",
        description=f"The model {base.name}, adapted to {number} exposures.",
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
            f"Adapted to {number} exposures: it may do worse on others than before.",
        ),
    )
    full = {path: array.astype("f4") for path, array in weights.items()}
    return LoadedModel(card, full)


def fine_tune(
    model,
    images,
    masks,
    *,
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
    Adapt a model to exposures with masks.

    Learns from random crops of the exposures, turned and mirrored at random,
    and in part from simulated exposures, so that it does not forget what the
    masks do not show.

    Parameters
    ----------
    model : str, path-like or `~maximask_astro.weights.LoadedModel`
        The model to begin with. It is not changed.

    images, masks, classes : object
        See `make_examples`.

    steps, learning_rate, size, batch, simulated, seed : optional
        In place of what the recipe ``'fine_tune'`` says, see `Recipe`.

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
        Images and masks do not match, or the loss is not finite.
    """
    model = load_model(model)
    changes = {
        "steps": steps,
        "learning_rate": learning_rate,
        "size": size,
        "batch": batch,
        "simulated": simulated,
        "seed": seed,
    }
    changes = {name: value for name, value in changes.items() if value is not None}
    recipe = read_recipe("fine_tune")
    recipe = replace(recipe, **changes)
    if steps is not None:
        recipe = replace(recipe, warmup=min(recipe.warmup, steps // 10))
    examples = make_examples(
        images, masks, classes=classes, normalization=model.card.normalization
    )
    trainer = MaskerTrainer(recipe, None, start=model, examples=examples)
    trainer.run(progress_bar=progress_bar)
    return adapted_model(trainer, name)
