from __future__ import annotations

from pathlib import Path

import pytest

from monitor.domain.errors import InvalidSuite
from monitor.suites.mutation.equivalents import EQUIVALENTS_FILE, read_equivalents, refuse_unknown_tasks

ENTRY = "  - {task_id: t/1, change: 'line 2: a -> b', why: Both are the same.}\n"


def _file(folder: Path, text: str) -> Path:
    (folder / EQUIVALENTS_FILE).write_text(text, encoding="utf-8")
    return folder


def test_a_suite_needs_no_list(tmp_path: Path) -> None:
    assert read_equivalents(tmp_path) == {}


def test_changes_are_read_by_task(tmp_path: Path) -> None:
    folder = _file(tmp_path, "mutants:\n" + ENTRY)
    assert read_equivalents(folder) == {"t/1": frozenset({"line 2: a -> b"})}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mutants:\n" + ENTRY + ENTRY, "twice"),
        ("mutants:\n  - {task_id: t/1, change: x}\n", "why: field required"),
        ("mutants: []\nmore: 1\n", "unknown field"),
    ],
)
def test_a_wrong_list_is_an_error_that_names_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidSuite, match=message):
        read_equivalents(_file(tmp_path, text))


def test_an_entry_of_an_unknown_task_is_an_error() -> None:
    refuse_unknown_tasks({"t/1": frozenset()}, ["t/1"])
    with pytest.raises(InvalidSuite, match="no task of the suite"):
        refuse_unknown_tasks({"t/1": frozenset()}, ["t/2"])
