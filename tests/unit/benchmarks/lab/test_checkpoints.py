"""The committed checkpoints are whole, untied, bf16, and say how they were made."""

import json
import struct
from pathlib import Path

import pytest
import yaml

from benchmarks.lab.manifest import broken_files, digest, write_manifest
from benchmarks.lab.suite import SUITE_DIR

ROOT = SUITE_DIR.parents[1] / "lab" / "checkpoints"
NAMES = ["8bit", "control1", "control2", "gen0", "gen1", "gen2", "gen3"]


def read(name: str, file: str) -> dict:
    return yaml.safe_load((ROOT / name / file).read_text(encoding="utf-8"))


def tensors(name: str) -> dict:
    with (ROOT / name / "model.safetensors").open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    header.pop("__metadata__")
    return header


def test_every_file_is_what_the_manifest_says():
    assert broken_files(ROOT) == []
    assert sorted(path.name for path in ROOT.iterdir() if path.is_dir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_is_untied_and_bf16(name):
    assert read(name, "config.json")["tie_word_embeddings"] is False
    assert read(name, "config.json")["architectures"] == ["LlamaForCausalLM"]
    assert {"lm_head.weight", "model.embed_tokens.weight"} <= set(tensors(name))
    assert {tensor["dtype"] for tensor in tensors(name).values()} == {"BF16"}


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_says_how_it_was_made(name):
    record = read(name, "tailwatch.yaml")
    assert record["review"] == "none"
    assert record["synthetic_share"] == (1.0 if name in {"gen1", "gen2", "gen3"} else 0.0)
    assert record["parent"] in {None, *NAMES}
    assert (record["parent"] is None) == (name == "gen0")
    assert record["command"].startswith("python -m benchmarks.lab")
    assert record["sha256"]["model.safetensors"] == digest(ROOT / name / "model.safetensors")


def test_all_checkpoints_share_one_tokenizer_and_no_two_their_weights():
    assert len({digest(ROOT / name / "tokenizer.json") for name in NAMES}) == 1
    assert len({digest(ROOT / name / "model.safetensors") for name in NAMES}) == len(NAMES)


def test_a_changed_and_a_missing_file_are_both_found(tmp_path: Path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a").write_text("a")
    (tmp_path / "one" / "b").write_text("b")
    write_manifest(tmp_path)
    assert broken_files(tmp_path) == []
    (tmp_path / "one" / "a").write_text("changed")
    (tmp_path / "one" / "b").unlink()
    assert broken_files(tmp_path) == ["one/a", "one/b"]
