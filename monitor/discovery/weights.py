"""Whether a safetensors file is whole, told from its header without reading the weights.

A file is eight bytes of header length (little-endian), a JSON header that gives each tensor's
``data_offsets``, and the data. The header is written first, so a copy that was cut short promises more
than there is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MAX_HEADER_BYTES = 100_000_000
"""The format's own limit."""


def weights_problem(path: Path, size: int) -> str:
    """What is wrong with a file of ``size`` bytes, with the way out; empty when it is whole."""
    try:
        promised = _promised_bytes(path, size)
    except OSError as exc:
        return f"cannot be read ({exc.strerror}). Check its permissions."
    except ValueError as exc:
        return f"{exc}. Copy it again."
    if promised > size:
        return f"is half-written: {size} of {promised} bytes are there. Finish the copy."
    if promised < size:
        return f"has {size - promised} bytes more than its header tells of. Copy it again."
    return ""


def _promised_bytes(path: Path, size: int) -> int:
    with path.open("rb") as file:
        header_bytes = int.from_bytes(file.read(8), "little")
        if size < 8 or header_bytes == 0:
            message = "is half-written: its header is missing"
            raise ValueError(message)
        if header_bytes > MAX_HEADER_BYTES:
            message = "is not a safetensors file"
            raise ValueError(message)
        header = file.read(header_bytes)
    if len(header) < header_bytes:
        message = "is half-written: its header is cut off"
        raise ValueError(message)
    return 8 + header_bytes + _data_bytes(header)


def _data_bytes(header: bytes) -> int:
    try:
        tensors: dict[str, Any] = json.loads(header)
        return max(
            (int(entry["data_offsets"][1]) for name, entry in tensors.items() if name != "__metadata__"),
            default=0,
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as exc:
        message = "is not a safetensors file: its header is damaged"
        raise ValueError(message) from exc
