"""What a masker warns of."""

import warnings

from maximask_astro.inference import UNLIKE
from maximask_astro.utils.errors import MaximaskWarning

__all__ = ["warn_no_verdict", "warn_unlike"]


def warn_no_verdict(where, reason):
    """
    Warn that there is no verdict, from a generator that the caller of a masker runs.

    Parameters
    ----------
    where : str
        Of which plane, if there are several.

    reason : str
        Why.
    """
    warnings.warn(f"No verdict{where}: {reason}.", MaximaskWarning, stacklevel=4)


def warn_unlike(unlike, model):
    """
    Warn of an image that is unlike the exposures that the model was trained on.

    Parameters
    ----------
    unlike : float or None
        See `~maximask_astro.inference.likeness_of`; nothing is done if it is not.

    model : str
        Name of the model.
    """
    if unlike is not None and unlike > UNLIKE:
        warnings.warn(
            f"The image is unlike the exposures that the model '{model}' was trained "
            "on: look at its mask before you trust it.",
            MaximaskWarning,
            stacklevel=3,
        )
