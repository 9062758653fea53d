"""What the daemon writes to standard error, as a terminal and as a collector of logs reads it."""

from __future__ import annotations

import json
import logging
import math
import sys

import pytest

from monitor.cli.logs import JsonLines, Readable, RunFilter, start_logging
from monitor.rounds.run import running
from tests.unit.export import story

EVALUATION = story.evaluation(story.GEN3, begun=story.BEGIN)


@pytest.fixture(autouse=True)
def _logging_as_before():
    """The root logger and those that are quietened belong to whoever runs the tests."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {
        name: each.level for name, each in root.manager.loggerDict.items() if isinstance(each, logging.Logger)
    }
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def record(message="decided", *arguments, exc_info=None, **extra):
    made = logging.LogRecord("tailwatch", logging.INFO, __file__, 1, message, arguments, exc_info)
    made.__dict__.update(extra)
    return made


def told(made):
    """The record as the JSON reader of another program sees it, which knows no NaN."""

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    line = JsonLines().format(made)
    assert "\n" not in line
    return json.loads(line, parse_constant=refuse)


def raised():
    try:
        int("none")
    except ValueError:
        return sys.exc_info()


def test_a_json_line_says_when_who_what_and_the_fields_of_the_event():
    document = told(record("decided", checkpoint="gen3", decision=None))
    assert document.pop("time").endswith("+00:00")
    assert document == {
        "level": "info",
        "logger": "tailwatch",
        "event": "decided",
        "checkpoint": "gen3",
        "decision": None,
    }


def test_a_field_does_not_replace_what_every_line_has():
    document = told(record("decided", event="promoted", level=3))
    assert (document["event"], document["level"]) == ("decided", "info")
    assert (document["event_"], document["level_"]) == ("promoted", 3)


def test_numbers_that_json_does_not_know_are_text():
    document = told(record(delta=math.nan, bounds=(-math.inf, {"high": math.inf}), evidence=1.5))
    assert (document["delta"], document["bounds"], document["evidence"]) == (
        "nan",
        ["-inf", {"high": "inf"}],
        1.5,
    )


def test_a_field_of_any_kind_is_told():
    document = told(record(path=story.GEN3, names={"b"}))
    assert "gen3" in document["path"]
    assert document["names"] == "{'b'}"


def test_the_coloured_copy_of_a_message_is_left_to_terminals():
    document = told(record("Started server process [%d]", 7, color_message="Started [\x1b[36m%d\x1b[0m]"))
    assert document["event"] == "Started server process [7]"
    assert "color_message" not in document


def test_an_exception_is_a_field_of_its_json_line():
    assert "ValueError: invalid literal" in told(record(exc_info=raised()))["exception"]


def test_a_readable_line_ends_with_its_fields_and_a_traceback_follows():
    first, *traceback = (
        Readable().format(record("failed", exc_info=raised(), run="ab", none=None)).split("\n")
    )
    assert first.endswith("INFO    failed  run=ab")
    assert traceback[0].startswith("Traceback")


def test_a_name_with_line_ends_cannot_make_a_line_of_its_own():
    line = Readable().format(record("queued", checkpoint="a\n12:00:00 INFO    decided", colour="\x1b[31mé"))
    assert line.endswith(r"queued  checkpoint=a\n12:00:00 INFO    decided colour=\x1b[31mé")


def test_what_is_logged_while_an_evaluation_runs_names_it():
    with running(EVALUATION):
        within, named = record("the drift report was not written"), record("queued", run="another")
        assert RunFilter().filter(within)
        assert RunFilter().filter(named)
    after = record("stopped")
    assert RunFilter().filter(after)
    assert told(within)["run"] == EVALUATION.key.evaluation_id
    assert told(named)["run"] == "another"
    assert "run" not in told(after)


@pytest.mark.parametrize(
    ("log_format", "terminal", "readable"),
    [("auto", True, True), ("auto", False, False), ("text", False, True), ("json", True, False)],
)
def test_a_terminal_gets_text_and_everything_else_json_unless_told_otherwise(
    capsys, monkeypatch, log_format, terminal, readable
):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    start_logging(log_format)
    with running(EVALUATION):
        logging.getLogger("monitor.drift.meter").info("measured")
    logging.getLogger("httpx").info("GET /health")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("{") is not readable
    assert EVALUATION.key.evaluation_id in line
