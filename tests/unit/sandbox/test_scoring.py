from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.domain.errors import InvalidInput
from monitor.domain.samples import Outcome
from monitor.sandbox.scoring import any_unscored, read_programs, score, with_helpers
from monitor.testing import FakeSandbox, marked

LINE = {
    "task_id": "t/1",
    "prompt": "def f(x):\n",
    "completion": "    return x\n",
    "test": "def check(candidate):\n    assert candidate(1) == 1\n",
    "entry_point": "f",
}


def written(path: Path, *lines: dict[str, Any] | str) -> Path:
    file = path / "programs.jsonl"
    file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return file


def test_a_line_becomes_the_program_it_describes(tmp_path: Path) -> None:
    (submission,) = read_programs(written(tmp_path, LINE | {"time_limit_s": 7}))
    assert submission.program.source == "def f(x):\n    return x\n"
    assert (submission.program.language, submission.program.limits.cpu_s) == ("python", 7.0)
    assert submission.reference is None


def test_blank_lines_and_fields_of_other_tools_do_no_harm(tmp_path: Path) -> None:
    assert len(read_programs(written(tmp_path, LINE, "", LINE | {"level": "easy"}))) == 2


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ({k: v for k, v in LINE.items() if k != "task_id"}, "task_id is missing"),
        ({k: v for k, v in LINE.items() if k != "completion"}, "completion is missing"),
        ({k: v for k, v in LINE.items() if k != "test"}, "test is missing"),
        ({k: v for k, v in LINE.items() if k != "entry_point"}, "entry_point is missing"),
        (LINE | {"prompt": 5}, "prompt is not a string"),
        (LINE | {"language": "cobol"}, "unknown language 'cobol'"),
        (LINE | {"time_limit_s": "2"}, "time_limit_s"),
        (LINE | {"time_limit_s": 0}, "time_limit_s"),
        (LINE | {"time_limit_s": True}, "time_limit_s"),
        (LINE | {"prompt": "# \udcff"}, "field prompt holds half a surrogate pair"),
        (LINE | {"test": "# \ud83d"}, "field test holds half a surrogate pair"),
        (LINE | {"completion": "\udcff"}, "field completion holds half a surrogate pair"),
        ("[" * 100_000, "nested too deeply"),
        (LINE | {"test": "#" * (4 * 2**20)}, "longer than 4194304 characters"),
    ],
)
def test_a_malformed_line_is_named_by_file_and_number(tmp_path: Path, line: Any, problem: str) -> None:
    path = written(tmp_path, LINE, line)
    with pytest.raises(InvalidInput) as caught:
        read_programs(path)
    assert f"{path}, line 2: " in caught.value.message
    assert problem in caught.value.message
    assert caught.value.next_step


def test_a_file_that_is_missing_empty_or_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "none.jsonl", written(tmp_path, ""), tmp_path / "latin"):
        with pytest.raises(InvalidInput, match=path.name):
            read_programs(path)


async def test_results_come_in_the_order_of_the_programs(tmp_path: Path) -> None:
    lines = [LINE | {"task_id": f"t/{n}", "completion": f"    return {n}\n"} for n in range(9)]
    done: list[object] = []
    records = await score(read_programs(written(tmp_path, *lines)), FakeSandbox(), on_done=done.append)
    assert [record["task_id"] for record in records] == [f"t/{n}" for n in range(9)]
    assert set(records[0]) == {"task_id", "outcome", "detail", "cpu_s", "wall_s", "peak_bytes", "trust"}
    assert len(done) == 9
    assert not any_unscored(records)


async def test_a_lost_sandbox_gives_unscored_records_and_never_failures(tmp_path: Path) -> None:
    submissions = read_programs(written(tmp_path, *(LINE | {"task_id": str(n)} for n in range(3))))
    records = await score(submissions, FakeSandbox(life=1))
    assert [record["outcome"] for record in records] == ["passed", "unscored", "unscored"]
    assert any_unscored(records)


async def test_an_engine_that_is_lost_while_references_run_gives_unscored_records_too(tmp_path: Path) -> None:
    lines = [LINE | {"task_id": str(n), "canonical_solution": "    return x\n"} for n in range(2)]
    records = await score(read_programs(written(tmp_path, *lines)), FakeSandbox(life=0))
    assert [record["outcome"] for record in records] == ["unscored", "unscored"]
    assert "gone" in records[0]["detail"]


async def test_a_task_whose_own_solution_fails_here_scores_nobody_and_is_named(tmp_path: Path) -> None:
    broken = LINE | {"task_id": "odd/7", "canonical_solution": marked(Outcome.FAILED)}
    submissions = read_programs(written(tmp_path, broken, LINE))
    odd, plain = await score(submissions, FakeSandbox())
    assert (odd["outcome"], plain["outcome"]) == ("unscored", "passed")
    assert "odd/7" in odd["detail"]


async def test_a_reference_beside_a_program_decides_how_its_tests_run(tmp_path: Path) -> None:
    (submission,) = read_programs(written(tmp_path, LINE | {"canonical_solution": "    return x\n"}))
    sandbox = FakeSandbox()
    (record,) = await score([submission], sandbox)
    assert record["outcome"] == Outcome.PASSED
    assert not sandbox.executed[-1].in_process


def test_helpers_of_the_prompt_come_with_the_test_and_nothing_else_does() -> None:
    prompt = (
        "import math\nimport os\nLIMIT = 3\n\ndef helper(x):\n    return math.floor(x) + LIMIT\n\n"
        "def other():\n    return os\n\ndef f(x):\n    '''Docs.'''\n"
    )
    found = with_helpers(prompt, "def check(c):\n    assert c(1) == helper(1)\n", "f")
    assert "import math" in found
    assert "LIMIT = 3" in found
    assert "def helper" in found
    assert "os" not in found
    assert "def f" not in found


def test_a_test_that_needs_nothing_is_left_alone() -> None:
    assert with_helpers(LINE["prompt"], LINE["test"], "f") == LINE["test"]


@pytest.mark.parametrize("test", ["def check(:\n", "# \x00\n", "x = " + "-" * 20_000 + "1\n"])
def test_text_that_is_no_python_is_left_for_the_sandbox_to_refuse(test: str) -> None:
    assert with_helpers("def f(", test, "f") == test
    assert with_helpers(test, "def check(c): pass\n", "f") == "def check(c): pass\n"
