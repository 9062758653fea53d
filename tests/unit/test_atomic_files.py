"""Files and folders appear whole or not at all, whatever happens in the middle."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from monitor.atomic_files import replace_files, whole_file, whole_folder, write_file

ROOT = Path(__file__).resolve().parents[2]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def interrupted(writing: AbstractContextManager[Any], begin: Callable[[Any], object]) -> None:
    with writing as opened:
        begin(opened)
        raise RuntimeError


def fill_disk(monkeypatch: pytest.MonkeyPatch, *, after: int) -> None:
    """Let the disk be full once so many files were written through."""
    done = 0
    real = os.fsync

    def fsync(descriptor: int) -> None:
        nonlocal done
        done += 1
        if done > after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)


def killed_in(folder: Path, statements: str) -> None:
    """Run statements in another process, which is killed with SIGKILL when it says that it waits."""
    script = "from pathlib import Path\nimport time\nfrom monitor.atomic_files import *\n"
    script += textwrap.dedent(statements)
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"waiting\n"
        process.send_signal(signal.SIGKILL)


def test_a_file_is_replaced_only_when_it_is_complete(tmp_path):
    path = tmp_path / "a.txt"
    write_file(path, "old\n")
    with pytest.raises(RuntimeError):
        interrupted(whole_file(path), lambda file: file.write("half"))
    assert path.read_text() == "old\n"
    with whole_file(path) as file:
        file.write("new\n")
        assert path.read_text() == "old\n"
    assert path.read_text() == "new\n"
    assert names(tmp_path) == {"a.txt"}


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    write_file(path, "old")
    fill_disk(monkeypatch, after=0)
    with pytest.raises(OSError, match="No space left"):
        write_file(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == {"a.txt"}


def test_a_file_that_may_grow_no_further_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    write_file(path, "old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_file(path, "x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_text() == "old"
    assert names(tmp_path) == {"a.txt"}


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    killed_in(
        tmp_path,
        """
        with whole_file(Path("a.txt")) as file:
            file.write("half" * 100_000)
            file.flush()
            print("waiting", flush=True)
            time.sleep(60)
        """,
    )
    (left,) = names(tmp_path)
    assert left.startswith(".a.txt.")
    write_file(tmp_path / "a.txt", "whole")
    assert names(tmp_path) == {"a.txt"}


def test_what_another_process_is_writing_is_left_alone(tmp_path):
    path = tmp_path / "a.txt"
    with whole_file(path) as first:
        first.write("first")
        write_file(path, "second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert names(tmp_path) == {"a.txt"}


def test_a_link_stays_a_link_and_rights_stay(tmp_path):
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    write_file(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_what_is_no_regular_file_is_written_to(tmp_path):
    write_file(Path("/dev/null"), "anything")
    assert not Path("/dev/null").is_file()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_file(pipe, "through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)


REFUSED = """
import os, sys
from pathlib import Path
from monitor.atomic_files import write_file
if os.geteuid() == 0:
    os.setuid(65534)
try:
    write_file(Path(sys.argv[1]), "new")
except PermissionError:
    print("refused")
"""


def test_a_file_that_may_not_be_written_is_not_replaced():
    # Root may write anything, and a folder of pytest's is not everybody's: a child gives its rights up.
    with tempfile.TemporaryDirectory() as name:
        folder, path = Path(name), Path(name, "a.txt")
        folder.chmod(0o777)
        path.write_text("old")
        path.chmod(0o444)
        command = [sys.executable, "-c", REFUSED, str(path)]
        told = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
        assert told.stdout == b"refused\n"
        assert path.read_text() == "old"
        assert names(folder) == {"a.txt"}


@pytest.mark.parametrize("place", ["suite", "a/b/suite"])
def test_a_folder_appears_whole_or_not_at_all(tmp_path, place):
    path = tmp_path / place
    with pytest.raises(RuntimeError):
        interrupted(whole_folder(path), lambda draft: (draft / "one").touch())
    assert names(tmp_path) == set()
    with whole_folder(path) as draft:
        (draft / "one").touch()
        assert not path.exists()
    assert names(path) == {"one"}


def test_an_empty_folder_is_filled_and_another_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with whole_folder(tmp_path / "empty") as draft:
        (draft / "one").touch()
    assert names(tmp_path / "empty") == {"one"}
    with pytest.raises(OSError, match="not empty"), whole_folder(tmp_path / "empty"):
        pass


def test_a_killed_process_leaves_no_folder(tmp_path):
    killed_in(
        tmp_path,
        """
        with whole_folder(Path("suite")) as draft:
            (draft / "one").touch()
            print("waiting", flush=True)
            time.sleep(60)
        """,
    )
    assert not (tmp_path / "suite").exists()
    with whole_folder(tmp_path / "suite") as draft:
        (draft / "two").touch()
    assert names(tmp_path) == {"suite"}
    assert names(tmp_path / "suite") == {"two"}


@pytest.mark.parametrize("written", range(3))
def test_none_of_several_files_changes_on_a_full_disk(tmp_path, monkeypatch, written):
    paths = [tmp_path / "tasks" / "a", tmp_path / "tasks" / "b", tmp_path / "header"]
    (tmp_path / "tasks").mkdir()
    for path in paths:
        path.write_text("old")
    with monkeypatch.context() as patch:
        fill_disk(patch, after=written)
        with pytest.raises(OSError, match="No space left"):
            replace_files(dict.fromkeys(paths, "new"))
    assert [path.read_text() for path in paths] == ["old"] * 3
    replace_files(dict.fromkeys(paths, "new"))
    assert [path.read_text() for path in paths] == ["new"] * 3
    assert names(tmp_path) == {"tasks", "header"}


def test_a_folder_that_was_empty_keeps_its_rights(tmp_path):
    place = tmp_path / "shared"
    place.mkdir()
    place.chmod(0o2775)
    with whole_folder(place) as folder:
        (folder / "a.txt").write_text("a")
    assert stat.S_IMODE(place.stat().st_mode) == 0o2775


def test_files_behind_links_are_replaced_where_they_are(tmp_path):
    kept, suite = tmp_path / "kept", tmp_path / "suite"
    kept.mkdir()
    suite.mkdir()
    (kept / "a.yaml").write_text("old")
    (suite / "a.yaml").symlink_to(kept / "a.yaml")
    replace_files({suite / "a.yaml": "new", suite / "b.yaml": "new"})
    assert (suite / "a.yaml").is_symlink()
    assert (kept / "a.yaml").read_text() == "new"
    assert names(suite) == {"a.yaml", "b.yaml"}
    assert names(tmp_path) == {"kept", "suite"}


@pytest.mark.parametrize("name", [".a.jsonl.part", ".a.jsonl.download.part", ".a.jsonl.12345678.part.txt"])
def test_files_of_others_that_are_called_alike_stay(tmp_path, name):
    (tmp_path / name).write_text("theirs")
    write_file(tmp_path / "a.jsonl", "ours")
    assert names(tmp_path) == {"a.jsonl", name}


def test_a_draft_that_another_process_takes_for_abandoned_is_begun_again(tmp_path, monkeypatch):
    real, stolen = Path.mkdir, []

    def mkdir(path, *args, **options):
        real(path, *args, **options)
        if path.name.endswith(".part") and not stolen:
            descriptor = os.open(path, os.O_RDONLY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            stolen.append((path, descriptor))

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with whole_folder(tmp_path / "suite") as folder:
        ((path, descriptor),) = stolen
        path.rmdir()
        os.close(descriptor)
        (folder / "a.txt").write_text("a")
    assert names(tmp_path / "suite") == {"a.txt"}
