import json
import logging
import os
import signal
import time
import warnings

import pytest

from maximask_astro.batch import FileResult
from maximask_astro.scripts.common import (
    Reporter,
    guarded,
    set_up_logging,
    usage_errors,
    write_json,
)
from maximask_astro.utils import InputError, ModelIntegrityError, ModelNotFoundError
from maximask_astro.utils.files import atomic_path

MASKED = FileResult("a.fits", "masked", "a.masks.fits")
FAILED = FileResult("b.fits", "failed", message="b.fits is empty.")


def fail(error):
    raise error


@pytest.mark.parametrize("code", [0, 1])
def test_guarded_returns_the_code(code, capsys):
    assert guarded("command", lambda: code) == code
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "error",
    [
        InputError("a.fits is empty."),
        ModelNotFoundError("a.fits is empty."),
        ModelIntegrityError("a.fits is empty."),
        OSError("a.fits is empty."),
    ],
)
def test_guarded_says_what_went_wrong(error, capsys):
    assert guarded("command", lambda: fail(error)) == 1
    assert capsys.readouterr() == ("", "command: error: a.fits is empty.\n")


def test_guarded_shows_bugs():
    with pytest.raises(ZeroDivisionError):
        guarded("command", lambda: 1 / 0)


def test_guarded_ends_after_an_interrupt(capsys):
    assert guarded("command", lambda: fail(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == (
        "command: interrupted; finished files are whole.\n"
    )


def test_guarded_cleans_up_before_a_termination(tmp_path, capsys):
    """SIGTERM does what Ctrl-C does: no half of a file is left."""
    before = signal.getsignal(signal.SIGTERM)

    def write():
        with atomic_path(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)

    assert guarded("command", write) == 143
    assert capsys.readouterr().err == (
        "command: terminated; finished files are whole.\n"
    )
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == before


class Parser:
    def error(self, message):
        raise SystemExit(message)


def test_usage_errors():
    with pytest.raises(SystemExit, match=r"^no such class$"), usage_errors(Parser()):
        raise ValueError("no such class.")


@pytest.mark.parametrize("kind", [InputError, ModelIntegrityError])
def test_other_value_errors_are_no_usage_errors(kind):
    with pytest.raises(kind), usage_errors(Parser()):
        raise kind("damaged")


@pytest.mark.parametrize(
    ("results", "quiet", "code", "lines"),
    [
        ([MASKED], False, 0, ["command: 1 file: 1 masked."]),
        ([MASKED], True, 0, []),
        (
            [MASKED, FAILED],
            True,
            1,
            [
                "command: error: b.fits is empty.",
                "command: 2 files: 1 masked, 1 failed.",
            ],
        ),
        ([], False, 0, ["command: 0 files: nothing to do."]),
    ],
)
def test_reporter(results, quiet, code, lines, capsys):
    reporter = Reporter("command")
    for number, result in enumerate(results, start=1):
        reporter(number, len(results), result)
    assert reporter.finish(results, quiet=quiet) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.splitlines() == lines


def test_reporter_logs_why_a_file_was_skipped(caplog):
    skipped = FileResult("a.fits", "skipped", message="a.masks.fits exists.")
    with caplog.at_level(logging.INFO, logger="maximask_astro"):
        Reporter("command")(1, 1, skipped)
    assert caplog.messages == ["a.masks.fits exists."]


@pytest.mark.parametrize("verbose", [True, False])
def test_set_up_logging(verbose):
    logger = logging.getLogger("maximask_astro")
    level = logger.level
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            set_up_logging(verbose)
            warnings.warn("by the way", UserWarning, stacklevel=1)
        assert len(caught) == verbose
        assert logger.isEnabledFor(logging.INFO) is verbose
        assert logger.isEnabledFor(logging.WARNING)
    finally:
        logger.setLevel(level)


def test_json_in_a_file(tmp_path):
    write_json([MASKED, FAILED], tmp_path / "summary.json")
    content = json.loads((tmp_path / "summary.json").read_text())
    assert content == {
        "summary": "2 files: 1 masked, 1 failed.",
        "ok": False,
        "files": [
            {
                "source": "a.fits",
                "status": "masked",
                "output": "a.masks.fits",
                "message": "",
                "hdus": [],
            },
            {
                "source": "b.fits",
                "status": "failed",
                "output": None,
                "message": "b.fits is empty.",
                "hdus": [],
            },
        ],
    }
    assert [path.name for path in tmp_path.iterdir()] == ["summary.json"]


def test_json_on_standard_output(capsys):
    write_json([MASKED], "-")
    output = capsys.readouterr()
    assert json.loads(output.out)["ok"] is True
    assert output.err == ""


def test_json_where_nothing_can_be_written(tmp_path):
    target = tmp_path / "lost" / "summary.json"
    with pytest.raises(InputError) as caught:
        write_json([], target)
    assert str(caught.value) == (
        f"The summary {target} cannot be written: No such file or directory."
    )
