"""The digest of a checkpoint, computed once per file and remembered while the file stays untouched."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

from monitor.domain.identity import content_digest
from monitor.weights.contents import Contents, defining_names
from monitor.weights.files import FileState, open_regular

CHUNK_BYTES = 4 * 2**20
"""Read at once; larger ones are no faster."""


class HashingInterrupted(Exception):  # Not an error: what was read is kept, and the next call reads on.
    """Hashing was stopped, or its time was up, before the files were read to their ends."""


@dataclass(slots=True, kw_only=True)
class _Begun:
    """A file that was read in part."""

    state: FileState
    hasher: Any = field(default_factory=hashlib.sha256)
    offset: int = 0
    """Bytes that the hasher has seen."""


class FileHashes:
    """sha256 of files, remembered by path, size, times and inode.

    Hashing leaves Python's lock, so the shards of a large checkpoint are read in parallel.

    Args:
        threads: how many files are read at once.
        clock: seconds that never step back.
    """

    def __init__(
        self, *, threads: int = min(4, os.cpu_count() or 1), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._threads = threads
        self._clock = clock
        self._known: dict[FileState, str] = {}
        self._begun: dict[Path, _Begun] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    @property
    def stopped(self) -> bool:
        """Whether nothing will be hashed any more."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Interrupt all hashing in other threads, now and from now on."""
        self._stopped.set()

    def digest(self, contents: Contents, *, until: float = inf) -> str:
        """sha256 over names and contents of the files that define the checkpoint, hexadecimal.

        Neither the folder's name nor any file beside them (logs, optimizer state, the card) counts.

        Args:
            contents: what the folder holds.
            until: time of the clock at which to give up; what was read by then is kept for the next call.

        Raises:
            HashingInterrupted: the time is up, or hashing was stopped.
            OSError: a file vanished or cannot be read.
            ValueError: the weights' index cannot be used.
        """
        names = defining_names(contents)
        states = [state for name in names if (state := contents.state(name)) is not None]
        abandoned = threading.Event()
        with ThreadPoolExecutor(max_workers=self._threads) as pool:
            try:
                hashes = list(pool.map(lambda state: self._file_hash(state, until, abandoned), states))
            except BaseException:
                abandoned.set()  # Or the pool would read on to the files' ends before anybody hears of it.
                raise
        return content_digest(
            "checkpoint", *(part for pair in zip(names, hashes, strict=True) for part in pair)
        )

    def file_hash(self, state: FileState) -> str:
        """sha256 of one file, hexadecimal.

        Raises:
            HashingInterrupted: hashing was stopped.
            OSError: it vanished or cannot be read.
        """
        return self._file_hash(state, inf, threading.Event())

    def unread_bytes(self, contents: Contents) -> int:
        """How much of the contents would have to be read for a digest.

        Raises:
            ValueError: the weights' index cannot be used.
        """
        states = [contents.state(name) for name in defining_names(contents)]
        with self._lock:
            return sum(
                state.size - (begun.offset if (begun := self._begun_with(state)) else 0)
                for state in states
                if state is not None and state not in self._known
            )

    def _begun_with(self, state: FileState) -> _Begun | None:
        begun = self._begun.get(state.path)
        return begun if begun is not None and begun.state == state else None

    def _file_hash(self, state: FileState, until: float, abandoned: threading.Event) -> str:
        with self._lock:
            known = self._known.get(state)
            if known is not None:
                return known
            # Taken, not shared: another thread that wants the same file reads it from its beginning.
            begun = self._begun_with(state) or _Begun(state=state)
            self._begun.pop(state.path, None)
        finished = self._read_on(begun, until, abandoned)
        with self._lock:
            if not finished:
                self._begun[state.path] = begun
                raise HashingInterrupted
            self._known[state] = begun.hasher.hexdigest()
            return self._known[state]

    def _read_on(self, begun: _Begun, until: float, abandoned: threading.Event) -> bool:
        """Whether the file was read to its end."""
        buffer = bytearray(min(CHUNK_BYTES, begun.state.size - begun.offset) or 1)
        view = memoryview(buffer)
        with open_regular(begun.state.path) as file:
            file.seek(begun.offset)
            while not (self._stopped.is_set() or abandoned.is_set() or self._clock() >= until):
                count = file.readinto(buffer)
                if not count:
                    return True
                begun.hasher.update(view[:count])
                begun.offset += count
        return False
