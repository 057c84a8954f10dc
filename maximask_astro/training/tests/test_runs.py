import json
from dataclasses import replace

import pytest

from maximask_astro.training import Recipe, draw_learning_curve
from maximask_astro.training.runs import (
    append_log,
    append_scores,
    describe_run,
    logged_seconds,
    note_run,
    read_log,
    read_runs,
    read_scores,
    summarize_runs,
)

RECIPE = Recipe("mine", batch=3, seed=5)


@pytest.fixture
def directory(tmp_path):
    """What two runs leave behind."""
    for step, seconds in ((50, 100.0), (100, 190.0), (150, 80.0), (200, 170.0)):
        append_log(tmp_path, step, 1000 / step, seconds)
    append_scores(tmp_path, 100, {"CR": 0.5, "FR": None, "mean": 0.5})
    append_scores(tmp_path, 200, {"CR": 0.75, "FR": None, "mean": 0.75})
    runs = [describe_run(0)]
    note_run(tmp_path, runs, 90, 170.0)
    note_run(tmp_path, runs, 120, 230.0)
    runs = [*read_runs(tmp_path), describe_run(120)]
    note_run(tmp_path, runs, 200, 175.0)
    return tmp_path


def test_what_was_logged_is_read(directory):
    assert [row["step"] for row in read_log(directory)] == [50, 100, 150, 200]
    assert read_log(directory)[0] == {"step": 50, "loss": 20, "seconds": 100}
    assert [entry["CR"] for entry in read_scores(directory)] == [0.5, 0.75]


def test_scores_are_strict_json(directory):
    text = (directory / "validation.jsonl").read_text(encoding="utf-8")
    assert json.loads(text.splitlines()[0]) == {
        "step": 100, "CR": 0.5, "FR": None, "mean": 0.5
    }  # fmt: skip
    with pytest.raises(ValueError, match="JSON compliant"):
        append_scores(directory, 300, {"CR": float("nan")})


def test_runs_are_summed_up(directory):
    summary = summarize_runs(read_runs(directory), RECIPE, 200)
    assert summary["recipe"] == "mine"
    assert (summary["seed"], summary["steps"], summary["exposures"]) == (5, 200, 600)
    assert summary["minutes"] == round(405 / 60, 1)
    assert summary["start"] is None
    other = replace(RECIPE, start="0123abcd")
    assert summarize_runs([], other, 200)["start"] == "0123abcd"
    assert summary["device"] == read_runs(directory)[0]["device"]


def test_runs_are_noted_as_far_as_they_came(directory):
    runs = read_runs(directory)
    assert [(run["first"], run["last"]) for run in runs] == [(0, 120), (120, 200)]
    assert [run["seconds"] for run in runs] == [230, 175]


def test_the_log_tells_of_runs_that_were_not_noted(directory):
    rows = read_log(directory)
    assert logged_seconds(rows) == 190 + 170
    assert logged_seconds([]) == 0
    assert summarize_runs([], RECIPE, 200, rows)["minutes"] == 6.0
    assert summarize_runs([], RECIPE, 200)["minutes"] is None


def test_a_picture_is_drawn(directory):
    path = draw_learning_curve(directory)
    assert path == directory / "learning_curve.png"
    assert path.read_bytes().startswith(b"\x89PNG")


def test_without_a_log_there_is_no_picture(tmp_path):
    assert draw_learning_curve(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
