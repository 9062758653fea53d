"""Discovery and serving say the same of every folder: there is one reader."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.discovery.checkpoints import load_checkpoint
from monitor.discovery.folder import FolderSource
from monitor.domain.errors import InvalidCheckpoint
from monitor.generation.checkpoint_files import read_checkpoint
from tests.unit.discovery.checkpoint_files import later
from tests.unit.weights.shapes import UNUSABLE, USABLE, Make


@pytest.mark.parametrize("make", USABLE.values(), ids=USABLE)
def test_what_settles_can_be_served_and_named_in_a_command(tmp_path: Path, make: Make) -> None:
    folder = tmp_path / "watched" / "it"
    folder.parent.mkdir()
    make(folder)
    arrivals = FolderSource(folder.parent, settle_s=60).arrivals(later())
    assert [each.name for each in arrivals.settled] == ["it"]
    assert arrivals.unusable == ()
    assert read_checkpoint(Path(arrivals.settled[0].path)).folder == folder
    assert load_checkpoint(folder) == arrivals.settled[0]


@pytest.mark.parametrize(("make", "what", "next_step"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_served_is_named_at_discovery_in_the_same_words(
    tmp_path: Path, make: Make, what: str, next_step: str
) -> None:
    folder = tmp_path / "watched" / "it"
    folder.parent.mkdir()
    make(folder)
    arrivals = FolderSource(folder.parent, settle_s=60).arrivals(later())
    assert arrivals.settled == ()
    (unusable,) = arrivals.unusable
    assert what in unusable.problem
    assert next_step in unusable.problem
    for read in (read_checkpoint, load_checkpoint):
        with pytest.raises(InvalidCheckpoint) as caught:
            read(folder)
        told = f"{folder} is not a usable checkpoint: {unusable.problem}"
        assert f"{caught.value.message} {caught.value.next_step}" == told


@pytest.mark.parametrize("name", ["an entry of a cache", "a run's folder"])
def test_a_watched_folder_of_such_a_kind_leads_to_the_checkpoints(tmp_path: Path, name: str) -> None:
    make, _, _ = UNUSABLE[name]
    make(tmp_path / "it")
    arrivals = FolderSource(tmp_path / "it", settle_s=60).arrivals(later())
    assert len(arrivals.settled) + len(arrivals.unusable) >= 1


@pytest.mark.parametrize("name", ["an adapter alone", "GGUF alone"])
def test_a_watched_folder_that_is_no_model_itself_is_named(tmp_path: Path, name: str) -> None:
    make, what, _ = UNUSABLE[name]
    make(tmp_path / "it")
    (unusable,) = FolderSource(tmp_path / "it", settle_s=60).arrivals(later()).unusable
    assert what in unusable.problem
