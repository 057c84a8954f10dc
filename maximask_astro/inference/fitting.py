"""Weights that do not fit the network that they are for."""

from contextlib import contextmanager

from maximask_astro.utils.errors import ModelIntegrityError

__all__ = ["weights_that_fit"]


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
