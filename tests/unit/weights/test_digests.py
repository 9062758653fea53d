from __future__ import annotations

import itertools
import os
import shutil
import threading
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from monitor.weights import digests
from monitor.weights.contents import read_contents
from monitor.weights.digests import FileHashes, HashingInterrupted
from tests.unit.discovery.checkpoint_files import safetensors, write_checkpoint, write_sharded_checkpoint
from tests.unit.weights.shapes import USABLE


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
    original = digests.open_regular

    def counting(path: Path) -> FileIO:
        read.append(path.name)
        return original(path)

    monkeypatch.setattr(digests, "open_regular", counting)
    hashes = FileHashes()
    first = hashes.digest(read_contents(folder))
    assert len(read) == 6
    assert hashes.digest(read_contents(folder)) == first
    assert len(read) == 6
    (folder / "config.json").write_text('{"model_type": "llama"}')
    assert hashes.digest(read_contents(folder)) != first
    assert read[6:] == ["config.json"]


STORED = {
    "one file of weights": "c72bd729b2fa999e",
    "shards with an index": "b4fd2d9586dfee68",
    "a trainer's folder": "29ed069d3fa8437d",
    "a snapshot of links": "c72bd729b2fa999e",
    "shards without an index": "c01a31a6e3fe3940",
    "an adapter that the index leaves out": "b4fd2d9586dfee68",
    "Mistral's weights with a config": "4ea5271b366da943",
    "a pickle beside safetensors": "c72bd729b2fa999e",
    "a GGUF beside safetensors": "c72bd729b2fa999e",
    "sentencepiece": "516f004eec648ef8",
    "sentencepiece of T5": "fc33a0f33a5a3274",
    "sentencepiece of XLM": "641bb1e65caf9987",
    "word pieces": "0e5ad505bff4aa2c",
    "vocabulary and merges": "5df0b7bca60e30c3",
    "tekken": "166a84b5a57b3a45",
    "Mistral's sentencepiece": "8bd869cdb0af99bb",
    "tiktoken with its code": "c092edfad7d78ecc",
    "a checkpoint above another": "c72bd729b2fa999e",
    "a pipe that is no concern of ours": "c72bd729b2fa999e",
}
"""Beginnings of digests as the first version of the reader gave them; stores hold such digests."""


@pytest.mark.parametrize("name", STORED)
def test_stored_digests_stay_those_of_their_folders(tmp_path: Path, name: str) -> None:
    USABLE[name](tmp_path / "it")
    assert _digest(tmp_path / "it").startswith(STORED[name])


@pytest.mark.parametrize("name", ["consolidated.safetensors", "params.json", "tokenizer.model.v7"])
def test_files_of_mistrals_format_count_where_they_are_what_is_loaded(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "it"
    USABLE["Mistral's format beside the hub's"](folder)
    before = _digest(folder)
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    assert _digest(folder) != before


class TestInterruption:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return write_checkpoint(tmp_path / "it", bytes(3 * digests.CHUNK_BYTES))

    def test_what_was_read_in_time_is_not_read_again(self, folder: Path) -> None:
        contents, hashes = read_contents(folder), FileHashes(threads=1, clock=itertools.count().__next__)
        whole = hashes.unread_bytes(contents)
        left = [whole]
        with pytest.raises(HashingInterrupted):
            hashes.digest(contents, until=5)
        left.append(hashes.unread_bytes(contents))
        assert 0 < left[1] < whole
        assert hashes.digest(contents) == _digest(folder)
        assert hashes.unread_bytes(contents) == 0

    def test_a_file_that_changed_between_is_read_from_its_beginning(self, folder: Path) -> None:
        hashes = FileHashes(threads=1, clock=itertools.count().__next__)
        with pytest.raises(HashingInterrupted):
            hashes.digest(read_contents(folder), until=5)
        write_checkpoint(folder, b"x" + bytes(3 * digests.CHUNK_BYTES - 1))
        assert hashes.digest(read_contents(folder)) == _digest(folder)

    def test_who_reads_a_half_read_file_at_the_same_time_begins_by_itself(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hashes = FileHashes(threads=1, clock=itertools.count().__next__)
        contents = read_contents(folder)
        with pytest.raises(HashingInterrupted):
            hashes.digest(contents, until=5)
        found: list[str] = []

        class Overtaken(FileIO):
            """Is read to its end by somebody else between two chunks."""

            def readinto(self, buffer: Any) -> Any:
                count = super().readinto(buffer)
                if not found:
                    monkeypatch.undo()
                    found.append(hashes.digest(contents))
                return count

        monkeypatch.setattr(digests, "open_regular", Overtaken)
        found.append(hashes.digest(contents))
        assert set(found) == {_digest(folder)}

    def test_stopping_ends_what_others_are_reading(self, folder: Path) -> None:
        looks, far = itertools.count().__next__, threading.Event()

        def clock() -> float:
            # It is looked at before each part that is read; the other files have one or two.
            if looks() > 20:
                far.set()
            return 0.0

        hashes = FileHashes(clock=clock)
        os.truncate(folder / "model.safetensors", 2**40)
        reading = threading.Thread(target=lambda: self._read(hashes, folder), daemon=True)
        reading.start()
        assert far.wait(timeout=60)
        hashes.stop()
        reading.join(timeout=60)
        assert not reading.is_alive()
        with pytest.raises(HashingInterrupted):
            hashes.digest(read_contents(folder))

    def _read(self, hashes: FileHashes, folder: Path) -> None:
        with pytest.raises(HashingInterrupted):
            hashes.digest(read_contents(folder))
