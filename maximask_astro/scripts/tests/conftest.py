"""Run the commands: as they are installed, or (cheaper) within the test."""

import logging
import os
import shutil
import subprocess
import sys
import sysconfig
from types import SimpleNamespace

import pytest
from astropy.io import fits

from maximask_astro.scripts import main, maximask
from maximask_astro.tests.helpers import make_exposure

_MAINS = {"maximask-astro": main.main, "maximask": maximask.main}


def find_command(name):
    """Where pip put a command."""
    path = shutil.which(name, path=sysconfig.get_path("scripts"))
    assert path is not None, f"the command {name} is not installed"
    return path


# Python that limits the size of files and then becomes the command. (Doing it in
# a preexec_fn would fork this process, which JAX does not like.)
LIMITED = """
import os, resource, sys
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.fixture(scope="session")
def run():
    """Run a command to its end: ``run("maximask", "a.fits")``."""

    def run_command(name, *arguments, environment=None, largest_file=None, cwd=None):
        words = [find_command(name), *map(str, arguments)]
        if largest_file is not None:
            words = [sys.executable, "-c", LIMITED, str(largest_file), *words]
        return subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **(environment or {})},
            cwd=cwd,
        )

    return run_command


@pytest.fixture
def call(capsys):
    """Run a command within the test: ``call(main, "mask", "a.fits")``."""
    logger = logging.getLogger("maximask_astro")
    level = logger.level

    def call_main(main, *arguments):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as caught:
            code = caught.code
        output = capsys.readouterr()
        return SimpleNamespace(returncode=code, stdout=output.out, stderr=output.err)

    yield call_main
    logger.setLevel(level)


@pytest.fixture
def run_within(run, call, monkeypatch):
    """As `run`, but within the test, which saves its start: 3 seconds."""

    def run_command(name, *arguments, environment=None, largest_file=None):
        if largest_file is not None:
            return run(
                name, *arguments, environment=environment, largest_file=largest_file
            )
        for variable, value in (environment or {}).items():
            monkeypatch.setenv(variable, value)
        return call(_MAINS[name], *arguments)

    return run_command


def write_exposure(path, shape=(64, 80)):
    """A small exposure of whole numbers."""
    fits.writeto(path, make_exposure(shape).astype("i2"))


@pytest.fixture
def night(tmp_path, monkeypatch):
    """A directory with one small exposure, in which the test runs."""
    directory = tmp_path / "night"
    directory.mkdir()
    monkeypatch.chdir(directory)
    write_exposure("good.fits")
    return directory
