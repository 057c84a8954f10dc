"""Parts of the simulation, each compiled for itself."""

from functools import cache, lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from maximask_astro.utils.compiling import compiled

__all__ = ["run_stage", "simulate_each", "some_of"]


@cache
def _compiled(function, shape, side_by_side):
    if shape is not None:
        function = partial(function, shape=shape)
    return compiled(jax.vmap(function) if side_by_side else function)


def run_stage(function, *arguments, shape=None):
    """
    Run a part of the simulation, compiled for exposures of this size.

    Whatever is simulated has parts in common with other simulations, and is spared
    those that it does not need: to compile all of it as one program would take as
    long for each of them.

    Parameters
    ----------
    function : callable
        The part, for one exposure: from arrays, and its size if that is given, to
        arrays. It must be a function of a module, for it is kept.

    *arguments
        Trees of arrays: of one exposure or, on an accelerator, of several, along
        their first axis.

    shape : tuple of two int, optional
        Size of the exposures.

    Returns
    -------
    results : tree of arrays
        What the function gives.
    """
    return _compiled(function, shape, _side_by_side())(*arguments)


def _side_by_side():
    """
    Whether exposures are simulated together.

    One by one, a processor is spared what an exposure does not have; an accelerator
    makes them side by side and all that any of them has.
    """
    return jax.default_backend() != "cpu"


def _added(function, there, key, image, *arguments):
    after, mask = function(key, image, *arguments)
    return jnp.where(there, after, image), mask & there


@cache
def _adding(function):
    """One function for each, so that it is compiled once."""
    return partial(_added, function)


@lru_cache(maxsize=8)
def _nothing(shape):
    return jnp.zeros(shape, bool)


def some_of(function, there, key, image, *arguments):
    """
    Apply a contaminant to those of the exposures that have it.

    Parameters
    ----------
    function : callable
        From a key, an image and more to the image with the contaminant and its mask.

    there : `~numpy.ndarray` of bool
        Which of them have it.

    key, image : array
        Of the exposures, as in `run_stage`.

    *arguments
        What else the function takes.

    Returns
    -------
    image, mask : array
        Those that do not have it are as they were, and their masks are empty.
    """
    if not np.any(there):
        return image, _nothing(image.shape)
    return run_stage(_adding(function), there, key, image, *arguments)


def simulate_each(simulation, *arguments):
    """
    Simulate several exposures: one by one on a processor, else side by side.

    Parameters
    ----------
    simulation : callable
        Made of stages.

    *arguments
        Trees of arrays, with the exposures along their first axis.

    Returns
    -------
    results : tree of arrays
        What the simulation gives, with the exposures along the first axis.
    """
    if _side_by_side():
        return simulation(*arguments)
    number = len(jax.tree.leaves(arguments)[0])
    results = [
        simulation(*jax.tree.map(lambda values, i=index: values[i], arguments))
        for index in range(number)
    ]
    return jax.tree.map(lambda *parts: jnp.stack(parts), *results)
