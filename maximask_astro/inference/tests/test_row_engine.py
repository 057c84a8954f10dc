import subprocess
import sys
from dataclasses import replace

import pytest

from maximask_astro.inference import ClassDecision, TileEngine
from maximask_astro.inference.row_engine import band_height
from maximask_astro.utils.errors import ModelIntegrityError
from maximask_astro.weights import LoadedModel, load_model, make_test_block

DECISIONS = [ClassDecision(0, 0.0, 0.5, 1)]


@pytest.fixture(scope="module")
def model(tiny_model):
    return load_model(tiny_model)


@pytest.mark.parametrize("width", [300, 2048, 5000, 100_000])
@pytest.mark.parametrize("height", [1000, 2048, 4096])
def test_bands_fit_the_network_and_the_memory(model, width, height):
    rows = band_height(model, (height, width))
    stride, late = (model.card.input[name] for name in ("stride", "halo"))
    assert rows % stride == 0
    assert rows == stride or rows * width <= 5 << 16
    # Little is computed beyond what must be.
    needed = height + late
    assert -(-needed // rows) * rows - needed < needed / 8


def test_few_heights_of_bands_are_compiled_for_a_width(model):
    heights = {band_height(model, (height, 2048)) for height in range(500, 5000, 7)}
    assert len(heights) <= 3


@pytest.mark.parametrize("change", ["missing", "shape"])
def test_weights_that_do_not_fit(model, change):
    weights = dict(model.weights)
    path = "conv1/kernel"
    array = weights.pop(path)
    if change == "shape":
        weights[path] = array[..., :-1]
    card = replace(model.card, name="spoiled")
    engine = TileEngine(LoadedModel(card, weights), tile_size=416)
    with pytest.raises(ModelIntegrityError, match="of 'spoiled' do not fit the archi"):
        engine.run(make_test_block(500), DECISIONS)


def test_rows_need_no_keras_and_photutils_comes_when_it_is_used():
    """They take as long to import as everything else."""
    code = (
        "import sys; from maximask_astro.inference import TileEngine\n"
        "from maximask_astro.networks import RowNetwork\n"
        "from maximask_astro.batch import process\n"
        "print({'keras', 'photutils', 'scipy.interpolate'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
