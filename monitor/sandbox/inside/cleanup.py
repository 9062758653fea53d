"""Ending everything a program started and removing everything it left."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import stat
import time
from collections.abc import Collection, Iterator, Sequence

_PATIENCE_S = 3.0
"""How long killed processes may take to disappear."""


def kill_uid(uid: int) -> None:
    """Kill every process of a uid at once.

    The kernel's kill(-1) reaches all of them under one lock, so that a fork bomb cannot outrun it.
    Only for PID 1 of a namespace, or for a process that is not itself of that uid.
    """
    os.setresuid(uid, uid, 0)
    try:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
    finally:
        os.setresuid(-1, 0, -1)
        os.setresuid(0, 0, 0)


def kill_strays(known: Collection[int]) -> None:
    """Kill all descendants of this process that it does not know: for sandboxes with a single uid."""
    for pid in _descendants():
        if pid not in known:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def strays(known: Collection[int], *, whole_namespace: bool) -> list[int]:
    """Processes that should not be there: of the namespace, or below this process."""
    if whole_namespace:
        return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in known]
    return [pid for pid in _descendants() if pid not in known]


def _descendants() -> list[int]:
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
    found, frontier = [], [os.getpid()]
    while frontier:
        above = set(frontier)
        frontier = [pid for pid, parent in parents.items() if parent in above]
        found += frontier
    return found


def reap() -> None:
    """Collect children that have ended, adopted ones included."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def await_calm(known: Collection[int], *, uid: int | None, whole_namespace: bool) -> int:
    """Kill and reap until only known processes remain.

    Returns:
        How many could not be made to go away.
    """
    give_up_at = time.monotonic() + _PATIENCE_S
    while True:
        reap()
        left = strays(known, whole_namespace=whole_namespace)
        if not left or time.monotonic() > give_up_at:
            return len(left)
        if uid is not None:
            kill_uid(uid)
        else:
            kill_strays(known)
        time.sleep(0.001)


def wipe(places: Sequence[str]) -> bool:
    """Empty the writable places; False when something could not be removed."""
    clean = True
    for place in places:
        for name in os.listdir(place):
            path = f"{place}/{name}"
            clean = _remove(path) and clean
    return clean


def _remove(path: str) -> bool:
    try:
        info = os.lstat(path)
        if stat.S_ISDIR(info.st_mode):
            # Most programs leave an empty directory, which the owner of its parent may remove.
            with contextlib.suppress(OSError):
                os.rmdir(path)
                return True
        with _acting_as(info.st_uid):
            _remove_tree(path, info.st_mode)
    except OSError:
        return False
    return True


def _remove_tree(path: str, mode: int) -> None:
    """Remove a file or a folder of any depth, without recursion and without long paths."""
    if not stat.S_ISDIR(mode):
        os.unlink(path)
        return
    os.chmod(path, 0o700)
    fresh = itertools.count()
    while names := os.listdir(path):
        for name in names:
            entry = f"{path}/{name}"
            if not stat.S_ISDIR(os.lstat(entry).st_mode):
                os.unlink(entry)
                continue
            # What lies below moves up one level, under a name nobody can have foreseen.
            os.chmod(entry, 0o700)
            for below in os.listdir(entry):
                if stat.S_ISDIR(os.lstat(f"{entry}/{below}").st_mode):
                    os.chmod(f"{entry}/{below}", 0o700)
                os.rename(f"{entry}/{below}", f"{path}/{os.urandom(8).hex()}-{next(fresh)}")
            os.rmdir(entry)
    os.rmdir(path)


@contextlib.contextmanager
def _acting_as(uid: int) -> Iterator[None]:
    """Act with the authority of a file's owner: PID 1 needs no power over other people's files."""
    if os.getuid() != 0 or uid == 0:
        yield
        return
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
