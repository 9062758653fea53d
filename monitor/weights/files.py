"""Reads files that somebody else put there: regular ones only, so that no read waits for a writer."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

_PART_BYTES = 2**20
_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """What a file's directory entry says; equal states mean an untouched file."""

    path: Path
    """With symbolic links resolved."""
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int

    @property
    def changed_at_s(self) -> float:
        """Unix time of its last change. The later of the two times: copying keeps an old mtime."""
        return max(self.mtime_ns, self.ctime_ns) / 1e9


def state_of(path: Path) -> FileState:
    """The state of a regular file, links followed.

    Raises:
        OSError: it is not there, is no regular file, or may not be looked at; ``strerror`` says which.
    """
    status = path.stat()
    _require_regular(path, status.st_mode)
    return FileState(
        path=path.resolve(),
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        ctime_ns=status.st_ctime_ns,
        inode=status.st_ino,
        device=status.st_dev,
    )


def open_regular(path: Path) -> FileIO:
    """Open a regular file for reading, unbuffered.

    Raises:
        OSError: it cannot be opened, or is no regular file: a named pipe would be waited on for ever.
    """
    # Looked at before: opening a device can already do something to it. And again afterwards: another
    # file may have taken its place; opened without waiting, that does no harm either.
    _require_regular(path, path.stat().st_mode)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _require_regular(path, os.fstat(descriptor).st_mode)
        return FileIO(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_whole(path: Path, *, most_bytes: int) -> bytes:
    """The content of a regular file.

    Raises:
        OSError: as for :func:`open_regular`, or it is larger than ``most_bytes``.
    """
    content = read_start(path, most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {most_bytes} bytes", str(path))
    return content


def read_start(path: Path, most_bytes: int) -> bytes:
    """The first bytes of a regular file, all of it where it has no more.

    Raises:
        OSError: as for :func:`open_regular`.
    """
    parts: list[bytes] = []
    left = most_bytes
    with open_regular(path) as file:
        while left and (part := file.read(min(left, _PART_BYTES))):
            parts.append(part)
            left -= len(part)
    return b"".join(parts)


def _require_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((name for fits, name in _KINDS if fits(mode)), "no regular file")
        raise OSError(errno.EINVAL, f"it is {kind}, not a regular file", str(path))
