import numpy as np
import pytest
from astropy.io import fits

from maximask_astro import ContaminantMasker
from maximask_astro.scripts import train
from maximask_astro.scripts.main import main
from maximask_astro.tests.helpers import SIMULATED_OFTEN
from maximask_astro.training import MaskerTrainer
from maximask_astro.weights import load_model, verify_model

# As small as the trainings of other tests, whose simulation is compiled already.
RECIPE = """
size = 64
batch = 1
steps = 3
warmup = 1
validation = 2
validate_every = 3
{changes}
[options]
channels = [4, 6]
fine = 2
detail = 2
[frequencies]
"""


def write_recipe(path, changes=""):
    often = "\n".join(f"{name} = {value}" for name, value in SIMULATED_OFTEN.items())
    path.write_text(RECIPE.format(changes=changes) + often)
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A training by the command, its directory, and what it printed."""
    directory = tmp_path_factory.mktemp("train")
    recipe = write_recipe(directory / "mine.toml")
    arguments = ["train", "--recipe", str(recipe), "-o", str(directory / "out")]
    assert main([*arguments, "--quiet"]) == 0
    return recipe, directory / "out"


def test_a_training_ends_with_a_model(finished):
    _, output = finished
    assert sorted(path.name for path in output.iterdir()) == [
        "checkpoint.npz",
        "learning_curve.png",
        "log.csv",
        "model",
        "runs.jsonl",
        "validation.jsonl",
    ]
    assert (output / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    assert verify_model(output / "model").passed
    card = ContaminantMasker(output / "model").model_card
    assert (card.name, card.training["recipe"]) == ("out", "mine")
    assert card.training["steps"] == 3


def test_a_finished_training_is_not_repeated(call, finished):
    recipe, output = finished
    log = (output / "log.csv").read_bytes()
    done = call(
        main, "train", "--recipe", recipe, "-o", output, "--name", "renamed", "-q"
    )
    assert (done.returncode, done.stderr) == (0, "")
    steps, area, model = done.stdout.splitlines()
    assert steps == "Steps: 3 of 3"
    assert area.startswith("Mean area under the ROC curves: 0.")
    assert model == f"Model: {output / 'model'}"
    assert (output / "log.csv").read_bytes() == log
    assert load_model(output / "model").card.name == "renamed"


def test_fine_tuning_on_a_directory(call, finished, tmp_path):
    _, output = finished
    random = np.random.default_rng(1)
    data = tmp_path / "data"
    data.mkdir()
    for name in "ab":
        image = random.normal(100, 5, (70, 64)).astype("f4")
        fits.writeto(data / f"{name}.fits", image)
        bits = (image > 112).astype("i2")
        fits.writeto(data / f"{name}.masks.fits", bits)
    # Without simulated exposures, which would have to be compiled once more.
    recipe = write_recipe(tmp_path / "tune.toml", "simulated = 0\nvalidation = 0")
    text = recipe.read_text().replace("validation = 2\n", "")
    recipe.write_text(text)
    arguments = ("--from", output / "model", "--data", data, "-o", tmp_path / "tuned")
    done = call(main, "train", "--recipe", recipe, *arguments, "-q")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Steps: 3 of 3\nModel: ")
    before = load_model(output / "model")
    after = load_model(tmp_path / "tuned" / "model")
    assert after.card.source["model"] == before.card.name
    assert after.card.training_priors == before.card.training_priors
    for name, weights in after.weights.items():
        assert weights.shape == before.weights[name].shape
    assert after.card.weights_sha256 != before.card.weights_sha256


def test_an_interruption_is_one_sentence(call, finished, monkeypatch, tmp_path):
    recipe, output = finished

    def interrupt(self, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(MaskerTrainer, "run", interrupt)
    done = call(main, "train", "--recipe", recipe, "-o", output)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == (
        "maximask-astro train: interrupted after step 3 of 3; the same command goes "
        "on from there.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--recipe", "nonsense"), "The recipe nonsense cannot be read: "),
        (("--from", "minimask"), "There is no model 'minimask' and no such directory"),
        (("--data", "missing"), "missing is not a directory with exposures and masks."),
    ],
)
def test_what_cannot_be_done(call, tmp_path, arguments, sentence):
    done = call(main, "train", "-o", tmp_path / "out", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"maximask-astro train: error: {sentence}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_device_that_is_not_there(call, tmp_path, monkeypatch):
    import jax

    def no_devices(kind=None):
        raise RuntimeError("Unknown backend")

    monkeypatch.setattr(jax, "devices", no_devices)
    done = call(
        main, "train", "--recipe", "smoke", "-o", tmp_path / "out", "--device", "gpu"
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "JAX finds no gpu here; choose --device auto" in done.stderr


@pytest.mark.parametrize("minutes", ["0", "-1", "nan", "inf", "soon"])
def test_minutes_are_positive(call, tmp_path, minutes):
    done = call(main, "train", "-o", tmp_path, f"--minutes={minutes}")
    assert done.returncode == 2
    assert f"'{minutes}' is not a positive number" in done.stderr


def test_jax_is_left_as_it_was():
    import jax

    before = jax.config.jax_default_device
    with train._on_device("cpu"):
        assert jax.config.jax_default_device == jax.devices("cpu")[0]
    assert jax.config.jax_default_device == before
