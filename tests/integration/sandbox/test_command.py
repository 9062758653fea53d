"""`tailwatch sandbox execute` as its user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from monitor.sandbox.process_sandbox import NAMESPACE_WARNING
from tests.integration.sandbox.backends import open_backend

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
    file = folder / "programs.jsonl"
    file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    options = ["--backend", "namespace", "--workers", "2", *(["--json"] if as_json else [])]
    return subprocess.run(
        [Path(sys.executable).with_name("tailwatch"), "sandbox", "execute", str(file), *options],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
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
