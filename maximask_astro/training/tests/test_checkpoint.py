from dataclasses import replace

import numpy as np
import pytest

from maximask_astro.training import Recipe
from maximask_astro.training.checkpoint import load_checkpoint, save_checkpoint
from maximask_astro.utils.errors import InputError

RECIPE = Recipe("test", options={"channels": (4, 6)}, frequencies={"CR": 0.5})


def make_groups():
    random = np.random.RandomState(1)
    weights = [random.standard_normal((3, i + 1)).astype(np.float32) for i in range(12)]
    return {
        "weights": weights,
        "mean": [2 * values for values in weights],
        "optimizer": [np.array(7, np.int32), *weights],
    }


def test_without_a_checkpoint_training_begins(tmp_path):
    assert load_checkpoint(tmp_path, RECIPE) == (0, None)


def test_what_was_saved_is_loaded(tmp_path):
    groups = make_groups()
    save_checkpoint(tmp_path, RECIPE, 41, make_groups())
    save_checkpoint(tmp_path, RECIPE, 42, groups)
    step, loaded = load_checkpoint(tmp_path, RECIPE)
    assert step == 42
    assert loaded.keys() == groups.keys()
    for name, values in groups.items():
        assert len(loaded[name]) == len(values)
        for found, expected in zip(loaded[name], values, strict=True):
            assert found.dtype == expected.dtype
            assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    "change",
    [
        {"batch": 3},
        {"options": {"channels": (4, 8)}},
        {"frequencies": {}},
        {"name": "other"},
    ],
)
def test_another_recipe_is_refused(tmp_path, change):
    save_checkpoint(tmp_path, RECIPE, 1, make_groups())
    with pytest.raises(InputError, match="made with another recipe"):
        load_checkpoint(tmp_path, replace(RECIPE, **change))


def test_a_failed_save_leaves_the_old_one(tmp_path):
    save_checkpoint(tmp_path, RECIPE, 1, make_groups())

    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("no array")

    with pytest.raises(RuntimeError, match="no array"):
        save_checkpoint(tmp_path, RECIPE, 2, {"weights": [Broken()]})
    assert load_checkpoint(tmp_path, RECIPE)[0] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]
