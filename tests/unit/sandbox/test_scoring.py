from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from monitor.domain.errors import InvalidInput
from monitor.domain.samples import Execution, Outcome, Program
from monitor.ports import Sandbox
from monitor.sandbox.scoring import Scorer, Submission, read_programs
from monitor.testing import FakeSandbox, marked

LINE = {
    "task_id": "t/1",
    "prompt": "def f(x):\n",
    "completion": "    return x\n",
    "test": "def check(candidate):\n    assert candidate(1) == 1\n",
    "entry_point": "f",
}


async def score(submissions: Iterable[Submission], sandbox: Sandbox) -> list[dict[str, Any]]:
    scorer = Scorer(sandbox)
    return await asyncio.gather(*(scorer.score(submission) for submission in submissions))


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
        (LINE | {"canonical_solution": "\udcff"}, "field canonical_solution holds half a surrogate pair"),
        (LINE | {"test": "import f\nx = 1\n"}, "field test cannot decide anything: it defines neither check"),
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


async def test_a_record_names_its_task_and_holds_what_became_of_it(tmp_path: Path) -> None:
    (record,) = await score(read_programs(written(tmp_path, LINE)), FakeSandbox())
    assert set(record) == {"task_id", "outcome", "detail", "cpu_s", "wall_s", "peak_bytes", "trust"}
    assert (record["task_id"], record["outcome"]) == ("t/1", "passed")


async def test_a_lost_sandbox_gives_unscored_records_and_never_failures(tmp_path: Path) -> None:
    submissions = read_programs(written(tmp_path, *(LINE | {"task_id": str(n)} for n in range(3))))
    records = await score(submissions, FakeSandbox(life=1))
    assert [record["outcome"] for record in records] == ["passed", "unscored", "unscored"]


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


async def test_half_a_surrogate_pair_in_a_completion_concerns_no_other_program(tmp_path: Path) -> None:
    lines = [LINE | {"completion": "    return '\ud83d'\n"}, LINE]
    submissions = read_programs(written(tmp_path, *lines))
    assert len(await score(submissions, FakeSandbox())) == 2
    assert "\ud83d" in submissions[0].program.source


async def test_a_reference_decides_in_every_language_whether_its_task_can_be_judged_here(
    tmp_path: Path,
) -> None:
    line = {
        "task_id": "rb/1",
        "language": "ruby",
        "completion": "def f(x) = x\n",
        "test": "raise unless f(1)",
    }
    lacking = line | {"canonical_solution": f"require 'x' {marked(Outcome.REJECTED)}"}
    whole = line | {"canonical_solution": "def f(x) = x\n"}
    odd, plain = await score(read_programs(written(tmp_path, lacking, whole)), FakeSandbox())
    assert (odd["outcome"], plain["outcome"]) == ("unscored", "passed")
    assert "the canonical_solution of task rb/1 does not pass here: rejected" in odd["detail"]


async def test_a_reference_is_run_once_for_all_the_samples_of_its_task(tmp_path: Path) -> None:
    lines = [
        LINE | {"completion": f"    return {n}\n", "canonical_solution": "    return x\n"} for n in range(5)
    ]
    sandbox = FakeSandbox()
    await score(read_programs(written(tmp_path, *lines)), sandbox)
    assert [program.source.strip().endswith("return x") for program in sandbox.executed].count(True) == 1


@pytest.mark.parametrize(
    ("detail", "untested"),
    [
        ("the task's test cannot be run: NameError: name 'x' is not defined", True),
        ("SkipTest: no network in: raise unittest.SkipTest()", True),
        ("AssertionError in: assert f(1) == 2", False),
        ("SkipTest: raised by the program in: as it was loaded", False),
        ("the task's test cannot be run: raised by the program as well", False),
    ],
)
@pytest.mark.parametrize("reference", [{}, {"canonical_solution": "    return x  # good\n"}])
async def test_a_test_that_cannot_run_is_no_fault_of_the_program_unless_it_can(
    tmp_path: Path, detail: str, untested: bool, reference: dict[str, str]
) -> None:
    class Failing(FakeSandbox):
        async def execute(self, program: Program, *, fresh: bool = False) -> Execution:
            if "# good" in program.source:
                return Execution(outcome=Outcome.PASSED)
            return Execution(outcome=Outcome.FAILED, detail=detail, untested=untested)

    (record,) = await score(read_programs(written(tmp_path, LINE | reference)), Failing())
    assert record["outcome"] == ("unscored" if untested and not reference else "failed")
    assert detail in record["detail"]
