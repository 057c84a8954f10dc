import csv
import json
from dataclasses import replace

import jax
import numpy as np
import pytest

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.tests.helpers import SIMULATED_OFTEN, quick_compilation
from maximask_astro.training import MaskerTrainer, read_recipe, trainer
from maximask_astro.utils.errors import InputError

STEPS = 6
RECIPE = replace(
    read_recipe("smoke"),
    size=64,
    batch=1,
    steps=STEPS,
    warmup=2,
    validation=2,
    validate_every=4,
    options={"channels": [4, 6], "fine": 2, "detail": 2},
    # As in the tests of the simulation, so that it is compiled once for both.
    frequencies=SIMULATED_OFTEN,
)


def make_trainer(directory, recipe=RECIPE):
    with pytest.MonkeyPatch.context() as patch, quick_compilation():
        patch.setattr(trainer, "_N_FOR_PROPORTIONS", 4)
        return MaskerTrainer(recipe, directory)


def run(masker_trainer, **options):
    with quick_compilation():
        return masker_trainer.run(**options)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A trainer that has not begun."""
    return make_trainer(tmp_path_factory.mktemp("start"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A training without interruption."""
    whole = make_trainer(tmp_path_factory.mktemp("whole"))
    assert run(whole) is True
    return whole


@pytest.fixture(scope="module")
def resumed(tmp_path_factory):
    """A training that was interrupted at half time."""
    directory = tmp_path_factory.mktemp("interrupted")
    first = make_trainer(directory)
    for step in range(1, STEPS // 2 + 1):
        assert run(first, minutes=0) is False  # a step
        assert first.step == step
    second = make_trainer(directory)
    assert second.step == STEPS // 2
    assert run(second) is True
    return second


def equal(first, second):
    return [np.array_equal(a, b) for a, b in zip(first, second, strict=True)]


def test_interruption_changes_nothing(trained, resumed):
    assert trained.step == resumed.step == STEPS
    assert trained.groups.keys() == resumed.groups.keys()
    for name, values in trained.groups.items():
        assert len(values) > 0
        assert all(equal(values, resumed.groups[name])), name


def test_training_changes_all_weights(start, trained):
    assert not any(equal(start.groups["weights"], trained.groups["weights"]))
    for weights in trained.groups["weights"]:
        assert np.isfinite(weights).all()


def test_the_running_mean_lags_behind(start, trained):
    for old, mean, new in zip(
        start.groups["weights"],
        trained.groups["mean"],
        trained.groups["weights"],
        strict=True,
    ):
        assert 0 < np.abs(mean - old).sum() < np.abs(new - old).sum()


def test_beginnings_are_alike(start, trained):
    assert np.array_equal(start.proportions, trained.proportions)
    assert np.all((start.proportions > 0) & (start.proportions <= 1))
    impossible = ABBREVIATIONS.index("FR")
    assert start.proportions[impossible] == pytest.approx(1e-6)


def test_exposures_of_different_steps_and_purposes_differ(start):
    images = [
        np.asarray(start._exposures(purpose, step)[0])
        for purpose in (0, 1, 2)
        for step in (0, 1)
    ]
    for index, image in enumerate(images):
        for other in images[:index]:
            assert np.mean(image == other) < 0.5
    assert np.array_equal(images[0], start._exposures(0, 0)[0])


def test_the_loss_is_logged(trained):
    with open(trained.directory / "log.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [STEPS]
    assert 0 < float(rows[0]["loss"]) < 100
    assert float(rows[0]["seconds"]) >= 0


@pytest.mark.parametrize("which", ["trained", "resumed"])
def test_scores_are_logged(request, which):
    directory = request.getfixturevalue(which).directory
    lines = (directory / "validation.jsonl").read_text(encoding="utf-8").splitlines()
    scores = [json.loads(line) for line in lines]
    assert [entry["step"] for entry in scores] == [4, STEPS]
    for entry in scores:
        assert entry.keys() == {"step", "mean", *ABBREVIATIONS}
        assert 0 <= entry["mean"] <= 1
        assert np.isnan(entry["FR"])  # there was none


def test_validation_repeats_itself(trained):
    assert str(trained.validate()) == str(trained.validate())


def test_a_finished_training_stays_finished(trained):
    before = jax.tree.map(np.asarray, trained.groups)
    assert run(trained) is True
    assert all(equal(before["weights"], trained.groups["weights"]))


def test_another_recipe_needs_another_directory(trained):
    with pytest.raises(InputError, match="another recipe"):
        make_trainer(trained.directory, replace(RECIPE, seed=2))


def test_the_policy_of_precision_is_left_as_it_was(start):
    import keras

    assert keras.config.dtype_policy().name == "float32"
    assert {v.dtype for v in start.network.trainable_variables} == {"float32"}
