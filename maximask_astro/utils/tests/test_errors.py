import pytest
from astropy.utils.exceptions import AstropyUserWarning

from maximask_astro.utils import (
    InputError,
    MaximaskWarning,
    ModelIntegrityError,
    ModelNotFoundError,
)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (InputError, ValueError),
        (ModelIntegrityError, ValueError),
        (ModelNotFoundError, LookupError),
        (MaximaskWarning, AstropyUserWarning),
    ],
)
def test_errors_are_caught_as_what_python_would_raise(error, builtin):
    assert issubclass(error, builtin)
    assert str(error("It's 'so'.")) == "It's 'so'."
    assert str(error()) == ""
