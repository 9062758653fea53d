from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.weights.safetensors import DamagedWeights, read_tensors
from tests.unit.discovery.checkpoint_files import safetensors


def _problem(folder: Path, content: bytes) -> str:
    path = folder / "model.safetensors"
    path.write_bytes(content)
    return _problem_of(path, len(content))


def _problem_of(path: Path, size: int) -> str:
    try:
        read_tensors(path, size)
    except DamagedWeights as exc:
        return f"{exc.what}. {exc.next_step}"
    return ""


def _with_header(header: object) -> bytes:
    encoded = json.dumps(header).encode()
    return struct.pack("<Q", len(encoded)) + encoded


def test_a_whole_file_has_no_problem(tmp_path: Path) -> None:
    assert _problem(tmp_path, safetensors()) == ""


@settings(deadline=None)
@given(cut=st.integers(1, len(safetensors())))
def test_a_file_cut_anywhere_is_half_written(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    problem = _problem(tmp_path_factory.mktemp("cut"), safetensors()[:-cut])
    assert "half-written" in problem
    assert problem.endswith(".")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (safetensors() + b"more", "4 bytes more"),
        (b"\0" * 100, "header is missing"),
        (b"\xff" * 100, "not a safetensors file"),
        (struct.pack("<Q", 4) + b"nope", "header is damaged"),
        (_with_header({"__metadata__": {}}), "holds no tensors"),
        (_with_header({"a": {"data_offsets": [0, 0]}}), "header is damaged"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS pointer"),
        (_with_header([1]), "header is damaged"),
        (_with_header({"a": {}}), "header is damaged"),
        (_with_header({"a": {"data_offsets": []}}), "header is damaged"),
        (struct.pack("<Q", 50_000) + b"[" * 50_000, "header is damaged"),
    ],
)
def test_a_damaged_file_says_how(tmp_path: Path, content: bytes, told: str) -> None:
    assert told in _problem(tmp_path, content)


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    assert "cannot be read" in _problem_of(tmp_path / "missing", 10)
