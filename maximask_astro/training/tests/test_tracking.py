import json
from dataclasses import replace

import jax
import numpy as np
import pytest

from maximask_astro import TrackingClassifier, simulation
from maximask_astro.inference import combine_evidence
from maximask_astro.models import TRACKING_OUTPUTS
from maximask_astro.scripts.main import main
from maximask_astro.simulation import TrackingTruth
from maximask_astro.tests.tracking_models import tiny_tracking_model
from maximask_astro.training import TrackingTrainer, read_recipe
from maximask_astro.training.recipe import adapted_recipe
from maximask_astro.training.tracking_card import _calibrate
from maximask_astro.training.tracking_steps import tracking_targets
from maximask_astro.training.tracking_trainer import tracking_scores
from maximask_astro.utils import InputError
from maximask_astro.weights import load_model, verify_model

RECIPE = """
task = "tracking"
architecture = "tracking_network"
size = 64
batch = 8
steps = 4
warmup = 1
validation = 48
validate_every = 4
save_minutes = 0
[options]
n_stars = 4
channels = [4, 6]
polar = [6, 8]
n_units = 5
"""


def simulate_tracking(key, number=1, shape=(256, 256)):
    """A stand-in for the simulation, which takes long to compile: stars on a sky."""
    random = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    images = random.normal(100, 3, (number, *shape))
    affected = random.uniform(size=number) < 0.5
    length = np.where(affected, random.uniform(6, 12, number), 0.1)
    angle = random.uniform(0, np.pi, number)
    n_stars = random.integers(1, 9, number)
    y, x = np.indices(shape)
    for image, blur, direction, n in zip(images, length, angle, n_stars, strict=True):
        for row, column in random.uniform(0, shape, (n, 2)):
            for step in blur * np.linspace(-0.5, 0.5, 9):
                dx = x - column - step * np.cos(direction)
                dy = y - row - step * np.sin(direction)
                image += 40 * np.exp(-(dx**2 + dy**2) / 3)
    truth = TrackingTruth(
        affected=2 * affected,
        defocused=random.uniform(size=number) < 0.3,
        n_stars=n_stars,
        length=length,
        angle=angle,
        kind=np.zeros(number, int),
        fwhm=np.full(number, 2.9),
    )
    return jax.tree.map(jax.numpy.asarray, (np.float32(images), truth))


@pytest.fixture(scope="module", autouse=True)
def _quickly():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulation, "simulate_tracking", simulate_tracking)
        yield


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "mine.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="module")
def finished(recipe, tmp_path_factory):
    """The directory of a training by the command."""
    directory = tmp_path_factory.mktemp("train") / "out"
    arguments = ["train", "--recipe", str(recipe), "-o", str(directory)]
    assert main([*arguments, "--quiet"]) == 0
    return directory


