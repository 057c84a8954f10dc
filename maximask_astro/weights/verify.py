"""Check an installed model against what its network should give."""

from dataclasses import dataclass

import numpy as np

from maximask_astro.background import Sky, ViewBuilder, constant_surface
from maximask_astro.utils.errors import ModelIntegrityError
from maximask_astro.weights.arrays import read_arrays
from maximask_astro.weights.model import load_model
from maximask_astro.weights.store import TEST, packaged_file

__all__ = ["Verification", "make_test_block", "make_test_tensors", "verify_model"]

_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Verification:
    """
    Outcome of `verify_model`.

    Parameters
    ----------
    name : str
        The model.

    largest_difference : float
        Between the probabilities it gives and those stored.

    n_values : int
        How many were compared.

    passed : bool
        Whether the largest difference is within 1e-4.
    """

    name: str
    largest_difference: float
    n_values: int
    passed: bool


def make_test_block(size=400):
    """
    Make the image that stored test tensors belong to.

    It is not meant to look real, only to make every part of a network work:
    noise, stars of all brightnesses, a trail, a bright column, a flat corner.

    Parameters
    ----------
    size : int, optional
        Height and width in pixels.

    Returns
    -------
    image : `~numpy.ndarray`
        float32, shape (``size``, ``size``), in units of the sky noise.
    """
    random = np.random.RandomState(20200213)
    image = random.standard_normal((size, size))
    rows, columns = np.mgrid[:size, :size]
    for row, column, brightness, width in zip(
        *random.uniform(0, size, (2, 60)),
        10 ** random.uniform(0.5, 4.0, 60),
        random.uniform(0.8, 3.0, 60),
        strict=True,
    ):
        distance = (rows - row) ** 2 + (columns - column) ** 2
        image += brightness * np.exp(-0.5 * distance / width**2)
    distance = rows - 0.4 * columns - 0.3 * size
    image += 8.0 * np.exp(-0.5 * (distance / 1.5) ** 2)
    image[:, size // 3] += 40.0
    image[: size // 8, -size // 8 :] = -5.0
    return image.astype(np.float32)


def _with_view(image, options):
    """The test image as a frame of its own, for a network with a view of it."""
    shape = image.shape[1:3]
    builder = ViewBuilder(shape)
    builder.add(0, image[0, ..., 0], None)
    view = builder.finish(Sky(constant_surface(0.0), constant_surface(1.0)))
    stride = 2 ** (len(options["frame"]) - 1)
    missing = [(0, -size % stride) for size in view.blocks.shape[:2]]
    return {
        "image": image,
        "blocks": np.pad(view.blocks, [*missing, (0, 0)])[None],
        "columns": view.columns[None],
        "rows": view.rows[None],
        "origin": np.zeros((1, 2), np.int32),
    }


def _probabilities(loaded):
    """What the network says about the test image, all of it between 0 and 1."""
    import jax

    network = loaded.network
    variables = (
        [variable.value for variable in network.trainable_variables],
        [variable.value for variable in network.non_trainable_variables],
    )
    image = make_test_block(loaded.card.input["block"])[None, :, :, None]
    inputs = image
    if len(network.inputs) > 1:
        inputs = _with_view(image, loaded.card.options)
    output, _ = jax.jit(network.stateless_call)(*variables, inputs)
    logits = (output[0] if len(network.outputs) > 1 else output)[0]
    if "tracked" in loaded.card.classes:  # one of two
        return np.asarray(jax.nn.softmax(logits))
    return np.asarray(jax.nn.sigmoid(logits))


def make_test_tensors(model, number=200):
    """
    Make the test tensors of a model.

    Parameters
    ----------
    model : `LoadedModel`
        The model.

    number : int, optional
        Number of pixels.

    Returns
    -------
    test : dict of str to `~numpy.ndarray`
        ``rows`` and ``columns`` of pixels of the test image, and the
        ``probabilities`` of all classes there. For tracking, what is said about
        the whole test image alone.
    """
    if model.card.task == "tracking":
        return {"probabilities": _probabilities(model)}
    random = np.random.RandomState(20200213)
    rows, columns = random.randint(0, model.card.input["block"], (2, number))
    probabilities = _probabilities(model)[rows, columns]
    return {"rows": rows, "columns": columns, "probabilities": probabilities}


def verify_model(model):
    """
    Run a model on its test image and compare with its stored output.

    Parameters
    ----------
    model : str or path-like
        As for `load_model`.

    Returns
    -------
    verification : `Verification`
        What was compared and whether it passed.

    Raises
    ------
    ModelNotFoundError, ModelIntegrityError
        As `load_model`, or there are no test tensors.
    """
    loaded = load_model(model)
    path = loaded.directory / TEST
    if not path.is_file():
        path = packaged_file(loaded.card.name, TEST)  # a directory of the original
    if not path.is_file():
        raise ModelIntegrityError(f"{path} with the model's test tensors is missing.")
    test = read_arrays(path)
    tracking = loaded.card.task == "tracking"
    wanted = {"probabilities"} if tracking else {"probabilities", "rows", "columns"}
    if wanted - test.keys():
        raise ModelIntegrityError(
            f"{path} has no test tensors {', '.join(sorted(wanted - test.keys()))}."
        )
    if tracking:
        output = _probabilities(loaded)
    else:
        output = _probabilities(loaded)[test["rows"], test["columns"]]
    difference = float(np.abs(output - test["probabilities"]).max())
    return Verification(
        loaded.card.name, difference, output.size, difference <= _TOLERANCE
    )
