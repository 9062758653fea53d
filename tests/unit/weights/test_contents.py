from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.weights.contents import has_chat_template, loaded_weights, read_contents, weight_names
from tests.unit.discovery.checkpoint_files import write_checkpoint
from tests.unit.weights.shapes import USABLE


@pytest.mark.parametrize(
    ("add", "found"),
    [
        (lambda _: None, False),
        (lambda folder: (folder / "chat_template.jinja").write_text("{{ messages }}"), True),
        (lambda folder: (folder / "tokenizer_config.json").write_text('{"chat_template": "{{ x }}"}'), True),
        (lambda folder: (folder / "tokenizer_config.json").write_text('{"chat_template": null}'), False),
        (lambda folder: (folder / "tokenizer_config.json").write_text("["), False),
        (lambda folder: os.mkfifo(folder / "tokenizer_config.json"), False),
    ],
)
def test_a_chat_template_is_a_file_of_its_own_or_stands_with_the_tokenizer(
    tmp_path: Path, add: Callable[[Path], object], found: bool
) -> None:
    folder = write_checkpoint(tmp_path / "it")
    add(folder)
    assert has_chat_template(folder) is found


def test_a_folder_that_is_not_there_has_no_chat_template(tmp_path: Path) -> None:
    assert not has_chat_template(tmp_path / "nowhere")


def test_of_two_formats_that_of_mistral_is_loaded_and_both_are_hashed(tmp_path: Path) -> None:
    USABLE["Mistral's format beside the hub's"](tmp_path / "it")
    contents = read_contents(tmp_path / "it")
    assert loaded_weights(contents) == ("consolidated.safetensors",)
    assert weight_names(contents) == contents.matching("*.safetensors")
    assert len(weight_names(contents)) == 4


def test_a_folder_that_appears_beside_weights_changes_nothing(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "it")
    (folder / "logs").mkdir()
    before = read_contents(folder)
    (folder / "global_step100").mkdir()
    assert read_contents(folder) == before
