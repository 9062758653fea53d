from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.weights.contents import is_unfinished_name, read_contents
from monitor.weights.kinds import Problem
from monitor.weights.problems import is_meant_as_checkpoint, problem_of
from tests.unit.discovery.checkpoint_files import safetensors, write_checkpoint, write_sharded_checkpoint


def _problem(folder: Path) -> Problem | None:
    return problem_of(folder, read_contents(folder))


def _is_meant(folder: Path) -> bool:
    return is_meant_as_checkpoint(folder, read_contents(folder))


def test_complete_folders_have_no_problem(tmp_path: Path) -> None:
    assert _problem(write_checkpoint(tmp_path / "one")) is None
    assert _problem(write_sharded_checkpoint(tmp_path / "many")) is None


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: (folder / "config.json").unlink(), "config.json is missing"),
        (lambda folder: (folder / "config.json").write_text("{"), "not complete JSON"),
        (lambda folder: (folder / "config.json").write_text("[]"), "not a JSON object"),
        (lambda folder: (folder / "config.json").write_text("{}"), "names no architecture"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer is missing"),
        (lambda folder: (folder / "model.safetensors").unlink(), "no safetensors weights"),
        (lambda folder: (folder / "model.safetensors").write_bytes(safetensors()[:-1]), "half-written"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b""), "half-written"),
        (lambda folder: (folder / "x.safetensors.incomplete").touch(), "unfinished copy"),
        (lambda folder: (folder / ".model.safetensors.Xa81Qf").touch(), "unfinished copy"),
        (lambda folder: (folder / "vocab.json").symlink_to("nowhere"), "link to nothing"),
        (
            lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
            "is a pickle, which can run code",
        ),
        (lambda folder: (folder / "model.safetensors.index.json").write_text("{}"), "names no weights"),
        (
            lambda folder: (folder / "model.safetensors.index.json").write_text(
                '{"weight_map": {"a": "model-00002-of-00002.safetensors"}}'
            ),
            "model-00002-of-00002.safetensors is missing",
        ),
    ],
)
def test_an_incomplete_folder_says_what_is_wrong_and_what_to_do(
    tmp_path: Path, spoil: Callable[[Path], object], told: str
) -> None:
    folder = write_checkpoint(tmp_path / "it")
    spoil(folder)
    problem = _problem(folder)
    assert problem is not None
    assert told in problem.what
    assert problem.next_step.endswith(".")


@pytest.mark.parametrize(
    "name",
    ["a.safetensors.tmp", "tmp-checkpoint-5", "b.part", "model.safetensors.aria2", ".config.json.a8Zk2p"],
)
def test_names_of_unfinished_copies_are_known(name: str) -> None:
    assert is_unfinished_name(name)


@pytest.mark.parametrize(
    "name", ["model.safetensors", "checkpoint-500", ".gitattributes", "template", "step.partial2"]
)
def test_ordinary_names_are_not_taken_for_unfinished_copies(name: str) -> None:
    assert not is_unfinished_name(name)


def test_other_folders_are_not_taken_for_checkpoints(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "events.out").touch()
    (tmp_path / "logs" / "optimizer.pt").touch()
    assert not _is_meant(tmp_path / "logs")
    (tmp_path / "run" / "inner").mkdir(parents=True)
    assert not _is_meant(tmp_path / "run")


def test_an_empty_folder_may_become_one(tmp_path: Path) -> None:
    assert _is_meant(tmp_path)
    assert str(_problem(tmp_path)).startswith("It is empty.")


def test_logs_beside_a_checkpoint_do_not_change_its_contents(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "it")
    (folder / "trainer_state.json").write_text("{}")
    before = read_contents(folder)
    (folder / "trainer_state.json").write_text('{"step": 2}')
    (folder / "optimizer.pt").write_bytes(b"state")
    assert read_contents(folder) == before
