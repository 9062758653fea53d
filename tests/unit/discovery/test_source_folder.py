from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.discovery.folder import FolderSource
from tests.unit.contracts.source import CheckpointSourceContract
from tests.unit.discovery.checkpoint_files import later, safetensors, write_checkpoint

SETTLE_S = 60.0


class WatchedFolder:
    """Files are new in real time, so the stage's time is an hour on, and what began is dated then."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.source = FolderSource(path, settle_s=SETTLE_S)
        self._now = later()
        self._age_s = 10_000.0

    def settle(self, name: str, weights: str) -> None:
        folder = write_checkpoint(self.path / name, weights.encode())
        self._age_s -= 10
        written = self._now.timestamp() - self._age_s
        for file in folder.iterdir():
            os.utime(file, (written, written))

    def begin(self, name: str) -> None:
        folder = write_checkpoint(self.path / name)
        part = folder / "model.safetensors"
        part.write_bytes(safetensors()[:-2])
        os.utime(part, (self._now.timestamp(), self._now.timestamp()))

    def spoil(self, name: str) -> None:
        (write_checkpoint(self.path / name) / "config.json").unlink()

    def now(self) -> datetime:
        return self._now + timedelta(seconds=1)


class TestFolderSource(CheckpointSourceContract):
    @pytest.fixture
    def stage(self, tmp_path: Path) -> WatchedFolder:
        return WatchedFolder(tmp_path)
