"""Random numbers for simulations: small wrappers that read like sentences."""

from collections import namedtuple

import jax
import jax.numpy as jnp

__all__ = [
    "chance",
    "choice",
    "log_between",
    "log_uniform",
    "normal",
    "power_law",
    "uniform",
    "uniforms",
]


def uniform(key, low, high, shape=()):
    """
    Uniform numbers.

    Parameters
    ----------
    key : array
        PRNG key.

    low, high : float
        Range.

    shape : tuple of int, optional
        Shape of the result.

    Returns
    -------
    numbers : array
        float32.
    """
    return jax.random.uniform(key, shape, minval=low, maxval=high)


def uniforms(key, *names, shape=()):
    """
    Draw uniform numbers in [0, 1), each with a name.

    One large draw is compiled faster than many small ones: modules that need many
    numbers draw them at once.

    Parameters
    ----------
    key : array
        PRNG key.

    *names : str
        What the numbers are for.

    shape : tuple of int, optional
        Shape of what each name gets.

    Returns
    -------
    draw : namedtuple
        float32 arrays of that shape by name.

    Examples
    --------
    >>> import jax
    >>> from maximask_astro.simulation.draws import uniforms
    >>> draw = uniforms(jax.random.key(1), "place", "width", shape=(3,))
    >>> draw.place.shape
    (3,)
    """
    return namedtuple("Draw", names)(*jax.random.uniform(key, (len(names), *shape)))


def log_uniform(key, low, high, shape=()):
    """
    Draw numbers whose logarithm is uniform.

    Parameters
    ----------
    key : array
        PRNG key.

    low, high : float
        Range, positive.

    shape : tuple of int, optional
        Shape of the result.

    Returns
    -------
    numbers : array
        float32.
    """
    return jnp.exp(uniform(key, jnp.log(low), jnp.log(high), shape))


def log_between(numbers, low, high):
    """
    Turn uniform numbers into such whose logarithm is uniform.

    Parameters
    ----------
    numbers : array
        In [0, 1), of `uniforms` for instance.

    low, high : float or array
        Range, positive.

    Returns
    -------
    numbers : array
        Of the same shape.
    """
    return low * (high / low) ** numbers


def normal(key, shape=()):
    """
    Standard normal numbers.

    Parameters
    ----------
    key : array
        PRNG key.

    shape : tuple of int, optional
        Shape of the result.

    Returns
    -------
    numbers : array
        float32.
    """
    return jax.random.normal(key, shape)


def chance(key, probability, shape=()):
    """
    Whether something happens.

    Parameters
    ----------
    key : array
        PRNG key.

    probability : float or array
        In [0, 1].

    shape : tuple of int, optional
        Shape of the result.

    Returns
    -------
    happens : array
        Boolean.
    """
    return jax.random.uniform(key, shape) < probability


def choice(key, weights, shape=()):
    """
    Index of one of several possibilities.

    Parameters
    ----------
    key : array
        PRNG key.

    weights : sequence of float
        Relative frequencies.

    shape : tuple of int, optional
        Shape of the result.

    Returns
    -------
    index : array
        int32.
    """
    return jax.random.categorical(key, jnp.log(jnp.asarray(weights)), shape=shape)


def power_law(key, slope, shape=()):
    """
    Draw numbers of at least 1 whose cumulative counts fall as a power.

    Parameters
    ----------
    key : array
        PRNG key.

    slope : float or array
        N(> x) goes as x to minus this.

    shape : tuple of int, optional
        Shape of the result.

    Returns
    -------
    numbers : array
        float32, at least 1.
    """
    u = jax.random.uniform(key, shape, minval=1e-6, maxval=1.0)
    return u ** (-1.0 / slope)
