import csv
import json
import random
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.training import MaskerTrainer, make_examples
from maximask_astro.training.checkpoint import load_checkpoint, save_checkpoint
from maximask_astro.training.exposures import PURPOSES, exposure_key
from maximask_astro.training.runs import read_log
from maximask_astro.training.steps import _factors
from maximask_astro.training.tests.conftest import RECIPE, STEPS, make_trainer, run
from maximask_astro.utils.errors import InputError
from maximask_astro.weights import LoadedModel, load_model

# A network that is compiled in no time, for what does not depend on it.
SMALL = replace(
    RECIPE,
    cutouts=0.0,
    validation=0,
    options={"channels": [4, 4], "fine": 2, "detail": 2},
)


def equal(first, second):
    return [np.array_equal(a, b) for a, b in zip(first, second, strict=True)]


def test_interruption_changes_nothing(trained, resumed):
    assert trained.step == resumed.step == STEPS
    assert trained.groups.keys() == resumed.groups.keys()
    for name, values in trained.groups.items():
        assert len(values) > 0
        assert all(equal(values, resumed.groups[name])), name


def test_without_a_directory_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = replace(SMALL, steps=2, warmup=1, save_minutes=1e-9)
    other = make_trainer(None, recipe)
    assert run(other) is True
    assert not list(tmp_path.iterdir())


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
    impossible = ABBREVIATIONS.index("FR")
    for first, second in zip(start.proportions, trained.proportions, strict=True):
        assert np.array_equal(first, second)
        assert np.all((first > 0) & (first <= 1))
        assert first[impossible] == pytest.approx(1e-6)
    # A block has a class if any of its pixels has.
    pixels, blocks = start.proportions
    assert np.all(blocks >= pixels)


def test_exposures_of_different_steps_and_purposes_differ(start):
    images = [
        np.asarray(start._simulated(purpose, step, 1)[0])
        for purpose in PURPOSES
        for step in (0, 1)
    ]
    for index, image in enumerate(images):
        for other in images[:index]:
            assert np.mean(image == other) < 0.5
    assert np.array_equal(images[0], start._simulated("training", 0, 1)[0])


