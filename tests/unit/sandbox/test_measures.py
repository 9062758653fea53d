from __future__ import annotations

from pathlib import Path

import pytest

from monitor.sandbox.inside.measures import MemoryKills

VERSION_1 = "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"
VERSION_2 = "low 0\nhigh 0\nmax 31\noom 4\noom_kill {}\noom_group_kill 0\n"


@pytest.mark.parametrize(
    ("name", "form"), [("memory.events", VERSION_2), ("memory/memory.oom_control", VERSION_1)]
)
def test_memory_kills_are_counted_once_whichever_version_of_control_groups(
    tmp_path: Path, name: str, form: str
) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(form.format(2))
    kills = MemoryKills(str(tmp_path))
    assert kills.since_last() == 0
    file.write_text(form.format(5))
    assert (kills.since_last(), kills.since_last()) == (3, 0)


def test_a_kernel_that_does_not_count_has_killed_nobody(tmp_path: Path) -> None:
    assert MemoryKills(str(tmp_path)).since_last() == 0
    (tmp_path / "memory.events").write_text("low 0\n")
    assert MemoryKills(str(tmp_path)).since_last() == 0
