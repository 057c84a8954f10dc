"""How functions are compiled where the usual way takes too long, or is slower."""

from types import MappingProxyType

__all__ = ["compiled"]

# XLA's older way to make loops of what it fuses: with its newer one, putting rows and
# channels together takes twice as long, a network of rows a tenth longer, and
# compiling a simulation twice as long. It is not for tiles, which gain little, and
# whose last bits would depend on their size.
_ON_CPU = MappingProxyType({"xla_cpu_use_fusion_emitters": False})


def compiled(function, *, on_cpu=_ON_CPU, **options):
    """
    Let JAX compile a function when it is called.

    Parameters
    ----------
    function : callable
        The function.

    on_cpu : mapping of str to object, optional
        Options of XLA for CPUs; they are left out if it does not know them.

    **options
        Of `jax.jit`.

    Returns
    -------
    function : callable
        The same, compiled for the process's devices.
    """
    import jax

    plain = jax.jit(function, **options)
    if jax.default_backend() != "cpu":
        return plain
    chosen = jax.jit(function, compiler_options=dict(on_cpu), **options)

    def call(*args, **kwargs):
        nonlocal chosen
        try:
            return chosen(*args, **kwargs)
        except jax.errors.JaxRuntimeError as error:
            if not any(name in str(error) for name in on_cpu):
                raise
            chosen = plain
            return plain(*args, **kwargs)

    return call
