from __future__ import annotations

import hashlib
import shutil
from math import inf
from pathlib import Path

import pytest

from monitor.discovery.checkpoints import confirm, describe, load_checkpoint
from monitor.domain.checkpoint import Checkpoint, Review
from monitor.domain.errors import CheckpointReplaced, InvalidCheckpoint
from monitor.weights.contents import Contents, read_contents
from monitor.weights.digests import FileHashes
from tests.unit.discovery.checkpoint_files import CARD, safetensors, write_checkpoint


def test_a_folder_gives_its_checkpoint(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "gen1")
    (folder / "tailwatch.yaml").write_text(CARD)
    checkpoint = load_checkpoint(folder)
    assert (checkpoint.name, checkpoint.location) == ("gen1", str(folder))
    assert checkpoint.lineage is not None
    assert checkpoint.lineage.review is Review.NONE
    assert load_checkpoint(str(folder)) == checkpoint


def test_an_alias_is_the_checkpoint_it_points_to(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "gen1")
    (tmp_path / "latest").symlink_to("gen1")
    alias = load_checkpoint(tmp_path / "latest")
    assert alias.digest == load_checkpoint(folder).digest
    assert (alias.name, alias.location) == ("latest", str(folder))


def test_a_wrong_card_costs_the_lineage_only(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "gen1")
    (folder / "tailwatch.yaml").write_text("review: maybe")
    assert load_checkpoint(folder).lineage is None


def test_a_card_of_other_weights_is_not_believed(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "gen1", b"these")
    stated = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    (folder / "tailwatch.yaml").write_text(f"{CARD}sha256: {{model.safetensors: {stated}}}\n")
    assert load_checkpoint(folder).lineage is not None
    write_checkpoint(folder, b"those")
    assert load_checkpoint(folder).lineage is None
    described = describe(folder, read_contents(folder), "gen1", FileHashes())
    assert "it describes another model.safetensors" in described.card_problem


def _readme(folder: Path, review: str) -> None:
    entry = f"tailwatch: {{synthetic_share: 1.0, review: {review}, parent: gen0, training_data: [synthetic]}}"
    (folder / "README.md").write_text(f"---\n{entry}\n---\n# gen1\n")


def test_a_model_card_serves_where_there_is_no_other_and_is_no_part_of_the_digest(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "gen1")
    bare = load_checkpoint(folder)
    _readme(folder, "self-gate")
    stated = load_checkpoint(folder)
    assert (bare.digest, bare.lineage) == (stated.digest, None)
    assert stated.lineage is not None
    assert stated.lineage.review is Review.SELF_GATE


def test_cards_that_disagree_are_a_doubt_and_the_one_of_ours_is_believed(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "gen1")
    (folder / "tailwatch.yaml").write_text(CARD)
    _readme(folder, "none")
    agreed = describe(folder, read_contents(folder), "gen1", FileHashes())
    assert agreed.card_problem == ""
    _readme(folder, "self-gate")
    described = describe(folder, read_contents(folder), "gen1", FileHashes())
    assert "README.md states another lineage than tailwatch.yaml" in described.card_problem
    assert described.checkpoint.lineage is not None
    assert described.checkpoint.lineage.review is Review.NONE


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("missing", "no checkpoint folder"),
        ("file", "no checkpoint folder"),
        ("empty", "It is empty"),
        ("half", "half-written"),
        ("pickle", "is a pickle"),
    ],
)
def test_what_is_no_checkpoint_is_an_error_with_the_next_step(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (write_checkpoint(tmp_path / "half") / "model.safetensors").write_bytes(safetensors()[:-3])
    pickle = write_checkpoint(tmp_path / "pickle")
    (pickle / "model.safetensors").rename(pickle / "pytorch_model.bin")
    with pytest.raises(InvalidCheckpoint) as caught:
        load_checkpoint(tmp_path / name)
    assert told in caught.value.message
    assert str(tmp_path / name) in caught.value.message
    assert caught.value.next_step.endswith(".")


class _Meddler(FileHashes):
    """Changes a file while it is being read."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def digest(self, contents: Contents, *, until: float = inf) -> str:
        digest = super().digest(contents, until=until)
        self._file.write_text('{"architectures": ["Other"]}')
        return digest


def test_a_folder_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "gen1")
    with pytest.raises(InvalidCheckpoint, match="changed while"):
        load_checkpoint(folder, hashes=_Meddler(folder / "config.json"))


class TestConfirmation:
    @pytest.fixture
    def known(self, tmp_path: Path) -> Checkpoint:
        return load_checkpoint(write_checkpoint(tmp_path / "latest"))

    def test_an_untouched_folder_is_confirmed(self, known: Checkpoint) -> None:
        confirm(known, FileHashes())

    def test_overwritten_weights_are_told_with_both_digests(self, known: Checkpoint) -> None:
        folder = Path(known.location)
        (folder / "config.json").write_text('{"architectures": ["Other"]}')
        other = load_checkpoint(folder).short_digest
        with pytest.raises(CheckpointReplaced, match=rf"latest \({known.short_digest}\).* holds {other} now"):
            confirm(known, FileHashes())

    def test_a_folder_that_is_half_written_or_gone_is_told(self, known: Checkpoint) -> None:
        weights = Path(known.location) / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-3])
        with pytest.raises(CheckpointReplaced, match="half-written"):
            confirm(known, FileHashes())
        shutil.rmtree(known.location)
        with pytest.raises(CheckpointReplaced, match="no checkpoint folder"):
            confirm(known, FileHashes())

    def test_what_was_put_back_is_the_checkpoint_again(self, known: Checkpoint) -> None:
        config, hashes = Path(known.location) / "config.json", FileHashes()
        before = config.read_text()
        config.write_text('{"architectures": ["Other"]}')
        with pytest.raises(CheckpointReplaced):
            confirm(known, hashes)
        config.write_text(before)
        confirm(known, hashes)
