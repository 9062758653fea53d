from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.sandbox.inside import cleanup

names = st.binary(min_size=1, max_size=20).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
)


@settings(deadline=None, max_examples=30)
@given(paths=st.lists(st.lists(names, min_size=1, max_size=4), max_size=8))
def test_whatever_was_written_is_gone(
    tmp_path_factory: pytest.TempPathFactory, paths: list[list[bytes]]
) -> None:
    place = tmp_path_factory.mktemp("place")
    for parts in paths:
        path = place.joinpath(*map(os.fsdecode, parts))
        # Names clash with each other: then there is simply less to wipe.
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
    assert cleanup.wipe([str(place)])
    assert list(place.iterdir()) == []


def test_a_tree_deeper_than_any_path_is_gone(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    program = "import os\nfor _ in range(3000):\n    os.mkdir('d')\n    os.chdir('d')\n"
    subprocess.run([sys.executable, "-c", program], cwd=place, check=True)
    assert cleanup.wipe([str(place)])
    assert list(place.iterdir()) == []


def test_locked_folders_links_and_pipes_are_gone_and_what_links_point_to_is_not(tmp_path: Path) -> None:
    place, kept = tmp_path / "place", tmp_path / "kept"
    locked = place / "a" / "b"
    locked.mkdir(parents=True)
    kept.mkdir()
    (kept / "file").write_text("x")
    (place / "link").symlink_to(kept)
    (locked / "link").symlink_to(kept / "file")
    os.mkfifo(place / "pipe")
    locked.chmod(0)
    locked.parent.chmod(0)
    assert cleanup.wipe([str(place)])
    assert list(place.iterdir()) == []
    assert (kept / "file").read_text() == "x"


def test_descendants_are_found_and_killed_and_known_ones_are_spared() -> None:
    program = "import subprocess, sys\nsubprocess.Popen(['sleep', '600'])\nprint('up', flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        found = cleanup.strays(set(), whole_namespace=False)
        assert parent.pid in found
        (child,) = [pid for pid in found if Path(f"/proc/{pid}/comm").read_text() == "sleep\n"]
        cleanup.kill_strays(set(found) - {child})
        give_up_at = time.monotonic() + 10
        while Path(f"/proc/{child}/cmdline").exists() and Path(f"/proc/{child}/cmdline").read_bytes():
            assert time.monotonic() < give_up_at
            time.sleep(0.01)
        assert parent.poll() is None
