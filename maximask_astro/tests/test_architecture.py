"""The rooms of the house and which way the arrows between them point."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import maximask_astro

PACKAGE = Path(maximask_astro.__file__).parent
LONGEST_MODULE = 400

# What each room may import, beside itself.
_LOW = {"utils"}
_MODELS = _LOW | {"flags", "background", "networks"}
_WEIGHTS = _MODELS | {"models"}
_INFERENCE = _WEIGHTS | {"weights"}
_USER_FACING = _INFERENCE | {"inference"}
_FILES = _USER_FACING | {"masking", "tracking", "ghosts", "clusters"}
_SIMULATION = _LOW | {"flags"}
ALLOWED = {
    "utils": set(),
    "flags": _LOW,
    "background": _LOW,
    "networks": set(),
    "models": _MODELS,
    "weights": _WEIGHTS,
    "inference": _INFERENCE,
    "masking": _USER_FACING,
    "tracking": _USER_FACING,
    "ghosts": _USER_FACING,
    "clusters": _USER_FACING,
    "batch": _FILES,
    "reduction": _FILES,
    "scripts": _FILES | {"batch", "reduction", "datasets", "simulation", "training"},
    "simulation": _SIMULATION,
    "datasets": _SIMULATION | {"simulation"},
    "training": _USER_FACING | {"simulation", "evaluation"},
    "evaluation": _LOW | {"flags"},
}

# What a room may import only inside functions, so that those who do not call
# them never load it. `ContaminantMasker.fine_tune` trains.
ALLOWED_IN_FUNCTIONS = {"masking": {"training"}}


def modules():
    """Every module of the package that is not a test."""
    return [
        path
        for path in sorted(PACKAGE.rglob("*.py"))
        if "tests" not in path.relative_to(PACKAGE).parts and path.name != "conftest.py"
    ]


def without_functions(tree):
    """The nodes of a module outside functions."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield node
            yield from without_functions(node)


def imported_names(source, package, *, functions=True):
    """Absolute dotted names that a module imports."""
    tree = ast.parse(source)
    for node in ast.walk(tree) if functions else without_functions(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: 1 - node.level or None] if node.level else []
            base = ".".join([*parts, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            function = getattr(node.func, "attr", getattr(node.func, "id", ""))
            value = getattr(node.args[0], "value", None)
            if function in ("import_module", "__import__") and isinstance(value, str):
                yield value


def wrong_arrows(source, room):
    """Names that a module of a room imports and should not."""
    package = f"maximask_astro.{room}"
    outside = set(imported_names(source, package, functions=False))
    found = []
    for name in imported_names(source, package):
        root, *rest = name.split(".")
        if root != "maximask_astro" or rest == ["__version__"]:
            continue
        target = rest[0] if rest else "the top level"
        allowed = ALLOWED[room] | {room}
        if name not in outside:
            allowed |= ALLOWED_IN_FUNCTIONS.get(room, set())
        if target not in allowed:
            found.append(name)
    return found


def test_every_room_is_known():
    rooms = {path.relative_to(PACKAGE).parts[0] for path in modules()}
    assert rooms - {"__init__.py"} <= ALLOWED.keys()


def test_arrows_point_down():
    wrong = {}
    for path in modules():
        room, *inside = path.relative_to(PACKAGE).parts
        if inside:
            names = wrong_arrows(path.read_text(encoding="utf-8"), room)
            wrong.update({str(path.relative_to(PACKAGE)): names} if names else {})
    assert wrong == {}


def test_top_level_imports_nothing_of_the_package():
    source = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    names = list(imported_names(source, "maximask_astro"))
    assert [name for name in names if name.startswith("maximask_astro")] == []


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("flags", "import maximask_astro.background.mesh"),
        ("inference", "from maximask_astro.masking import ContaminantMap"),
        ("inference", "def f():\n    from maximask_astro.training import losses"),
        ("masking", "from maximask_astro import tracking"),
        ("masking", "from maximask_astro.training import fine_tune"),
        ("masking", "class A:\n    from maximask_astro.training import fine_tune"),
        ("training", "from maximask_astro.masking import ContaminantMasker"),
        ("masking", "from maximask_astro import ContaminantMasker"),
        ("masking", "import maximask_astro"),
        ("masking", "from ..tracking import x"),
        ("masking", "from .. import ghosts"),
        ("batch", "from maximask_astro.reduction import x"),
        ("batch", "import_module('maximask_astro.datasets')"),
        ("evaluation", "from maximask_astro.weights import load_model"),
    ],
)
def test_wrong_arrows_are_noticed(room, source):
    assert len(wrong_arrows(source, room)) == 1


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("masking", "from maximask_astro import __version__"),
        ("masking", "from maximask_astro.masking.plot import draw_map"),
        ("masking", "from .plot import draw_map"),
        ("masking", "import numpy as np\nfrom keras import ops"),
        ("masking", "def f():\n    from maximask_astro.training import fine_tune"),
        ("scripts", "from maximask_astro.datasets import make_exposure"),
    ],
)
def test_right_arrows_are_accepted(room, source):
    assert wrong_arrows(source, room) == []


def test_the_order_has_no_cycle():
    done = set()
    below = {
        room: rooms | ALLOWED_IN_FUNCTIONS.get(room, set())
        for room, rooms in ALLOWED.items()
    }
    while len(done) < len(ALLOWED):
        ready = {room for room in ALLOWED.keys() - done if below[room] <= done}
        assert ready
        done |= ready


def test_modules_are_short():
    lengths = {
        str(path.relative_to(PACKAGE)): len(path.read_text("utf-8").splitlines())
        for path in modules()
    }
    assert {n: size for n, size in lengths.items() if size > LONGEST_MODULE} == {}


@pytest.mark.parametrize(
    "statement",
    [
        "import maximask_astro",
        "from maximask_astro import ContaminantMasker",
        "from maximask_astro import TrackingClassifier, TrackingResult",
    ],
)
def test_import_loads_nothing_heavy(statement):
    code = (
        f"import sys; {statement}\n"
        "heavy = {'keras', 'jax', 'matplotlib', 'dask', 'ccdproc', 'torch'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_masking_does_not_load_the_training():
    code = (
        "import sys; import maximask_astro.masking, maximask_astro.batch\n"
        "rooms = {'training', 'simulation', 'evaluation'}\n"
        "loaded = {f'maximask_astro.{room}' for room in rooms} & sys.modules.keys()\n"
        "print(sorted(loaded))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
