from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from math import inf
from pathlib import Path

import pytest

from monitor.discovery.folder import FolderSource
from monitor.domain.errors import InvalidConfig
from monitor.weights.contents import Contents
from monitor.weights.digests import CHUNK_BYTES, FileHashes, HashingInterrupted
from tests.unit.discovery.checkpoint_files import CARD, later, safetensors, soon, write_checkpoint

SETTLE_S = 60.0


@pytest.fixture
def source(tmp_path: Path) -> FolderSource:
    return FolderSource(tmp_path, settle_s=SETTLE_S)


def test_a_new_checkpoint_settles_when_nothing_changed_long_enough(
    source: FolderSource, tmp_path: Path
) -> None:
    write_checkpoint(tmp_path / "step-1")
    now = soon()
    assert source.arrivals(now).unsettled == ("step-1",)
    assert source.arrivals(now + timedelta(seconds=SETTLE_S - 1)).unsettled == ("step-1",)
    arrivals = source.arrivals(now + timedelta(seconds=SETTLE_S))
    assert [checkpoint.name for checkpoint in arrivals.settled] == ["step-1"]


def test_a_change_starts_the_wait_anew(source: FolderSource, tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "step-1")
    now = later()
    # Dated in the future, so that only our own watching can tell that it has settled.
    os.utime(folder / "config.json", (now.timestamp() + 9e6, now.timestamp() + 9e6))
    assert source.arrivals(now).unsettled == ("step-1",)
    (folder / "merges.txt").write_text("a b")
    assert source.arrivals(now + timedelta(seconds=SETTLE_S)).unsettled == ("step-1",)
    assert len(source.arrivals(now + timedelta(seconds=2 * SETTLE_S)).settled) == 1


def test_a_restart_does_not_wait_for_what_is_old(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "step-1")
    assert len(FolderSource(tmp_path, settle_s=SETTLE_S).arrivals(later()).settled) == 1


def test_a_copy_that_keeps_old_times_is_still_new(source: FolderSource, tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "step-1")
    for file in folder.iterdir():
        os.utime(file, (1_000_000, 1_000_000))
    assert source.arrivals(soon()).unsettled == ("step-1",)


def test_half_written_weights_are_unsettled_then_unusable_then_settled(
    source: FolderSource, tmp_path: Path
) -> None:
    folder = write_checkpoint(tmp_path / "step-1")
    (folder / "model.safetensors").write_bytes(safetensors()[:-3])
    assert source.arrivals(soon()).unsettled == ("step-1",)
    unusable = source.arrivals(later()).unusable
    assert "half-written" in unusable[0].problem
    (folder / "model.safetensors").write_bytes(safetensors())
    assert len(source.arrivals(later()).settled) == 1


def test_a_folder_with_the_name_of_an_unfinished_copy_waits_for_its_own(
    source: FolderSource, tmp_path: Path
) -> None:
    write_checkpoint(tmp_path / "step-1.tmp")
    assert "Rename" in source.arrivals(later()).unusable[0].problem
    (tmp_path / "step-1.tmp").rename(tmp_path / "step-1")
    assert [checkpoint.name for checkpoint in source.arrivals(later()).settled] == ["step-1"]


def test_an_alias_is_not_reported_beside_its_checkpoint(source: FolderSource, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "step-1")
    (tmp_path / "a-latest").symlink_to("step-1")
    assert [checkpoint.name for checkpoint in source.arrivals(later()).settled] == ["step-1"]


def test_an_alias_to_another_place_is_reported_with_that_place(source: FolderSource, tmp_path: Path) -> None:
    elsewhere = write_checkpoint(tmp_path.parent / f"{tmp_path.name}-elsewhere")
    (tmp_path / "best").symlink_to(elsewhere)
    settled = source.arrivals(later()).settled
    assert [(checkpoint.name, checkpoint.location) for checkpoint in settled] == [("best", str(elsewhere))]


