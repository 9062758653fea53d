"""What a safetensors file holds, told from its header without reading the weights.

A file is eight bytes of header length (little-endian), a JSON header that gives each tensor's
``dtype``, ``shape`` and ``data_offsets``, and the data. The header is written first, so a copy that was cut
short promises more than there is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monitor.weights.files import read_start

MAX_HEADER_BYTES = 100_000_000
"""The format's own limit."""
LFS_POINTER = b"version https://git-lfs.github.com/"
"""How the file begins that Git LFS leaves in the place of another."""


class DamagedWeights(ValueError):
    """A file of weights is not whole.

    Args:
        what: what is wrong, as the end of a sentence that begins with the file's name.
        next_step: what the reader can do about it, as an imperative sentence.
    """

    def __init__(self, what: str, next_step: str = "Copy it again.") -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step


def read_tensors(path: Path, size: int) -> Mapping[str, str]:
    """Type and shape of every tensor of a whole file, by name.

    Args:
        path: the file.
        size: its size in bytes.

    Raises:
        DamagedWeights: the file is cut short, too long, of another format, or cannot be read.
    """
    try:
        start = read_start(path, 8)
        header_bytes = int.from_bytes(start, "little")
        _check_start(start, header_bytes)
        header = read_start(path, 8 + header_bytes)[8:]
    except OSError as exc:
        raise DamagedWeights(f"cannot be read ({exc.strerror})", "Check its permissions.") from exc
    if len(header) < header_bytes:
        raise DamagedWeights("is half-written: its header is cut off")
    tensors, data_bytes = _parsed(header)
    if not tensors:
        raise DamagedWeights("holds no tensors")
    promised = 8 + header_bytes + data_bytes
    if promised > size:
        raise DamagedWeights(f"is half-written: {size} of {promised} bytes are there", "Finish the copy.")
    if promised < size:
        raise DamagedWeights(f"has {size - promised} bytes more than its header tells of")
    return tensors


def _check_start(start: bytes, header_bytes: int) -> None:
    if len(start) < 8 or header_bytes == 0:
        raise DamagedWeights("is half-written: its header is missing")
    if LFS_POINTER.startswith(start):
        raise DamagedWeights("is a Git LFS pointer, not the weights", "Get them with `git lfs pull`.")
    if header_bytes > MAX_HEADER_BYTES:
        raise DamagedWeights("is not a safetensors file")


def _parsed(header: bytes) -> tuple[dict[str, str], int]:
    """The tensors, and how many bytes of data they take."""
    try:
        entries: dict[str, Any] = json.loads(header)
        tensors = {name: entry for name, entry in entries.items() if name != "__metadata__"}
        data_bytes = max((int(entry["data_offsets"][1]) for entry in tensors.values()), default=0)
        return {name: f"{entry['dtype']}{entry['shape']}" for name, entry in tensors.items()}, data_bytes
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as exc:
        raise DamagedWeights("is not a safetensors file: its header is damaged") from exc
