"""What SmolLM2-135M-Instruct really answered to chat prompts, and the programs found in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.programs.answers.record import program_in
from tests.unit.suites.suite_files import a_task

ANSWERS = [
    json.loads(line)
    for line in (Path(__file__).parent / "answers" / "smollm2.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer["task_id"])
def test_the_program_in_a_real_answer_is_the_one_that_a_reader_would_take(answer: dict[str, Any]) -> None:
    task = a_task(prompt=answer["prompt"], entry_point=answer["entry_point"], language=answer["language"])
    assert program_in(task, answer["answer"]) == answer["program"]


def test_a_fence_is_never_part_of_a_program() -> None:
    assert sum("```" in answer["answer"] for answer in ANSWERS) > len(ANSWERS) / 2
    assert all("```" not in answer["program"] for answer in ANSWERS)
