"""How functions that take rows are compiled for the device."""

from functools import lru_cache

__all__ = ["compiled"]

# XLA's older way to make loops of what it fuses: with its newer one, putting rows and
# channels together takes twice as long, and a network a tenth longer. It is not for
# tiles, which gain little, and whose last bits would depend on their size.
_ON_CPU = {"xla_cpu_use_fusion_emitters": False}


@lru_cache(maxsize=1)
def _options():
    """Options that this XLA knows, None for its own choice."""
    import jax

    if jax.default_backend() != "cpu":
        return None
    try:
        jax.jit(lambda value: value, compiler_options=_ON_CPU).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:
        return None
    return _ON_CPU


def compiled(function, **options):
    """
    Let JAX compile a function when it is called.

    Parameters
    ----------
    function : callable
        The function.

    **options
        Of `jax.jit`.

    Returns
    -------
    function : callable
        The same, compiled for the process's devices.
    """
    import jax

    return jax.jit(function, compiler_options=_options(), **options)
