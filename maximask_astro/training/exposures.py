"""Simulated exposures for training: which keys they are made from."""

from maximask_astro.simulation import (
    DEFAULT_FREQUENCIES,
    SimulationConfig,
    simulate,
)
from maximask_astro.training.priors import DEFAULT_PRIORS

__all__ = [
    "PURPOSES",
    "exposure_key",
    "night_config",
    "pack_bits",
    "simulated_batch",
    "simulation_config",
]

# Exposures of two purposes never meet; "jitter" draws no exposures.
PURPOSES = {
    "training": 0,
    "validation": 1,
    "proportions": 2,
    "jitter": 3,
    "export": 4,
    "skies": 5,
    "night": 6,
    "export on skies": 7,
    "night on skies": 8,
}


# Training shows what is hard more often than a night does, by so much.
_UNUSUAL = 0.1

# The same for all trainings, so that they can be compared.
_VALIDATION_SEED = 0


def simulation_config(recipe, purpose="training"):
    """
    The simulation that a recipe asks for.

    Parameters
    ----------
    recipe : `Recipe`
        The recipe.

    purpose : str, optional
        Key of ``PURPOSES``: there are no quiet exposures for validation.

    Returns
    -------
    config : `~maximask_astro.simulation.SimulationConfig`
        The configuration.
    """
    frequencies = {**DEFAULT_FREQUENCIES, **recipe.frequencies}
    return SimulationConfig(
        (recipe.size, recipe.size),
        tuple(frequencies.items()),
        quiet=0.0 if purpose == "validation" else recipe.quiet,
    )


def night_config(recipe, fractions, unusual=_UNUSUAL):
    """
    The simulation of a night, in which contaminants are as rare as the priors say.

    Parameters
    ----------
    recipe : `Recipe`
        The recipe.

    fractions : mapping of str to float
        Fraction of the pixels of simulated exposures that have each class, with the
        frequencies of the recipe.

    unusual : float, optional
        How often there is what few exposures have, in units of training, see
        `~maximask_astro.simulation.SimulationConfig`.

    Returns
    -------
    config : `~maximask_astro.simulation.SimulationConfig`
        As that of the recipe, but with fewer exposures that have a class, so that the
        fraction of the pixels is the default prior of our models; never more.
    """
    usual = dict(simulation_config(recipe).frequencies)
    often = {
        name: often * min(1.0, DEFAULT_PRIORS[name] / fractions[name])
        for name, often in usual.items()
    }
    return SimulationConfig(
        (recipe.size, recipe.size), tuple(often.items()), unusual=unusual
    )


def exposure_key(seed, purpose, index):
    """
    Key of a batch of exposures.

    Parameters
    ----------
    seed : int
        Seed of the recipe; it makes no difference for validation.

    purpose : str
        Key of ``PURPOSES``.

    index : int
        Number of the batch.

    Returns
    -------
    key : `jax.Array`
        The key.
    """
    import jax

    if purpose == "validation":
        seed = _VALIDATION_SEED

    key = jax.random.fold_in(jax.random.key(seed), PURPOSES[purpose])
    return jax.random.fold_in(key, index)


def simulated_batch(recipe, config, purpose, index, number=None):
    """
    Simulate a batch.

    Parameters
    ----------
    recipe : `Recipe`
        The recipe.

    config : `~maximask_astro.simulation.SimulationConfig`
        From `simulation_config`.

    purpose : str
        Key of ``PURPOSES``.

    index : int
        Number of the batch.

    number : int, optional
        Exposures in it; by default the recipe's batch.

    Returns
    -------
    images, labels : `jax.Array`
        As of `maximask_astro.simulation.simulate`.
    """
    key = exposure_key(recipe.seed, purpose, index)
    # Compiled once for all purposes, apart from the network.
    images, labels, _ = simulate(key, number or recipe.batch, config)
    return images, labels


def pack_bits(labels):
    """
    Put the planes of classes into bits.

    Parameters
    ----------
    labels : array
        Boolean, shape (..., classes).

    Returns
    -------
    bits : array
        uint16, shape (...).
    """
    import jax.numpy as jnp

    places = jnp.arange(labels.shape[-1], dtype=jnp.uint16)
    return (labels.astype(jnp.uint16) << places).sum(-1, dtype=jnp.uint16)