def test_a_moved_alias_is_another_checkpoint(source: FolderSource, tmp_path: Path) -> None:
    for name, weights in (("one", b"1"), ("two", b"2")):
        write_checkpoint(tmp_path.parent / f"{tmp_path.name}-{name}", weights)
    latest = tmp_path / "latest"
    latest.symlink_to(tmp_path.parent / f"{tmp_path.name}-one")
    first = source.arrivals(later()).settled
    latest.unlink()
    latest.symlink_to(tmp_path.parent / f"{tmp_path.name}-two")
    second = source.arrivals(later()).settled
    assert first[0].digest != second[0].digest
    assert second[0].location.endswith("-two")


def test_a_copy_is_the_same_checkpoint_under_its_first_name(source: FolderSource, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "step-1")
    shutil.copytree(tmp_path / "step-1", tmp_path / "copy")
    for file in (tmp_path / "step-1").iterdir():
        os.utime(file, (1_000_000, 1_000_000))
    assert [checkpoint.name for checkpoint in source.arrivals(later()).settled] == ["step-1"]


def test_overwritten_weights_are_another_checkpoint(source: FolderSource, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "current", b"old")
    before = source.arrivals(later()).settled[0]
    write_checkpoint(tmp_path / "current", b"new")
    after = source.arrivals(later()).settled[0]
    assert before.digest != after.digest


def test_a_vanished_checkpoint_is_no_longer_reported(source: FolderSource, tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "step-1")
    assert len(source.arrivals(later()).settled) == 1
    shutil.rmtree(folder)
    assert source.arrivals(later()).settled == ()


def test_the_folder_itself_can_be_a_checkpoint(source: FolderSource, tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    write_checkpoint(tmp_path / "checkpoint-500", b"earlier")
    names = {checkpoint.name for checkpoint in source.arrivals(later()).settled}
    assert names == {tmp_path.name, "checkpoint-500"}


def test_hidden_and_unrelated_folders_are_skipped(source: FolderSource, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / ".cache")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "train.log").touch()
    (tmp_path / "notes.txt").touch()
    arrivals = source.arrivals(later())
    assert (arrivals.settled, arrivals.unsettled, arrivals.unusable) == ((), (), ())


def test_an_empty_folder_waits_and_is_then_unusable(source: FolderSource, tmp_path: Path) -> None:
    (tmp_path / "step-1").mkdir()
    assert source.arrivals(soon()).unsettled == ("step-1",)
    assert "It is empty" in source.arrivals(later()).unusable[0].problem


def test_a_wrong_card_is_a_doubt_not_an_obstacle(source: FolderSource, tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "step-1")
    (folder / "tailwatch.yaml").write_text("review: maybe\n")
    arrivals = source.arrivals(later())
    assert arrivals.settled[0].lineage is None
    assert arrivals.doubts[0].name == "step-1"
    assert "card was ignored" in arrivals.doubts[0].problem
    (folder / "tailwatch.yaml").write_text(CARD)
    mended = source.arrivals(later())
    assert mended.settled[0].digest == arrivals.settled[0].digest
    assert mended.settled[0].lineage is not None
    assert mended.doubts == ()


def test_a_missing_folder_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="cannot be read") as caught:
        FolderSource(tmp_path / "nowhere", settle_s=1).arrivals(later())
    assert "checkpoints.path" in caught.value.next_step


def test_links_that_lead_nowhere_harm_nothing_else(source: FolderSource, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "step-1")
    (tmp_path / "latest").symlink_to("step-9")
    (tmp_path / "circle").symlink_to("circle")
    (write_checkpoint(tmp_path / "step-2", b"2") / "merges.txt").symlink_to("merges.txt")
    arrivals = source.arrivals(later())
    assert [checkpoint.name for checkpoint in arrivals.settled] == ["step-1"]
    assert "merges.txt is a link to nothing" in arrivals.unusable[0].problem


