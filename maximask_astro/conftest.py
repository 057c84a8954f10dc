# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Configuration of the tests: markers, shared fixtures and hypothesis.

Two kinds of tests need something that cannot be shipped with the package. They
say so with a marker, and are skipped where it is missing; under continuous
integration (``CI=true``) they fail instead, so that a broken set-up is never
taken for a pass. Only these, and those marked ``optimized``, let XLA optimize what it
compiles, as users do: without, compiling takes a half.
"""

import functools
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# Before anything imports matplotlib: tests never open a window.
os.environ["MPLBACKEND"] = "Agg"

ON_CI = os.environ.get("CI", "").lower() == "true"

DATA_VARIABLE = "MAXIMASK_ASTRO_TEST_DATA"
COMPILED_VARIABLE = "JAX_COMPILATION_CACHE_DIR"
QUICKLY_VARIABLE = "JAX_DISABLE_MOST_OPTIMIZATIONS"
PUBLISHED_NETWORKS = ("maximask-1.4.1", "maxitrack-1.4.1")

MARKERS = {
    "real_data": f"needs the directory of real exposures ({DATA_VARIABLE})",
    "published_weights": "needs the published networks installed",
    "optimized": "needs networks compiled as users have them",
}
OPTIMIZED = tuple(MARKERS)

# Properties of images are slow to check: few examples, no time limit, and the
# same examples every time under continuous integration.
settings.register_profile(
    "maximask_astro", deadline=None, max_examples=25, derandomize=ON_CI
)
settings.load_profile("maximask_astro")


def _data_directory():
    return Path(os.environ.get(DATA_VARIABLE, "")).resolve()


@functools.cache
def _why_no_real_data():
    if not os.environ.get(DATA_VARIABLE):
        return f"the environment variable {DATA_VARIABLE} is not set"
    if not _data_directory().is_dir():
        return f"{DATA_VARIABLE}={os.environ[DATA_VARIABLE]} is not a directory"
    return None


@functools.cache
def _why_no_published_weights():
    from maximask_astro.weights import is_installed

    missing = [name for name in PUBLISHED_NETWORKS if not is_installed(name)]
    if missing:
        command = f"maximask-astro weights install {' '.join(missing)}"
        return f"the published networks are not installed; run: {command}"
    return None


WHY_MISSING = {
    "real_data": _why_no_real_data,
    "published_weights": _why_no_published_weights,
}


def pytest_configure(config):
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    if not os.environ.get(COMPILED_VARIABLE):
        # What one process compiles, the others and the commands need not.
        directory = tempfile.mkdtemp(prefix="maximask_astro_compiled_")
        config.add_cleanup(lambda: shutil.rmtree(directory, ignore_errors=True))
        os.environ[COMPILED_VARIABLE] = directory
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.5")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    # A test that asks for the fixture has the marker too, so that
    # -m "not real_data" leaves out every test that reads the directory.
    for item in items:
        if "real_data" in getattr(item, "fixturenames", ()):
            item.add_marker("real_data")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    for name, why_missing in WHY_MISSING.items():
        if item.get_closest_marker(name) and (reason := why_missing()):
            if ON_CI:
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)


def _optimize(yes):
    """Say whether what JAX compiles from now on is optimized, here and in commands."""
    os.environ[QUICKLY_VARIABLE] = str(int(not yes))
    if jax := sys.modules.get("jax"):
        jax.config.update("jax_disable_most_optimizations", not yes)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    # Most of what tests compile runs a few times: optimizing it takes longer. Not so
    # on real exposures; and what the published networks give is told to many digits.
    _optimize(any(item.get_closest_marker(name) for name in OPTIMIZED))
    try:
        return (yield)
    finally:
        _optimize(False)


@pytest.fixture(scope="session")
def real_data():
    """Directory of the real exposures; tests using it are marked ``real_data``."""
    return _data_directory()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """Directory of a small model with random weights and the published classes."""
    from maximask_astro.tests.helpers import save_tiny_model

    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def tiny_tracking(tmp_path_factory):
    """Directory of a small model with random weights that judges tracking."""
    from maximask_astro.tests.tracking_models import save, tiny_tracking_model

    return save(tiny_tracking_model(), tmp_path_factory.mktemp("models") / "tracking")
