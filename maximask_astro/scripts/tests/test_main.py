import re

import pytest

from maximask_astro import __version__
from maximask_astro.scripts.main import main


def test_version(call):
    done = call(main, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{__version__}\n", "")


def test_the_installed_command(run):
    done = run("maximask-astro", "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"\d+\.\d+\S*\n", done.stdout)


def test_the_installed_command_says_whether_it_failed(run, tmp_path):
    done = run("maximask-astro", "mask", tmp_path / "missing.fits")
    assert (done.returncode, done.stdout) == (1, "")
    assert "missing.fits" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["mask", "--help"],
        ["track", "--help"],
        ["demo", "--help"],
        ["weights", "--help"],
        ["weights", "install", "--help"],
    ],
)
def test_help(call, arguments):
    done = call(main, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    usage = " ".join(["usage: maximask-astro", *arguments[:-1]])
    assert done.stdout.startswith(usage)


@pytest.mark.parametrize("arguments", [[], ["polish"], ["weights"]])
def test_a_command_is_needed(call, arguments):
    done = call(main, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: maximask-astro")
