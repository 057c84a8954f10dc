"""Make a model of a training: weights in half precision, card, test tensors."""

import inspect
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from maximask_astro import __version__
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.training import masker_card, tracking_card
from maximask_astro.training.checkpoint import read_checkpoint
from maximask_astro.training.runs import read_log, read_runs, summarize_runs
from maximask_astro.utils.keras_backend import import_keras
from maximask_astro.weights import (
    LoadedModel,
    ModelCard,
    load_model,
    make_test_tensors,
    save_model,
    weights_digest,
)

__all__ = ["export_model", "half_precision", "write_model"]

_LIMIT = (
    "Trained on simulated exposures only: what the simulation does not know may look "
    "like anything to it."
)


def half_precision(weights):
    """
    Store weights in half the space.

    Parameters
    ----------
    weights : dict of str to array
        Weights by the path of the Keras variable.

    Returns
    -------
    halves : dict of str to `~numpy.ndarray`
        The same in float16.
    """
    return {path: np.asarray(value, np.float16) for path, value in weights.items()}


def _network_of(recipe):
    import_keras()
    from maximask_astro.models import ARCHITECTURES

    return ARCHITECTURES[recipe.architecture](
        **recipe.options, kernel_initializer="zeros"
    )


def _all_options(recipe):
    """The options of the architecture, also those left to their defaults."""
    from maximask_astro.models import ARCHITECTURES

    parameters = inspect.signature(ARCHITECTURES[recipe.architecture]).parameters
    options = {name: item.default for name, item in parameters.items()}
    del options["kernel_initializer"]  # not part of the network
    return {**options, **recipe.options}


def export_model(
    directory,
    output,
    *,
    name=None,
    description=None,
    number=64,
    known_limits=(_LIMIT,),
    figures=None,
    training=None,
    skies=None,
    likeness=None,
    progress_bar=False,
):
    """
    Make a model directory of the checkpoint of a training.

    The running mean of the weights is stored in half precision. With these
    weights, exposures that are simulated from keys that training never uses
    are judged as a masker or a classifier judges them; ROC points, thresholds
    and calibration come from there.

    Parameters
    ----------
    directory : path-like
        Directory of the training.

    output : path-like
        Directory of the model; an earlier model there is replaced.

    name : str, optional
        Name of the model; by default that of the output directory.

    description : str, optional
        What it is, in a sentence or two.

    number : int, optional
        How many exposures are simulated.

    known_limits : iterable of str, optional
        Where the model fails, in sentences.

    figures : dict of str to dict, optional
        What else was measured, for the card.

    training : dict, optional
        What to say on the card in place of what the training left behind.

    skies : list of `~maximask_astro.training.skies.Sky`, optional
        Real skies that a masker's training has not seen, for half of these exposures.

    likeness : dict of str to array, optional
        From `~maximask_astro.training.measure_likeness`: lets the model tell images
        that are unlike exposures.

    progress_bar : bool, optional
        Whether to show a progress bar over exposures.

    Returns
    -------
    card : `~maximask_astro.weights.ModelCard`
        The card.

    Raises
    ------
    InputError
        There is no checkpoint.
    """
    recipe, step, groups = read_checkpoint(directory)
    network = _network_of(recipe)
    content = tracking_card if recipe.task == "tracking" else masker_card
    paths = groups["paths"][0].tolist()
    weights = half_precision(dict(zip(paths, groups["mean"], strict=True)))
    likeness = half_precision(likeness or {})
    card = ModelCard(
        name=name or str(output).rstrip("/").rpartition("/")[2],
        task=recipe.task,
        description=description
        or f"Trained on simulated exposures by the recipe '{recipe.name}'.",
        architecture=recipe.architecture,
        options=_all_options(recipe),
        source={"package": f"maximask_astro {__version__}"},
        license="BSD-3-Clause",
        citation="Paillassa, M., Bertin, E., & Bouy, H. 2020, A&A, 634, A48, "
        "doi:10.1051/0004-6361/201936345",
        weights_sha256=weights_digest(weights),
        likeness_sha256=weights_digest(likeness) if likeness else "",
        known_limits=tuple(known_limits),
        training={
            **summarize_runs(read_runs(directory), recipe, step, read_log(directory)),
            "exported": datetime.now(UTC).isoformat(timespec="seconds"),
            **(training or {}),
        },
        **content.describe(recipe, network, groups),
    )
    model = LoadedModel(card, {path: w.astype("f4") for path, w in weights.items()})
    options = {}
    if recipe.task == "contaminants":
        pixels, _ = groups["proportions"]
        fractions = dict(zip(ABBREVIATIONS, map(float, pixels), strict=True))
        options = {"fractions": fractions, "skies": skies}
    found = content.measure(model, recipe, number, progress_bar, **options)
    found["figures"] = {**found["figures"], **(figures or {})}
    card = replace(card, **found)
    save_model(output, card, weights, make_test_tensors(model), likeness)
    return card


def write_model(model, directory):
    """
    Save a model that was trained here.

    Parameters
    ----------
    model : `~maximask_astro.weights.LoadedModel`
        The model; its weights must be exact in half precision, as those of
        `fine_tune` are.

    directory : path-like
        Where; an earlier model there is replaced.

    Returns
    -------
    saved : `~maximask_astro.weights.LoadedModel`
        The model as it is loaded from there.
    """
    arrays = half_precision(model.weights), make_test_tensors(model)
    save_model(directory, model.card, *arrays, half_precision(model.likeness))
    return load_model(directory)
