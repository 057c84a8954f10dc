# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The examples of these pages are tests."""

import pytest

# The hooks that register the markers, skip what lacks something, and say how code is
# compiled.
from maximask_astro.conftest import (
    pytest_configure,
    pytest_runtest_protocol,
    pytest_runtest_setup,
)

__all__ = ["pytest_configure", "pytest_runtest_protocol", "pytest_runtest_setup"]

collect_ignore = ["_ext", "conf.py", "make_pictures.py"]


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path, monkeypatch):
    """Run the examples of each page in a directory of their own."""
    monkeypatch.chdir(tmp_path)
