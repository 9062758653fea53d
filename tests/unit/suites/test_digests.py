from __future__ import annotations

from pathlib import Path

import pytest

from monitor.suites.loading import load_suite
from tests.unit.suites.suite_files import HEADER, task_text, write_suite_folder


def _digests(folder: Path, header: str, text: str) -> tuple[str, str]:
    suite = load_suite(write_suite_folder(folder, {"a": text, "b": task_text("t/2")}, header))
    return suite.digest, suite["t/1"].digest


@pytest.fixture
def original(tmp_path: Path) -> tuple[str, str]:
    return _digests(tmp_path / "original", HEADER, task_text("t/1"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def double(x):", "def double(y):"),
        ("return 2 * x", "return x * 2"),
        ("== 8", "== 8.0"),
        ("entry_point: double", "entry_point: doubled"),
        ("language: python", "language: ruby"),
        ("kind: program", "kind: answer"),
        ("time_limit_s: 2.0", "time_limit_s: 2.5"),
        ('["\\ndef "]', '["\\ndef", " "]'),
        ('["\\ndef "]', "[]"),
    ],
)
def test_whatever_changes_an_outcome_changes_both_digests(
    tmp_path: Path, original: tuple[str, str], old: str, new: str
) -> None:
    text = task_text("t/1")
    assert old in text
    suite, task = _digests(tmp_path / "changed", HEADER, text.replace(old, new))
    assert suite != original[0]
    assert task != original[1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("topic: arithmetic", "topic: numbers"),
        ("A. Tester", "B. Tester"),
        ("time_limit_s: 2.0", "time_limit_s: 2"),
    ],
)
def test_what_is_only_about_a_task_changes_neither(
    tmp_path: Path, original: tuple[str, str], old: str, new: str
) -> None:
    assert _digests(tmp_path / "changed", HEADER, task_text("t/1").replace(old, new)) == original


def test_ranking_anew_changes_the_suite_but_keeps_the_tasks(
    tmp_path: Path, original: tuple[str, str]
) -> None:
    suite, task = _digests(tmp_path / "changed", HEADER, task_text("t/1", 0.004))
    assert suite != original[0]
    assert task == original[1]


@pytest.mark.parametrize(("old", "new"), [("seed: 7", "seed: 8"), ("version: 1.0.0", "version: 1.0.1")])
def test_a_changed_header_changes_the_suite(
    tmp_path: Path, original: tuple[str, str], old: str, new: str
) -> None:
    suite, task = _digests(tmp_path / "changed", HEADER.replace(old, new), task_text("t/1"))
    assert suite != original[0]
    assert task == original[1]