class _Restless(FileHashes):
    """Something happens to the folder while its files are being hashed."""

    def __init__(self, happening: Callable[[], object]) -> None:
        super().__init__()
        self._happening = happening

    def digest(self, contents: Contents, *, until: float = inf) -> str:
        digest = super().digest(contents, until=until)
        self._happening()
        return digest


def test_a_checkpoint_that_changes_while_it_is_read_is_not_settled(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "step-1")
    hashes = _Restless(lambda: (folder / "config.json").write_text('{"model_type": "other"}'))
    arrivals = FolderSource(tmp_path, settle_s=SETTLE_S, hashes=hashes).arrivals(later())
    assert arrivals.unsettled == ("step-1",)


def test_a_checkpoint_that_vanishes_while_it_is_read_is_not_reported(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "step-1")
    hashes = _Restless(lambda: shutil.rmtree(folder))
    arrivals = FolderSource(tmp_path, settle_s=SETTLE_S, hashes=hashes).arrivals(later())
    assert (arrivals.settled, arrivals.unsettled, arrivals.unusable) == ((), (), ())


class TestHugeCheckpoints:
    """One that cannot be read at one look holds up no other, and is read on at the next."""

    @pytest.fixture
    def source(self, tmp_path: Path) -> FolderSource:
        write_checkpoint(tmp_path / "huge", bytes(3 * CHUNK_BYTES))
        write_checkpoint(tmp_path / "small")
        ticks = itertools.count().__next__
        hashes = FileHashes(threads=1, clock=ticks)
        return FolderSource(tmp_path, settle_s=SETTLE_S, hashes=hashes, reading_s=12, clock=ticks)

    def test_the_small_one_settles_and_the_huge_one_is_named(self, source: FolderSource) -> None:
        first = source.arrivals(later())
        assert [each.name for each in first.settled] == ["small"]
        assert first.unread == ("huge",)
        assert (first.unsettled, first.unusable) == ((), ())

    def test_it_settles_after_some_looks(self, source: FolderSource) -> None:
        looks = [source.arrivals(later()) for _ in range(4)]
        assert {each.name for each in looks[-1].settled} == {"small", "huge"}
        assert looks[-1].unread == ()

    def test_stopped_hashes_end_the_look(self, tmp_path: Path) -> None:
        write_checkpoint(tmp_path / "one")
        hashes = FileHashes()
        hashes.stop()
        with pytest.raises(HashingInterrupted):
            FolderSource(tmp_path, settle_s=SETTLE_S, hashes=hashes).arrivals(later())


def test_a_clock_that_was_set_back_does_not_lengthen_the_wait(source: FolderSource, tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "step-1")
    os.utime(folder / "config.json", (soon().timestamp() + 9e6, soon().timestamp() + 9e6))
    before = soon()
    assert source.arrivals(before).unsettled == ("step-1",)
    after = before - timedelta(days=1)
    assert source.arrivals(after).unsettled == ("step-1",)
    assert len(source.arrivals(after + timedelta(seconds=SETTLE_S)).settled) == 1


@pytest.mark.parametrize(
    "name", [b"caf\xe9", b"red\x1b[31m", b"back\\slash", b"line\nbreak", "rtl\u202e".encode()]
)
def test_a_name_that_cannot_be_shown_is_escaped_and_can_be_undone(
    source: FolderSource, tmp_path: Path, name: bytes
) -> None:
    folder = write_checkpoint(tmp_path / os.fsdecode(name))
    (checkpoint,) = source.arrivals(later()).settled
    for shown in (checkpoint.name, checkpoint.location):
        assert shown.isprintable()
        shown.encode()
    assert Path(checkpoint.path) == folder
    (folder / "config.json").unlink()
    (unusable,) = source.arrivals(later()).unusable
    assert unusable.name == checkpoint.name
    assert (unusable.location + unusable.problem).isprintable()
