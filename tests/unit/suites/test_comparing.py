from __future__ import annotations

from pathlib import Path

from monitor.domain.tasks import Stratum
from monitor.suites.comparing import Move, compare_suites
from monitor.suites.loading import load_suite
from tests.unit.suites.suite_files import task_text, write_suite_folder


def test_every_kind_of_change_is_told(tmp_path: Path) -> None:
    before = load_suite(
        write_suite_folder(
            tmp_path / "before",
            {name: task_text(f"t/{name}") for name in ("same", "gone", "edited", "moved")},
        )
    )
    after = load_suite(
        write_suite_folder(
            tmp_path / "after",
            {
                "same": task_text("t/same"),
                "new": task_text("t/new"),
                "edited": task_text("t/edited").replace("2 * x", "x + x"),
                "moved": task_text("t/moved", 0.001),
            },
        )
    )
    difference = compare_suites(before, after)
    assert difference.added == ("t/new",)
    assert difference.removed == ("t/gone",)
    assert difference.changed == ("t/edited",)
    assert difference.moved == (Move(task_id="t/moved", before=Stratum.HEAD, after=Stratum.TAIL),)
    assert not difference.same_digest


def test_equal_suites_do_not_differ(tmp_path: Path) -> None:
    suite = load_suite(write_suite_folder(tmp_path / "s", {"a": task_text("t/1")}))
    difference = compare_suites(suite, suite)
    assert difference.same_digest
    assert not any((difference.added, difference.removed, difference.changed, difference.moved))