def test_a_training_ends_with_a_model(finished):
    assert verify_model(finished / "model").passed
    card = load_model(finished / "model").card
    assert (card.name, card.task) == ("out", "tracking")
    assert card.classes == TRACKING_OUTPUTS
    assert card.training["exposures"] == 32
    assert card.input["block"] == 64
    assert card.input["stride"] == 16
    assert card.input["smallest"] == 32
    assert card.normalization == "global"
    assert 0.3 <= card.input["temperature"] <= 5
    assert 0 <= card.input["correlation"] <= 1
    assert 0 < card.training_priors["affected"] < 1
    assert (finished / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    scores = json.loads((finished / "validation.jsonl").read_text())
    assert scores["step"] == 4
    assert 0 <= scores["usable"] <= 1


def test_the_model_judges(finished):
    classifier = TrackingClassifier(finished / "model")
    image = np.random.default_rng(1).normal(100, 3, (96, 130))
    result = classifier(image)
    assert len(result.tiles) == 4
    assert 0 < result.probability < 1


def test_an_interrupted_training_goes_on_exactly(recipe, finished, tmp_path):
    settings = read_recipe(recipe)
    first = TrackingTrainer(settings, tmp_path)
    assert first.run(minutes=0) is False
    assert first.step == 1
    second = TrackingTrainer(settings, tmp_path)
    assert second.step == 1
    assert second.run() is True
    with (
        np.load(finished / "checkpoint.npz") as whole,
        np.load(tmp_path / "checkpoint.npz") as resumed,
    ):
        names = [name for name in whole.files if whole[name].dtype == np.float32]
        assert len(names) > 20
        for name in names:
            assert np.array_equal(whole[name], resumed[name]), name


def test_examples_are_for_maskers(recipe, tmp_path, capsys):
    arguments = ["train", "--recipe", str(recipe), "-o", str(tmp_path / "out")]
    assert main([*arguments, "--data", str(tmp_path)]) == 1
    assert "leave out --data" in capsys.readouterr().err


def test_a_model_of_another_task(recipe):
    with pytest.raises(InputError, match="for tracking, the recipe 'cpu' for contam"):
        adapted_recipe(read_recipe("cpu"), tiny_tracking_model())
    adapted = adapted_recipe(read_recipe(recipe), tiny_tracking_model())
    assert adapted.options["channels"] == [4, 6]


def truth(**changes):
    """Five exposures: drifts of 8 and 20 pixels, one unclear, one good, one empty."""
    values = {
        "affected": np.array([2, 2, 1, 0, 2]),
        "defocused": np.array([False, False, True, True, False]),
        "n_stars": np.array([10, 3, 5, 4, 0]),
        "length": np.array([8.0, 20.0, 3.0, 0.1, 9.0]),
        "angle": np.radians([10.0, 170.0, 40.0, 90.0, 0.0]),
        "kind": np.zeros(5, int),
        "fwhm": np.full(5, 3.0),
    }
    return TrackingTruth(**{**values, **changes})


def test_targets_count_where_something_is_to_be_learned():
    targets, weights = tracking_targets(truth())
    # Without stars there is little to be learned: that they say little.
    assert list(weights["affected"]) == [1, 1, 0, 1, 0.25]
    assert list(weights["defocused"]) == [1, 1, 1, 1, 0]
    assert list(weights["usable"]) == [1, 1, 1, 1, 1]
    assert list(weights["length"]) == [1, 1, 1, 1, 0]
    assert list(weights["angle"]) == [1, 1, 0, 0, 0]
    assert list(targets["usable"]) == [True, True, True, True, False]
    assert np.allclose(np.exp(targets["length"]), [8, 20, 3, 0.5, 9])
    _, weights = tracking_targets(truth(n_stars=np.full(5, 2)))
    assert list(weights["usable"]) == [0] * 5  # nobody can be sure


def perfect_outputs(targets):
    statements = [
        np.where(targets[name], 4.0, -4.0)
        for name in ("affected", "defocused", "usable")
    ]
    return np.column_stack([*statements, targets["length"], targets["angle"]])


def test_what_has_too_few_stars_is_not_scored():
    targets, weights = (
        {name: np.asarray(value) for name, value in part.items()}
        for part in tracking_targets(truth())
    )
    outputs = perfect_outputs(targets)
    outputs[4, 0] *= -1  # the one without stars
    assert tracking_scores(outputs, targets, weights)["affected"] == 1


def test_scores():
    targets, weights = (
        {name: np.asarray(value) for name, value in part.items()}
        for part in tracking_targets(truth())
    )
    outputs = perfect_outputs(targets)
    scores = tracking_scores(outputs, targets, weights)
    assert [scores[name] for name in ("affected", "defocused", "usable")] == [1, 1, 1]
    assert scores["length"] == pytest.approx(0, abs=1e-6)
    assert scores["angle"] == pytest.approx(0, abs=1e-4)
    outputs[:, 3] += np.log(1.2)
    turn = np.radians(2 * 7.0)  # twice the angle
    cos, sin = outputs[:, 4].copy(), outputs[:, 5].copy()
    outputs[:, 4] = np.cos(turn) * cos - np.sin(turn) * sin
    outputs[:, 5] = np.sin(turn) * cos + np.cos(turn) * sin
    outputs[:, 0] *= -1
    scores = tracking_scores(outputs, targets, weights)
    assert scores["affected"] == 0
    assert scores["length"] == pytest.approx(0.2, abs=1e-5)
    assert scores["angle"] == pytest.approx(7, abs=1e-3)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize("alike", [False, True])
def test_calibration_finds_what_outputs_were_made_with(temperature, alike):
    random = np.random.default_rng(5)
    affected = random.uniform(size=4000) < 0.5
    # A log likelihood ratio of two normal distributions that are 1.5 apart.
    draws = random.standard_normal((4000, 1 if alike else 4))
    evidence = 1.5 * (draws + np.where(affected, 0.75, -0.75)[:, None])
    evidence = np.broadcast_to(evidence, (4000, 4))
    outputs = np.zeros((4000, 4, 6))
    outputs[..., 0] = temperature * evidence
    outputs[..., 2] = 10.0
    found = _calibrate(
        outputs, {"affected": affected}, {"affected": np.ones(4000)}, 0.5
    )
    # What both give together: the weight of the mean of the tiles.
    expected = combine_evidence(np.ones(4), np.ones(4), 1.0 if alike else 0.0)[0]
    number = combine_evidence(np.ones(4), np.ones(4), found[1])[0]
    assert number / found[0] == pytest.approx(expected / temperature, rel=0.15)


def test_recipes_for_tracking_can_be_read():
    for name in ("tracking", "tracking_cpu", "tracking_smoke"):
        recipe = read_recipe(name)
        assert recipe.task == "tracking"
        assert recipe.architecture == "tracking_network"
    with pytest.raises(InputError, match="task must be 'contaminants' or 'tracking'"):
        replace(recipe, task="ghosts")
