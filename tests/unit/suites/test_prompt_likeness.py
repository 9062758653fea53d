from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain.tasks import Task
from monitor.suites.prompt_likeness import likest_prompts
from tests.unit.suites.suite_files import a_task


def _task(task_id: str, prompt: str, language: str = "python") -> Task:
    return replace(a_task(prompt=prompt, language=language), task_id=task_id)


BOOKINGS = _task("t/1", "Find bookings of a room that overlap in time.")
CONFLICTS = _task("t/2", "Which room bookings are in conflict, as their time overlaps?")
VAT = _task("t/3", "The tax of an invoice in cents, of each rate.")


def test_one_idea_in_other_words_comes_first() -> None:
    pairs = likest_prompts([BOOKINGS, VAT, CONFLICTS], most=3)
    assert (pairs[0].task_id, pairs[0].other) == ("t/1", "t/2")
    assert pairs[0].similarity > 1.5 * pairs[1].similarity


def test_the_same_prompt_is_as_alike_as_can_be() -> None:
    (pair,) = likest_prompts([VAT, replace(VAT, task_id="t/4")], most=5)
    assert pair.similarity == pytest.approx(1.0)


def test_tasks_in_other_languages_are_other_tasks() -> None:
    assert likest_prompts([VAT, replace(VAT, task_id="t/4", language="tcl")], most=5) == []


def test_a_prompt_without_words_is_like_none() -> None:
    (pair,) = likest_prompts([VAT, _task("t/4", "1 + 1")], most=1)
    assert pair.similarity == 0.0
