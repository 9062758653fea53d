from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from monitor.discovery import digests
from monitor.discovery.contents import read_contents
from monitor.discovery.digests import FileHashes
from tests.unit.discovery.checkpoint_files import safetensors, write_checkpoint, write_sharded_checkpoint


def _digest(folder: Path) -> str:
    return FileHashes(threads=1).digest(read_contents(folder))


def test_a_copy_elsewhere_with_other_times_has_the_same_digest(tmp_path: Path) -> None:
    original = write_sharded_checkpoint(tmp_path / "a")
    copy = Path(shutil.copytree(original, tmp_path / "other" / "b"))
    for file in copy.iterdir():
        os.utime(file, (1, 1))
    assert _digest(copy) == _digest(original)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_changed_byte_in_a_defining_file_changes_the_digest(tmp_path: Path, name: str) -> None:
    folder = write_checkpoint(tmp_path / "a")
    before = _digest(folder)
    content = bytearray((folder / name).read_bytes())
    content[-2] ^= 1
    (folder / name).write_bytes(content)
    assert _digest(folder) != before


@pytest.mark.parametrize(
    "name", ["generation_config.json", "chat_template.jinja", "merges.txt", "modeling_x.py"]
)
def test_an_added_defining_file_changes_the_digest(tmp_path: Path, name: str) -> None:
    folder = write_checkpoint(tmp_path / "a")
    before = _digest(folder)
    (folder / name).write_text("{}")
    assert _digest(folder) != before


@pytest.mark.parametrize(
    "name", ["tailwatch.yaml", "README.md", "optimizer.pt", "trainer_state.json", ".git"]
)
def test_other_files_do_not_count(tmp_path: Path, name: str) -> None:
    folder = write_checkpoint(tmp_path / "a")
    before = _digest(folder)
    (folder / name).write_text("anything")
    assert _digest(folder) == before


def test_weights_that_the_index_does_not_name_do_not_count(tmp_path: Path) -> None:
    folder = write_sharded_checkpoint(tmp_path / "a")
    before = _digest(folder)
    (folder / "adapter.safetensors").write_bytes(safetensors(b"left over"))
    assert _digest(folder) == before


def test_an_untouched_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_sharded_checkpoint(tmp_path / "a")
    read: list[str] = []
    original = digests._sha256

    def counting(path: Path) -> str:
        read.append(path.name)
        return original(path)

    monkeypatch.setattr(digests, "_sha256", counting)
    hashes = FileHashes()
    first = hashes.digest(read_contents(folder))
    assert len(read) == 6
    assert hashes.digest(read_contents(folder)) == first
    assert len(read) == 6
    (folder / "config.json").write_text('{"model_type": "llama"}')
    assert hashes.digest(read_contents(folder)) != first
    assert read[6:] == ["config.json"]
