from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.domain.errors import InvalidSuite
from monitor.suites.loading import load_suite
from monitor.suites.mutation.killing import LEAST_OVERALL_SCORE, LEAST_SCORE, MutationScore
from monitor.suites.mutation.record import RECORD_FILE, RecordedScore, read_record, write_record
from monitor.suites.shelves import find_suite
from tests.unit.suites.suite_files import task_text, write_suite_folder

SCORE = MutationScore(task_id="t/a", mutants=10, killed=9, equivalent=1, not_run=0, survivors=())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_suite_folder(tmp_path / "s", {name: task_text(f"t/{name}") for name in "ab"})


def _recorded(folder: Path) -> Mapping[str, RecordedScore]:
    record = read_record(folder)
    assert record is not None
    return record.tasks


def test_a_suite_without_a_record_has_none(folder: Path) -> None:
    assert read_record(folder) is None


def test_scores_are_read_as_they_were_written(folder: Path) -> None:
    suite = load_suite(folder)
    write_record(folder, suite, [SCORE])
    record = read_record(folder)
    assert record is not None
    assert record.digest == suite.digest == load_suite(folder).digest
    row = record.tasks["t/a"]
    assert (row.digest, row.mutants, row.killed, row.equivalent) == (suite["t/a"].digest, 10, 9, 1)
    assert (row.score, record.score) == (0.9, 0.9)


def test_tasks_are_added_in_pieces_and_forgotten_when_they_change(folder: Path) -> None:
    write_record(folder, load_suite(folder), [SCORE])
    write_record(folder, load_suite(folder), [replace(SCORE, task_id="t/b")])
    assert {*_recorded(folder)} == {"t/a", "t/b"}
    path = folder / "tasks" / "a.yaml"
    path.write_text(path.read_text().replace("return 2 * x", "return x * 2"))
    write_record(folder, load_suite(folder), [])
    record = read_record(folder)
    assert record is not None
    assert {*record.tasks} == {"t/b"}
    assert record.digest == load_suite(folder).digest


@pytest.mark.parametrize("score", [replace(SCORE, not_run=1), replace(SCORE, mutants=0, killed=0)])
def test_what_could_not_be_shown_is_not_recorded(folder: Path, score: MutationScore) -> None:
    write_record(folder, load_suite(folder), [SCORE])
    write_record(folder, load_suite(folder), [score])
    assert _recorded(folder) == {}


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"digest": "d", "tasks": {"t/a": {"mutants": 1}}}'])
def test_another_file_of_that_name_is_refused(folder: Path, text: str) -> None:
    (folder / RECORD_FILE).write_text(text)
    with pytest.raises(InvalidSuite, match="holds no mutation scores"):
        read_record(folder)


def test_the_core_suite_ships_the_scores_of_its_present_tasks() -> None:
    core = load_suite("core")
    record = read_record(find_suite("core"))
    assert record is not None
    assert record.digest == core.digest
    assert {task_id: row.digest for task_id, row in record.tasks.items()} == {
        task.task_id: task.digest for task in core
    }
    assert record.score >= LEAST_OVERALL_SCORE
    assert min(row.score for row in record.tasks.values()) >= LEAST_SCORE
