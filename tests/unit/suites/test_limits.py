from __future__ import annotations

from pathlib import Path

import pytest

from monitor.suites.limits import LimitChange, limit_for, set_limits
from monitor.suites.loading import load_suite
from tests.unit.suites.suite_files import task_text, write_suite_folder


@pytest.mark.parametrize(("cpu_s", "limit_s"), [(0.0, 1.0), (0.1, 1.0), (0.1001, 2.0), (1.0, 10.0)])
def test_a_limit_is_ten_times_the_references_time_in_whole_seconds(cpu_s: float, limit_s: float) -> None:
    assert limit_for(cpu_s) == limit_s


def test_limits_that_cannot_all_be_written_change_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_suite_folder(tmp_path / "s", {name: task_text(f"t/{name}") for name in "ab"})
    before = {path.name: path.read_text() for path in (folder / "tasks").iterdir()}
    drafts = iter([None, OSError(28, "No space left on device")])

    def fsync(_: int) -> None:
        if error := next(drafts):
            raise error

    monkeypatch.setattr("os.fsync", fsync)
    with pytest.raises(OSError, match="No space"):
        set_limits(folder, {"t/a": 0.01, "t/b": 0.01})
    assert {path.name: path.read_text() for path in (folder / "tasks").iterdir()} == before


def test_only_files_whose_limit_changes_are_written(tmp_path: Path) -> None:
    folder = write_suite_folder(tmp_path / "s", {name: task_text(f"t/{name}") for name in "abc"})
    before = {path.name: path.read_text() for path in (folder / "tasks").iterdir()}
    changes = set_limits(folder, {"t/a": 0.01, "t/b": 0.2})
    assert changes == [LimitChange(task_id="t/a", before_s=2.0, after_s=1.0)]
    after = {path.name: path.read_text() for path in (folder / "tasks").iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"a.yaml"}
    assert [task.time_limit_s for task in load_suite(folder)] == [1.0, 2.0, 2.0]
