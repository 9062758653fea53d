"""`tailwatch sandbox execute` as its user runs it."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from monitor.sandbox.process_sandbox import NAMESPACE_WARNING
from monitor.sandbox.scoring import Scorer, read_programs
from tests.integration.sandbox.backends import open_backend
from tests.requirements import require

LINE = {
    "prompt": "def double(x):\n",
    "completion": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(4) == 8\n",
    "entry_point": "double",
}


@pytest.fixture(autouse=True)
async def _namespaces() -> None:
    async with await open_backend("namespace"):
        pass


def execute(
    folder: Path, *lines: dict[str, Any] | str, as_json: bool = True
) -> subprocess.CompletedProcess[str]:
    running = start(folder, *lines, as_json=as_json)
    out, said = running.communicate()
    return subprocess.CompletedProcess(running.args, running.returncode, out, said)


def start(folder: Path, *lines: dict[str, Any] | str, as_json: bool = True) -> subprocess.Popen[str]:
    file = folder / "programs.jsonl"
    file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    options = ["--backend", "namespace", "--workers", "2", *(["--json"] if as_json else [])]
    command = [Path(sys.executable).with_name("tailwatch"), "sandbox", "execute", str(file), *options]
    return subprocess.Popen(
        # Where the tests run in the background, the shell has them ignore SIGINT, and children inherit that.
        ["env", "--default-signal=INT", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def records(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_results_are_json_lines_in_the_order_of_the_input(tmp_path: Path) -> None:
    wrong = LINE | {"completion": "    return x\n"}
    slow = LINE | {"completion": "    sum(range(10**6))\n    return 2 * x\n"}
    lines = [
        LINE | {"task_id": "a"},
        slow | {"task_id": "b"},
        wrong | {"task_id": "c"},
        slow | {"task_id": "a"},
    ]
    done = execute(tmp_path, *lines)
    assert done.returncode == 0, done.stderr
    found = [(record["task_id"], record["outcome"]) for record in records(done)]
    assert found == [("a", "passed"), ("b", "passed"), ("c", "failed"), ("a", "passed")]
    assert set(records(done)[0]) == {
        *("task_id", "outcome", "detail", "cpu_s", "wall_s", "peak_bytes", "trust"),
    }
    assert "assert candidate(4) == 8" in records(done)[2]["detail"]


def test_what_is_weaker_than_containers_says_so_where_it_disturbs_no_results(tmp_path: Path) -> None:
    done = execute(tmp_path, LINE | {"task_id": "a"}, as_json=False)
    assert NAMESPACE_WARNING in done.stderr
    assert done.stdout.splitlines()[-1] == "1 of 1 passed."


def test_a_program_that_could_not_be_scored_makes_the_exit_code_3(tmp_path: Path) -> None:
    odd = LINE | {"task_id": "odd", "canonical_solution": "    import nothing_here\n"}
    done = execute(tmp_path, LINE | {"task_id": "a"}, odd)
    assert done.returncode == 3
    assert [record["outcome"] for record in records(done)] == ["passed", "unscored"]
    assert "odd" in records(done)[1]["detail"]
    assert "nothing_here" in records(done)[1]["detail"]


def test_a_malformed_line_is_named_before_anything_runs(tmp_path: Path) -> None:
    done = execute(tmp_path, LINE | {"task_id": "a"}, LINE)
    assert done.returncode == 3
    assert "programs.jsonl, line 2: field task_id is missing" in done.stderr
    assert "Traceback" not in done.stderr
    assert "passed" not in done.stdout


def test_results_are_printed_as_they_come_and_an_interruption_loses_none(tmp_path: Path) -> None:
    endless = LINE | {"task_id": "b", "completion": "    while True:\n        pass\n", "time_limit_s": 600}
    running = start(tmp_path, LINE | {"task_id": "a"}, endless)
    try:
        assert running.stdout is not None
        first = json.loads(running.stdout.readline())
        assert (first["task_id"], first["outcome"]) == ("a", "passed")
        assert running.poll() is None
        running.send_signal(signal.SIGINT)
        rest, said = running.communicate(timeout=120)
    finally:
        running.kill()
    assert (running.returncode, rest) == (130, "")
    assert "Interrupted: 1 of 2 programs are told above." in said
    assert "stored" not in said


async def scored(folder: Path, *lines: dict[str, Any]) -> list[dict[str, Any]]:
    file = folder / "programs.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    async with await open_backend("namespace") as sandbox:
        scorer = Scorer(sandbox)
        return await asyncio.gather(*(scorer.score(each) for each in read_programs(file)))


async def test_the_habits_of_test_files_have_one_outcome_each(tmp_path: Path) -> None:
    cases = "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        "
    tests = {
        "asserts": ("assert double(4) == 8\n", "passed"),
        "asserts that fail": ("assert double(4) == 9\n", "failed"),
        "unittest": (f"{cases}self.assertEqual(double(4), 8)\n", "passed"),
        "unittest that fails": (f"{cases}self.assertEqual(double(4), 9)\n", "failed"),
        "functions": ("def test_double():\n    assert double(4) == 8\n", "passed"),
        "skipped": (f"{cases}self.skipTest('no network')\n", "unscored"),
        "skipped behind a call": (f"{cases}double(1)\n        self.skipTest('no network')\n", "unscored"),
        "broken": ("def check(candidate):\n    assert oracle(candidate(1))\n", "unscored"),
        "broken script": ("assert oracle(double(1))\n", "unscored"),
        "about nothing": ("assert abs(-1) == 1\n", "unscored"),
    }
    lines = [LINE | {"task_id": name, "test": test} for name, (test, _) in tests.items()]
    done = await scored(tmp_path, *lines)
    found = {record["task_id"]: record["outcome"] for record in done}
    assert found == {name: outcome for name, (_, outcome) in tests.items()}, done
    assert "assert double(4) == 9" in done[1]["detail"]
    assert "9" in next(r["detail"] for r in done if r["task_id"] == "unittest that fails")


async def test_half_a_surrogate_pair_refuses_the_one_program_that_holds_it(tmp_path: Path) -> None:
    odd = LINE | {"task_id": "odd", "completion": "    return '\ud83d'\n"}
    done = await scored(tmp_path, odd, LINE | {"task_id": "good"})
    assert [record["outcome"] for record in done] == ["rejected", "passed"]
    assert "surrogate" in done[0]["detail"]


async def test_a_library_that_is_missing_here_is_no_fault_of_any_language(tmp_path: Path) -> None:
    require("The interpreter perl", shutil.which("perl") is not None, "Install perl.")
    source = "use No::Such::Library;\nsub double { return 2 * $_[0]; }\n"
    perl = {"language": "perl", "completion": source, "test": "die unless double(4) == 8;\n"}
    lacking = perl | {"task_id": "lacking", "canonical_solution": source}
    there = {"completion": source.partition("\n")[2], "canonical_solution": source.partition("\n")[2]}
    done = await scored(tmp_path, lacking, perl | there | {"task_id": "there"})
    assert [record["outcome"] for record in done] == ["unscored", "passed"], done
    assert "canonical_solution of task lacking does not pass here" in done[0]["detail"]
    assert "No/Such/Library" in done[0]["detail"]
