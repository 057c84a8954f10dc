"""How functions that take rows are compiled for the device."""

from contextlib import contextmanager

from maximask_astro.utils.errors import ModelIntegrityError

__all__ = ["compiled", "weights_that_fit"]

# XLA's older way to make loops of what it fuses: with its newer one, putting rows and
# channels together takes twice as long, and a network a tenth longer. It is not for
# tiles, which gain little, and whose last bits would depend on their size.
_NAME = "xla_cpu_use_fusion_emitters"
_ON_CPU = {_NAME: False}


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

    plain = jax.jit(function, **options)
    if jax.default_backend() != "cpu":
        return plain
    chosen = jax.jit(function, compiler_options=_ON_CPU, **options)

    def call(*args, **kwargs):
        nonlocal chosen
        try:
            return chosen(*args, **kwargs)
        except jax.errors.JaxRuntimeError as error:
            if _NAME not in str(error):
                raise
            chosen = plain  # an XLA that does not know this any more
            return plain(*args, **kwargs)

    return call


@contextmanager
def weights_that_fit(model):
    """
    Tell of weights that do not fit the network, where it is traced.

    Parameters
    ----------
    model : `~maximask_astro.weights.LoadedModel`
        The model.

    Yields
    ------
    None
        To the code that traces.

    Raises
    ------
    ModelIntegrityError
        A weight is missing, or has a shape that does not fit.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError) as error:
        text = str(error).split("\n")[0].rstrip(".")
        raise ModelIntegrityError(
            f"The weights of '{model.card.name}' do not fit the architecture "
            f"'{model.card.architecture}': {type(error).__name__}: {text}."
        ) from error
