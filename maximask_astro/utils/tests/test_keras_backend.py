import os
import subprocess
import sys
from pathlib import Path

import pytest

import maximask_astro

IMPORT = "from maximask_astro.utils.keras_backend import import_keras; import_keras()"


def run(code, **environment):
    """Run Python in a process that has not imported Keras."""
    clean = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    path = str(Path(maximask_astro.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**clean, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("environment", [{}, {"KERAS_BACKEND": ""}])
def test_jax_is_asked_for(environment):
    code = f"{IMPORT}\nimport keras; print(keras.backend.backend())"
    done = run(code, **environment)
    assert (done.returncode, done.stdout.strip()) == (0, "jax"), done.stderr


@pytest.mark.parametrize("backend", ["tensorflow", "numpy"])
def test_another_backend_in_the_environment_is_a_clear_error(backend):
    last_line = run(IMPORT, KERAS_BACKEND=backend).stderr.splitlines()[-1]
    assert last_line.startswith("RuntimeError: maximask_astro needs Keras with the JAX")
    assert f"'{backend}'" in last_line
    assert "KERAS_BACKEND=jax" in last_line


def test_another_backend_that_is_loaded_is_a_clear_error():
    code = f"import os, keras; os.environ['KERAS_BACKEND'] = 'jax'; {IMPORT}"
    last_line = run(code, KERAS_BACKEND="numpy").stderr.splitlines()[-1]
    assert last_line.startswith("RuntimeError: maximask_astro needs Keras with the JAX")
    assert "'numpy'" in last_line
