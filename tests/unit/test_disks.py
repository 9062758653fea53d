"""Whether a folder can be written to is found out by writing."""

from __future__ import annotations

import os

import pytest

from monitor.disks import try_writing
from monitor.domain.errors import DiskTrouble


def test_a_trial_makes_the_folder_and_leaves_nothing_in_it(tmp_path):
    try_writing(tmp_path / "state")
    assert list((tmp_path / "state").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told_by_its_name(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(DiskTrouble, match="file/state"):
        try_writing(tmp_path / "file" / "state")


def test_room_that_turns_out_to_be_missing_when_it_is_written_through_is_told(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskTrouble, match=f"No space is left on the disk of {tmp_path}"):
        try_writing(tmp_path)
