"""Tiny checkpoint folders for tests: real formats, no model inside."""

from __future__ import annotations

import json
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

CARD = "parent: gen0\ntraining_data: [synthetic]\nsynthetic_share: 1.0\nreview: none\n"


def safetensors(data: bytes = b"weights") -> bytes:
    """A file of one tensor."""
    entry = {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}
    header = json.dumps({"__metadata__": {"format": "pt"}, "tensor": entry}).encode()
    return struct.pack("<Q", len(header)) + header + data


def write_checkpoint(folder: Path, data: bytes = b"weights") -> Path:
    """A complete checkpoint with unsharded weights."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')
    (folder / "model.safetensors").write_bytes(safetensors(data))
    return folder


def write_sharded_checkpoint(folder: Path, shards: int = 3) -> Path:
    """A complete checkpoint whose weights lie in several files."""
    write_checkpoint(folder)
    (folder / "model.safetensors").unlink()
    weight_map = {}
    for number in range(shards):
        name = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        (folder / name).write_bytes(safetensors(f"shard {number}".encode()))
        weight_map[f"layer.{number}"] = name
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    return folder


def soon() -> datetime:
    """The real time, against which files just written are new."""
    return datetime.now(tz=UTC)


def later(seconds: float = 3600) -> datetime:
    """A time at which files just written have long stopped changing."""
    return datetime.fromtimestamp(time.time(), tz=UTC) + timedelta(seconds=seconds)
