"""What a training leaves behind about itself: log, validation scores and runs."""

import csv
import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from maximask_astro import __version__
from maximask_astro.utils.files import atomic_path

__all__ = [
    "append_log",
    "append_scores",
    "describe_run",
    "forget_after",
    "logged_seconds",
    "note_run",
    "read_log",
    "read_runs",
    "read_scores",
    "summarize_runs",
]

_LOG, _SCORES, _RUNS = "log.csv", "validation.jsonl", "runs.jsonl"
_COLUMNS = ("step", "loss", "seconds")


def append_log(directory, step, loss, seconds):
    """
    Log the loss.

    Parameters
    ----------
    directory : path-like
        Directory of the training.

    step : int
        Steps done.

    loss : float
        Mean loss since the last entry.

    seconds : float
        Time since this run began.
    """
    path = Path(directory) / _LOG
    new = not path.exists()
    with open(path, "a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(_COLUMNS)
        writer.writerow([step, f"{loss:.6f}", f"{seconds:.1f}"])


def _append_line(path, content):
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(content, allow_nan=False) + "\n")


def append_scores(directory, step, scores):
    """
    Log the scores on the validation set.

    Parameters
    ----------
    directory : path-like
        Directory of the training.

    step : int
        Steps done.

    scores : dict of str to float or None
        Score by name; None where there is none.
    """
    _append_line(Path(directory) / _SCORES, {"step": step, **scores})


def describe_run(first):
    """
    Describe a run of a training that begins.

    Parameters
    ----------
    first : int
        Steps done before.

    Returns
    -------
    run : dict
        ``first`` and ``last`` step, ``seconds``, and on which device, with which
        version and commit of this package.
    """
    import jax

    device = jax.numpy.zeros(()).devices().pop()
    return {
        "first": first,
        "last": first,
        "seconds": 0.0,
        "device": _describe(device),
        "version": __version__,
        "commit": _commit(),
        "ended": None,
    }


def note_run(directory, runs, last, seconds):
    """
    Note how far the last run of a training came.

    Parameters
    ----------
    directory : path-like or None
        Directory of the training, if it has one. What it notes of a run that is
        killed is what its last checkpoint has.

    runs : list of dict
        From `read_runs`, and from `describe_run` the last, which is changed.

    last : int
        Steps done.

    seconds : float
        How long it took.
    """
    ended = datetime.now(UTC).isoformat(timespec="seconds")
    runs[-1].update(last=last, seconds=round(seconds, 1), ended=ended)
    if directory is None:
        return
    text = "".join(json.dumps(run, allow_nan=False) + "\n" for run in runs)
    with atomic_path(Path(directory) / _RUNS, overwrite=True) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_runs(directory):
    """
    Read what was noted about the runs of a training.

    Parameters
    ----------
    directory : path-like
        Directory of the training.

    Returns
    -------
    runs : list of dict
        As `note_run` noted them.
    """
    return _read_lines(Path(directory) / _RUNS)


def _describe(device):
    if device.platform != "cpu":
        return device.device_kind
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count()
    return f"CPU, {cores} cores"


def _commit():
    """The commit of the source tree this package runs from, if it is in one."""
    file = Path(__file__)
    answers = []
    for command in (
        # Not any repository: one that tracks this file.
        ("git", "ls-files", "--error-unmatch", file.name),
        ("git", "describe", "--always", "--exclude=*", "--abbrev=40", "--dirty"),
    ):
        try:
            done = subprocess.run(
                command, cwd=file.parent, capture_output=True, text=True, check=False
            )
        except OSError:
            return None
        if done.returncode:
            return None
        answers.append(done.stdout.strip())
    return answers[-1]


def read_log(directory):
    """
    Read the log.

    Parameters
    ----------
    directory : path-like
        Directory of the training.

    Returns
    -------
    rows : list of dict of str to float
        ``step``, ``loss`` and ``seconds``, in the order of the steps.
    """
    path = Path(directory) / _LOG
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return [
            {name: float(row[name]) for name in _COLUMNS}
            for row in csv.DictReader(file)
        ]


def _read_lines(path):
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def read_scores(directory):
    """
    Read the scores on the validation set.

    Parameters
    ----------
    directory : path-like
        Directory of the training.

    Returns
    -------
    entries : list of dict
        ``step`` and the scores, in the order of the steps.
    """
    return _read_lines(Path(directory) / _SCORES)


def forget_after(directory, step):
    """
    Take back entries of steps that will be done again.

    A training that was killed had logged more than it had saved.

    Parameters
    ----------
    directory : path-like
        Directory of the training.

    step : int
        Step of the checkpoint.
    """
    directory = Path(directory)
    for name, step_of in (
        (_LOG, lambda line: int(line.split(",")[0])),
        (_SCORES, lambda line: json.loads(line)["step"]),
    ):
        path = directory / name
        if not path.is_file():
            continue
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        head, rest = (lines[:1], lines[1:]) if name == _LOG else ([], lines)
        kept = [line for line in rest if line.endswith("\n") and step_of(line) <= step]
        if kept != rest:
            with atomic_path(path, overwrite=True) as temporary:
                temporary.write_text("".join(head + kept), encoding="utf-8")


def logged_seconds(rows):
    """
    Add up how long all runs took, by what they logged.

    Parameters
    ----------
    rows : list of dict of str to float
        From `read_log`; in each run, time begins anew.

    Returns
    -------
    seconds : float
        Without what came after the last entry of each run.
    """
    times = [row["seconds"] for row in rows]
    following = [*times[1:], -1.0][: len(times)]
    return sum(t for t, after in zip(times, following, strict=True) if after < t)


def summarize_runs(runs, recipe, step, rows=()):
    """
    Sum up how a model was trained, for its card.

    Parameters
    ----------
    runs : list of dict
        From `read_runs`.

    recipe : `Recipe`
        Its recipe.

    step : int
        Steps done.

    rows : list of dict, optional
        From `read_log`, for runs that were not noted.

    Returns
    -------
    summary : dict
        ``recipe``, ``seed``, ``start`` (digest of the weights that training began
        with), ``steps``, ``exposures``, ``minutes``, ``device``, ``version`` and
        ``commit``; of several runs, each device, version and commit is named
        once. None where nothing is known.
    """

    def named(key):
        values = dict.fromkeys(str(run[key]) for run in runs if run[key] is not None)
        return ", ".join(values) or None

    seconds = sum(run["seconds"] for run in runs)
    seconds = max(seconds, logged_seconds(rows))
    return {
        "recipe": recipe.name,
        "seed": recipe.seed,
        "start": recipe.start or None,
        "steps": step,
        "exposures": step * recipe.batch,
        "minutes": round(seconds / 60, 1) if runs or rows else None,
        "device": named("device"),
        "version": named("version"),
        "commit": named("commit"),
    }
