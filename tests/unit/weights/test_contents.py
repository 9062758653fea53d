from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.weights.contents import has_chat_template
from tests.unit.discovery.checkpoint_files import write_checkpoint


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