def test_the_loss_is_logged(trained):
    with open(trained.directory / "log.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [STEPS]
    assert len(trained.losses) == STEPS
    assert all(loss > 0 for loss in trained.losses)
    assert float(rows[0]["loss"]) == pytest.approx(np.mean(trained.losses), rel=1e-4)
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
        assert entry["FR"] is None  # there was none


def test_validation_repeats_itself(trained):
    assert trained.validate() == trained.validate()


def test_trainings_have_the_same_validation_set():
    drawn = [
        [jax.random.uniform(exposure_key(seed, purpose, 3)) for seed in (1, 2)]
        for purpose in ("validation", "training")
    ]
    assert drawn[0][0] == drawn[0][1]
    assert len({float(value) for values in drawn for value in values}) == 3


def test_a_finished_training_stays_finished(trained):
    before = jax.tree.map(np.asarray, trained.groups)
    assert run(trained) is True
    assert all(equal(before["weights"], trained.groups["weights"]))


def test_another_recipe_needs_another_directory(trained):
    with pytest.raises(InputError, match="another recipe"):
        make_trainer(trained.directory, replace(RECIPE, seed=2))


def test_a_checkpoint_of_another_network_is_refused(half):
    step, groups = load_checkpoint(half.directory, RECIPE)
    for paths in (groups.pop("paths")[0][::-1], None):
        others = groups if paths is None else {**groups, "paths": [paths]}
        save_checkpoint(half.directory, RECIPE, step, others)
        with pytest.raises(InputError, match="a version with another network 'fold"):
            make_trainer(half.directory)


def test_global_settings_are_left_as_they_were(start, tmp_path):
    import keras

    assert {v.dtype for v in start.network.trainable_variables} == {"float32"}
    keras.config.set_dtype_policy("float64")
    before = random.getstate()
    try:
        again = make_trainer(tmp_path)
        assert keras.config.dtype_policy().name == "float64"
    finally:
        keras.config.set_dtype_policy("float32")
    assert random.getstate() == before
    assert all(equal(again.groups["weights"], start.groups["weights"]))


@pytest.fixture
def half(tmp_path):
    """A training that stopped at half time, with a step that can be replaced."""
    trainer = make_trainer(tmp_path)
    trainer._update = lambda groups, *_: (groups, jnp.float32(1))
    assert run(trainer, minutes=0) is False
    assert load_checkpoint(tmp_path, RECIPE)[0] == 1
    return trainer


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_stops(half, value):
    def spoil(groups, *_):
        weights = [np.full_like(w, value) for w in groups["weights"]]
        return {**groups, "weights": weights}, jnp.float32(value)

    half._update = spoil
    with pytest.raises(InputError, match=rf"loss is {value} at step 2.*learning_rate"):
        run(half)
    step, groups = load_checkpoint(half.directory, RECIPE)
    assert step == 1
    assert all(np.isfinite(weights).all() for weights in groups["weights"])
    with pytest.raises(InputError, match="no finite weights"):
        half.save()


def test_an_interruption_saves(half):
    def interrupt(groups, batch, step, framing):
        if step == 3:
            raise KeyboardInterrupt
        return groups, jnp.float32(1)

    half._update = interrupt
    with pytest.raises(KeyboardInterrupt):
        run(half)
    assert half.step == load_checkpoint(half.directory, RECIPE)[0] == 3


def test_what_a_killed_training_logged_too_much_is_forgotten(half):
    directory = half.directory
    (directory / "log.csv").write_text("step,loss,seconds\n1,2.0,3\n2,2.0,3\n")
    (directory / "validation.jsonl").write_text('{"step": 1}\n{"step": 4}\n{"st')
    make_trainer(directory)
    assert (directory / "log.csv").read_text() == "step,loss,seconds\n1,2.0,3\n"
    assert (directory / "validation.jsonl").read_text() == '{"step": 1}\n'


def test_runs_are_noted(resumed):
    runs = resumed.runs
    assert [(run["first"], run["last"]) for run in runs] == [
        *((step, step + 1) for step in range(STEPS // 2)),
        (STEPS // 2, STEPS),
    ]
    assert all(run["seconds"] >= 0 and run["device"] for run in runs)


def test_examples_are_mixed_with_simulated_exposures(trained_model, tmp_path):
    model = load_model(trained_model)
    random = np.random.default_rng(1)
    images = random.normal(100, 5, (3, 80, 70))
    examples = make_examples(images, [{"CR": image > 112} for image in images])
    recipe = replace(RECIPE, batch=2, simulated=0.5, steps=2, validation=0)
    trainer = make_trainer(tmp_path, recipe, start=model, examples=examples)
    begun = [model.weights[v.path] for v in trainer.network.trainable_variables]
    assert all(equal(trainer.groups["weights"], begun))
    simulated, own = trainer._batch(0)
    assert len(simulated.images) == len(own.images) == 1
    assert run(trainer) is True
    assert not any(equal(trainer.groups["weights"], begun))
    # The same examples and model can go on, others cannot.
    other = make_examples(images[:1], [{"CR": images[0] > 112}])
    make_trainer(tmp_path, recipe, start=model, examples=examples)
    with pytest.raises(InputError, match="another recipe, model or set of examples"):
        make_trainer(tmp_path, recipe, start=model, examples=other)


def test_examples_need_a_model_that_can_be_used(trained_model, tmp_path):
    examples = make_examples(np.zeros((1, 64, 64)), [{"CR": np.eye(64)}])
    with pytest.raises(InputError, match="needs a model to begin with"):
        MaskerTrainer(RECIPE, tmp_path, examples=examples)
    model = load_model(trained_model)
    with pytest.raises(InputError, match="leaves no place for examples"):
        MaskerTrainer(RECIPE, tmp_path, start=model, examples=examples)
    card = replace(model.card, normalization="maximask")
    with pytest.raises(InputError, match="normalization 'maximask'"):
        MaskerTrainer(RECIPE, tmp_path, start=LoadedModel(card, model.weights))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"architecture": "other"}, "names the architecture 'other'; there are"),
        ({"options": {"colors": 3}}, "options of the recipe 'smoke' do not fit"),
    ],
)
def test_networks_that_cannot_be_built(tmp_path, change, sentence):
    with pytest.raises(InputError, match=sentence):
        make_trainer(tmp_path, replace(RECIPE, **change))


def test_emphasis_says_how_much_a_class_counts():
    labels = np.random.default_rng(3).uniform(size=(2, 8, 8, len(ABBREVIATIONS))) < 0.3
    each = np.linspace(1.0, 2.0, len(ABBREVIATIONS), dtype=np.float32)
    known, fractions = np.ones_like(labels), 0.3 * np.ones_like(each)
    plain, emphasized = (
        _factors(labels, known, each, fractions, emphasis)
        for emphasis in (np.ones_like(each), each)
    )
    for before, after in zip(plain, emphasized, strict=True):
        assert np.all(before > 0)
        assert after == pytest.approx(each * before)


def test_what_has_no_emphasis_counts_nothing(tmp_path):
    emphasis = dict.fromkeys(ABBREVIATIONS, 0.0)
    recipe = replace(SMALL, steps=1, emphasis=emphasis)
    assert run(make_trainer(tmp_path, recipe))
    assert read_log(tmp_path)[-1]["loss"] == 0
