import pytest

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.models import ARCHITECTURES
from maximask_astro.training import Recipe, read_recipe
from maximask_astro.utils.errors import InputError


@pytest.mark.parametrize("name", ["default", "cpu", "smoke"])
def test_our_recipes(name):
    recipe = read_recipe(name)
    assert recipe.name == name
    assert recipe.architecture in ARCHITECTURES
    assert 0 < recipe.warmup < recipe.steps
    assert recipe.precision in ("float32", "bfloat16")
    assert set(recipe.frequencies) <= set(ABBREVIATIONS)
    # Every level of the network halves the size.
    levels = len(recipe.options.get("channels", range(5)))
    assert recipe.size % 2**levels == 0


def test_a_recipe_of_one_s_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("steps = 7\n[options]\nchannels = [4]\n[frequencies]\nCR = 1.0\n")
    expected = Recipe(
        "mine", steps=7, options={"channels": [4]}, frequencies={"CR": 1.0}
    )
    assert read_recipe(path) == expected
    assert read_recipe(str(path)) == expected


def test_a_recipe_may_name_itself(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "yours"')
    assert read_recipe(path) == Recipe("yours")


def test_unknown_entries_are_refused(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("step = 7\n")
    with pytest.raises(InputError, match="unknown entry 'step'"):
        read_recipe(path)


@pytest.mark.parametrize("content", [None, "steps = ", b"\xff\xfe"])
def test_what_cannot_be_read_is_refused(tmp_path, content):
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=r"mine.toml cannot be read"):
        read_recipe(path)


def test_unknown_names_are_refused():
    with pytest.raises(InputError, match="recipe nonsense cannot be read"):
        read_recipe("nonsense")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("steps = 'many'", "steps must be a whole number of at least 0"),
        ("steps = 1.5", "steps must be a whole number"),
        ("steps = 0", "steps must be above 0"),
        ("batch = true", "batch must be a whole number"),
        ("learning_rate = nan", "learning_rate must be a number of at least 0"),
        ("learning_rate = -1", "learning_rate must be a number of at least 0"),
        ("ema = 1.5", "ema must be from 0 to 1"),
        ("loss = 'other'", "loss must be 'balanced' or 'paper'"),
        ("precision = 16", "precision must be a text"),
        ("options = 3", "options must be a table"),
        ("frequencies = {XYZ = 1}", "'XYZ' is not a contaminant class"),
        ("frequencies = {CR = 2}", "the frequency of CR must be from 0 to 1"),
        ("frequencies = {CR = 'x'}", "the frequency of CR must be from 0 to 1"),
        ("emphasis = {XYZ = 1}", "'XYZ' is not a contaminant class"),
        ("emphasis = {CR = -1}", "the emphasis of CR must be at least 0"),
        ("loss = 'paper'\nemphasis = {CR = 2}", "emphasis is for the loss 'balanced'"),
    ],
)
def test_wrong_values_are_refused(tmp_path, content, sentence):
    path = tmp_path / "mine.toml"
    path.write_text(content)
    with pytest.raises(InputError, match=f"'mine' is wrong: .*{sentence}"):
        read_recipe(path)


@pytest.mark.parametrize("name", ["fine_tune", "fine_tune_skies"])
def test_the_recipes_for_fine_tuning(name):
    recipe = read_recipe(name)
    assert 0 < min(recipe.simulated, recipe.real) < 1
    assert recipe.warmup < recipe.steps
    assert recipe.size % 32 == 0
