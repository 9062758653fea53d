from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.domain.errors import InvalidCheckpoint
from monitor.generation.checkpoint_files import read_checkpoint
from tests.unit.generation.tiny_checkpoints import edit_config, half_written, tiny_checkpoint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny_checkpoint(tmp_path / "one", seed=1)
    return tmp_path / "one"


def test_other_weights_of_one_configuration_are_swappable(folder: Path, tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "two", seed=2)
    assert read_checkpoint(folder).swappable_with(read_checkpoint(tmp_path / "two"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rope_theta", 500000.0),
        ("torch_dtype", "float16"),
        ("tie_word_embeddings", True),
        ("quantization_config", {"quant_method": "fp8"}),
    ],
)
def test_another_configuration_is_not_swappable(folder: Path, tmp_path: Path, key: str, value: Any) -> None:
    tiny_checkpoint(tmp_path / "two", seed=2)
    edit_config(tmp_path / "two", lambda config: config.update({key: value}))
    one, two = read_checkpoint(folder), read_checkpoint(tmp_path / "two")
    assert not one.swappable_with(two)
    assert not two.swappable_with(one)


def test_the_version_that_wrote_the_configuration_does_not_matter(folder: Path, tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "two", seed=2)
    edit_config(tmp_path / "two", lambda config: config.update(transformers_version="9.9"))
    assert read_checkpoint(folder).swappable_with(read_checkpoint(tmp_path / "two"))


def test_another_tokenizer_is_not_swappable(folder: Path, tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "two", seed=2)
    path = tmp_path / "two" / "tokenizer.json"
    path.write_text(path.read_text().replace("</s>", "<e>"))
    assert not read_checkpoint(folder).swappable_with(read_checkpoint(tmp_path / "two"))


def test_a_configuration_silent_about_tying_counts_as_tied(folder: Path) -> None:
    edit_config(folder, lambda config: config.pop("tie_word_embeddings"))
    assert read_checkpoint(folder).tied


def test_missing_output_weights_count_as_tied_whatever_the_configuration_says(tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "tied", seed=1, tied=True)
    edit_config(tmp_path / "tied", lambda config: config.update(tie_word_embeddings=False))
    assert read_checkpoint(tmp_path / "tied").tied


def test_a_checkpoint_is_never_swapped_for_a_tied_twin(tmp_path: Path) -> None:
    for seed in (1, 2):
        tiny_checkpoint(tmp_path / str(seed), seed=seed, tied=True)
    assert not read_checkpoint(tmp_path / "1").swappable_with(read_checkpoint(tmp_path / "2"))


def remove(name: str) -> Any:
    return lambda folder: (folder / name).unlink()


def write(name: str, content: bytes) -> Any:
    return lambda folder: (folder / name).write_bytes(content)


def longer(folder: Path) -> None:
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b"tail")


def empty_index(folder: Path) -> None:
    index = {"weight_map": {"lm_head.weight": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove("config.json"), r"config\.json is missing"),
        (write("config.json", b"{"), r"config\.json is not complete JSON"),
        (write("config.json", b"[]"), r"config\.json is not a JSON object"),
        (remove("tokenizer.json"), "The tokenizer is missing"),
        (remove("model.safetensors"), "holds no safetensors weights"),
        (write("model.safetensors", b""), "header is missing"),
        (write("model.safetensors", b"\xff" * 64), "not a safetensors file"),
        (write("model.safetensors", (2).to_bytes(8, "little") + b"{}"), "holds no tensors"),
        (write("model.safetensors", (2).to_bytes(8, "little") + b"[]"), "header is damaged"),
        (lambda folder: half_written(folder / "model.safetensors"), r"half-written: \d+ of \d+ bytes"),
        (longer, r"has 4 bytes more"),
        (empty_index, r"model-00002-of-00002\.safetensors is missing"),
    ],
)
def test_what_is_wrong_is_named_with_the_way_out(folder: Path, damage: Any, message: str) -> None:
    damage(folder)
    with pytest.raises(InvalidCheckpoint, match=message) as caught:
        read_checkpoint(folder)
    assert str(folder) in caught.value.message
    assert caught.value.next_step.endswith(".")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidCheckpoint, match="There is no checkpoint folder"):
        read_checkpoint(tmp_path / "nowhere")
