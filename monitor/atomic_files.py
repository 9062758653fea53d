"""Files and folders that appear whole or not at all.

What is being written lies beside its place under a hidden name that ends in ``.part``, and is renamed once it
is complete and on the disk. An error removes it; what a killed process left is removed by the next one that
writes to the same place.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

_PART = ".part"

_NAME_CHARS = 60
"""Of the place's name in a draft's: with what is added to it, a file system's 255 bytes are not exceeded."""


def write_file(path: Path, text: str) -> None:
    """Write a whole text file, UTF-8, in place of what was there.

    Raises:
        OSError: it cannot be written; what was there before is unchanged.
    """
    with whole_file(path) as file:
        file.write(text)


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A text file to write, UTF-8, which takes its place when the block ends without an error.

    A link stays a link, and what is no regular file, such as ``/dev/stdout``, is written to directly.

    Raises:
        OSError: it cannot be written; what was there before is unchanged.
    """
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        return
    place = path.resolve()
    if place.exists() and not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    with _draft(place.parent, place.name, _new_file) as draft:
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _take_place(draft, place)
        _flush(place.parent)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, which takes its place when the block ends without an error.

    Args:
        path: must not exist, or be an empty folder; folders above it are made.

    Raises:
        OSError: it cannot be written, or holds something; nothing was changed then.
    """
    place = path.resolve()
    if place.is_mount():
        raise OSError(errno.EBUSY, "it is a mount point, so name a new folder inside it", str(path))
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(path))
    above = next(folder for folder in place.parents if folder.exists())
    with _draft(above, place.name, Path.mkdir) as draft:
        yield draft
        for folder, _, names in os.walk(draft):
            for each in (*(Path(folder, name) for name in names), Path(folder)):
                _flush(each)
        place.parent.mkdir(parents=True, exist_ok=True)
        _take_place(draft, place)
        _flush(place.parent)


def replace_files(texts: Mapping[Path, str]) -> None:
    """Write texts in place of files of one folder or of folders below it, in the given order.

    All texts are on the disk before the first file changes, and each file changes as a whole. Links stay
    links. A process that is killed in between leaves the earlier files new and the later ones old.

    Raises:
        OSError: they cannot be written; unless a rename failed, nothing was changed.
    """
    if not texts:
        return
    places = {path.resolve(): text for path, text in texts.items()}
    above = Path(os.path.commonpath([place.parent for place in places]))
    with _draft(above, "files", Path.mkdir) as folder:
        drafts = {place: folder / str(number) for number, place in enumerate(places)}
        for place, draft in drafts.items():
            draft.write_text(places[place], encoding="utf-8", newline="\n")
            _flush(draft)
        for place, draft in drafts.items():
            _take_place(draft, place)
        for parent in {place.parent for place in places}:
            _flush(parent)


@contextmanager
def _draft(folder: Path, name: str, make: Callable[[Path], None]) -> Iterator[Path]:
    """A hidden file or folder, locked while the block runs, and gone behind it unless it was renamed."""
    start = f".{name[:_NAME_CHARS]}."
    _remove_abandoned(folder, start)
    path, descriptor = _locked(folder, start, make)
    try:
        yield path
    finally:
        os.close(descriptor)
        _remove(path)


def _locked(folder: Path, start: str, make: Callable[[Path], None]) -> tuple[Path, int]:
    while True:
        path = folder / f"{start}{secrets.token_hex(4)}{_PART}"
        make(path)
        descriptor = _opened(path)
        if descriptor is None:
            continue
        if _lock(descriptor, where_there_are_none=True) and path.exists():
            return path, descriptor
        # Another process took it for abandoned before it was locked.
        os.close(descriptor)


def _opened(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None


def _remove_abandoned(folder: Path, start: str) -> None:
    """Remove the drafts whose process was killed: nobody holds their lock."""
    draft = re.compile(rf"{re.escape(start)}[0-9a-f]{{8}}{re.escape(_PART)}")
    for path in folder.iterdir():
        if draft.fullmatch(path.name):
            with suppress(OSError):
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
                try:
                    if _lock(descriptor, where_there_are_none=False):
                        _remove(path)
                finally:
                    os.close(descriptor)


def _lock(descriptor: int, *, where_there_are_none: bool) -> bool:
    """Whether it is locked now; the answer on a file system without locks is given."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return where_there_are_none
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _new_file(path: Path) -> None:
    path.touch(exist_ok=False)


def _take_place(draft: Path, place: Path) -> None:
    """Rename a file or folder over its place, with the rights and the owner of what was there."""
    with suppress(FileNotFoundError):
        before = place.stat()
        draft.chmod(before.st_mode & 0o7777)
        with suppress(PermissionError):
            os.chown(draft, before.st_uid, before.st_gid)
    draft.replace(place)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
