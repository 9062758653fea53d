"""An import that fails or is killed leaves nothing that looks like its result, and can be tried again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli.app import cli
from monitor.suites.loading import load_suite
from tests.unit.repository.documents import ROOT

TASK = {
    "task_id": "a",
    "prompt": "def double(x):\n",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(4) == 8\n",
    "entry_point": "double",
}
ROW = {"doc_id": 0, "doc": {"category": "tail"}, "filter": "none", "filtered_resps": ["x"], "acc": 1.0}
IMPORTS = {
    "suite": (
        TASK,
        ("suite", "import", "--format", "jsonl", "--licence", "MIT", "--source", "original", "--trust"),
    ),
    "outcomes": (ROW, ("outcomes", "import", "--format", "lm-eval")),
}


def line(of: str, **changes: object) -> str:
    return json.dumps(IMPORTS[of][0] | changes) + "\n"


def run(of: str, *files: Path, out: Path) -> Result:
    return CliRunner().invoke(cli, [*IMPORTS[of][1], *map(str, files), "--out", str(out)])


@pytest.mark.parametrize("of", IMPORTS)
def test_a_failed_import_leaves_nothing_and_can_be_tried_again(tmp_path, of):
    source, out = tmp_path / "a.jsonl", tmp_path / "out" / "result"
    source.write_text(line(of) + "{broken\n")
    failed = run(of, source, out=out)
    assert failed.exit_code != 0
    assert not out.parent.exists()
    (out.parent).mkdir()
    source.write_text(line(of))
    again = run(of, source, out=out)
    assert again.exit_code == 0, again.output
    assert [path.name for path in out.parent.iterdir()] == ["result"]


@pytest.mark.parametrize("of", IMPORTS)
def test_a_full_disk_leaves_nothing_and_the_import_can_be_tried_again(tmp_path, of, monkeypatch):
    source, out = tmp_path / "a.jsonl", tmp_path / "result"
    source.write_text(line(of))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        assert run(of, source, out=out).exit_code != 0
    assert {path.name for path in tmp_path.iterdir()} == {"a.jsonl"}
    assert run(of, source, out=out).exit_code == 0


def test_lines_for_standard_output_are_all_printed_or_none(tmp_path):
    source = tmp_path / "samples_a.jsonl"
    source.write_text(line("outcomes") + line("outcomes", doc_id=1, acc="x"))
    failed = CliRunner().invoke(cli, [*IMPORTS["outcomes"][1], str(source)])
    assert failed.exit_code != 0
    assert failed.stdout == ""


def test_a_killed_suite_import_leaves_no_folder_and_can_be_tried_again(tmp_path):
    source, out = tmp_path / "pipe.jsonl", tmp_path / "suite"
    os.mkfifo(source)
    # Opened for reading as well, it neither waits for a reader nor ends.
    pipe = os.open(source, os.O_RDWR)
    os.write(pipe, "".join(line("suite", task_id=f"t{number}") for number in range(50)).encode())
    command = [*IMPORTS["suite"][1], str(source), "--out", str(out)]
    program = "from monitor.cli import main; main()"
    with subprocess.Popen([sys.executable, "-c", program, *command], cwd=ROOT) as process:
        try:
            wait_until(lambda: any(tmp_path.glob(".suite.*/tasks/t0.yaml")))
        finally:
            process.send_signal(signal.SIGKILL)
    os.close(pipe)
    assert not out.exists()
    whole = tmp_path / "whole.jsonl"
    whole.write_text(line("suite"))
    assert run("suite", whole, out=out).exit_code == 0
    assert len(load_suite(out)) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"pipe.jsonl", "suite", "whole.jsonl"}


def test_a_log_that_is_not_supported_is_called_so(tmp_path):
    for name, content, told in (
        (
            "a.eval",
            b"PK\x03\x04\x14\x00",
            "a zip archive, as the .eval logs of Inspect are, which is not supported",
        ),
        ("a.json", b'{\n  "version": 2\n}\n', "one JSON document, not JSON Lines"),
        ("a.jsonl", line("outcomes").encode("utf-16"), "UTF-16 text"),
        ("b.jsonl", line("outcomes").encode("utf-16-le"), "UTF-16-LE text"),
    ):
        (tmp_path / name).write_bytes(content)
        failed = run("outcomes", tmp_path / name, out=tmp_path / "out")
        assert told in str(failed.exception)
        assert "not JSON (" not in str(failed.exception)


def test_the_import_says_what_it_did_with_ids_and_copies(tmp_path):
    for name in "ab":
        rows = [line("outcomes", doc_id=n, resps=[["x", "x"]], filtered_resps=[["x", "x"]]) for n in range(3)]
        (tmp_path / f"samples_{name}.jsonl").write_text("".join(rows))
    logs = [tmp_path / f"samples_{name}.jsonl" for name in "ab"]
    done = run("outcomes", *logs, out=tmp_path / "out.jsonl")
    assert "the benchmark's name stands before every id" in done.stderr
    assert "a: in 3 of 3 repeated tasks all repeats are copies of one text" in done.stderr
    assert "Wrote 6 samples" in done.stdout
    outcomes = str(tmp_path / "out.jsonl")
    gate = CliRunner().invoke(
        cli, ["gate", "--greedy", "--baseline-outcomes", outcomes, "--candidate-outcomes", outcomes, "--json"]
    )
    assert json.loads(gate.stdout)["strata"]["tail"]["samples"] == 6


def wait_until(condition: Callable[[], bool], *, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
