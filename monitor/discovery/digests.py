"""The digest of a checkpoint, computed once per file and remembered while the file stays untouched."""

from __future__ import annotations

import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from monitor.discovery.contents import Contents, FileState, defining_names
from monitor.domain.identity import content_digest

CHUNK_BYTES = 4 * 2**20
"""Read at once; larger ones are no faster."""


class FileHashes:
    """sha256 of files, remembered by path, size, times and inode.

    Hashing leaves Python's lock, so the shards of a large checkpoint are read in parallel.
    """

    def __init__(self, *, threads: int = min(4, os.cpu_count() or 1)) -> None:
        self._threads = threads
        self._known: dict[FileState, str] = {}
        self._lock = threading.Lock()

    def digest(self, contents: Contents) -> str:
        """sha256 over names and contents of the files that define the checkpoint, hexadecimal.

        Neither the folder's name nor any file beside them (logs, optimizer state, the card) counts.

        Raises:
            OSError: a file vanished or cannot be read.
            ValueError: the weights' index cannot be used.
        """
        names = defining_names(contents)
        states = [state for name in names if (state := contents.state(name)) is not None]
        with ThreadPoolExecutor(max_workers=self._threads) as pool:
            hashes = list(pool.map(self.file_hash, states))
        return content_digest(
            "checkpoint", *(part for pair in zip(names, hashes, strict=True) for part in pair)
        )

    def file_hash(self, state: FileState) -> str:
        """sha256 of one file, hexadecimal.

        Raises:
            OSError: it vanished or cannot be read.
        """
        with self._lock:
            known = self._known.get(state)
        if known is None:
            known = _sha256(state.path)
            with self._lock:
                self._known[state] = known
        return known


def _sha256(path: Path) -> str:
    hasher = hashlib.sha256()
    buffer = bytearray(CHUNK_BYTES)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            hasher.update(view[:count])
    return hasher.hexdigest()
