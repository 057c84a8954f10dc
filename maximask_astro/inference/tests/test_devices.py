import os
import subprocess
import sys

import numpy as np
import pytest

SCRIPT = """
import sys
import jax, numpy as np
from maximask_astro.inference import ClassDecision, TileEngine
from maximask_astro.inference.devices import Devices, next_device
from maximask_astro.weights import load_model, make_test_block
number, directory, output = int(sys.argv[1]), sys.argv[2], sys.argv[3]
assert len(jax.local_devices()) == number
assert Devices(None, 100).batch_size == number
assert Devices(3, 100).batch_size == (3 if number == 1 else 4)
decisions = [ClassDecision(c, 0.0, 0.5, 1 << c) for c in range(14)]
engine = TileEngine(load_model(directory), tiling="original", batch_size=4)
result = engine.run(make_test_block(200), decisions)
engine = TileEngine(load_model(directory), tile_size=416)
rows, others = (engine.run(make_test_block(440), decisions) for _ in range(2))
np.testing.assert_array_equal(others.codes, rows.codes)
assert np.array_equal(others.probabilities, rows.probabilities)
assert len({next_device() for _ in range(4)}) == number
np.savez(
    output,
    codes=result.codes,
    probabilities=result.probabilities,
    codes_by_rows=rows.codes,
    probabilities_by_rows=rows.probabilities,
)
"""


@pytest.fixture(scope="module")
def results(tiny_model, tmp_path_factory):
    """Of one device and of two, each in a process of its own."""
    found = []
    for number in (1, 2):
        output = tmp_path_factory.mktemp("devices") / f"{number}.npz"
        flags = f"--xla_force_host_platform_device_count={number}"
        environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
        command = [sys.executable, "-c", SCRIPT, str(number), tiny_model, output]
        subprocess.run(command, check=True, env=environment)
        found.append(np.load(output))
    return found


@pytest.mark.parametrize("how", ["", "_by_rows"])
def test_two_devices_give_the_result_of_one(results, how):
    one, two = results
    assert one[f"codes{how}"].any()
    np.testing.assert_array_equal(two[f"codes{how}"], one[f"codes{how}"])
    probabilities = f"probabilities{how}"
    np.testing.assert_allclose(
        two[probabilities], one[probabilities], rtol=1e-5, atol=1e-6
    )
