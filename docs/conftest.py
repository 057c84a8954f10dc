# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The examples of these pages are tests."""

import pytest

# The hooks that register the markers, and skip what lacks something.
from maximask_astro.conftest import (
    examples_compile_quickly,
    pytest_configure,
    pytest_runtest_setup,
)

__all__ = ["examples_compile_quickly", "pytest_configure", "pytest_runtest_setup"]

collect_ignore = ["_ext", "conf.py", "make_pictures.py"]


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path, monkeypatch):
    """Run the examples of each page in a directory of their own."""
    monkeypatch.chdir(tmp_path)
