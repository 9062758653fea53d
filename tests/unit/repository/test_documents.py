"""Documents and product agree: links resolve, commands exist, every command is documented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from monitor.cli.app import cli
from tests.unit.repository.documents import ROOT, anchors, documents, links, shown_commands

for name in cli.list_commands(click.Context(cli)):
    # Asking for a command is what imports it and puts it on the group.
    assert cli.get_command(click.Context(cli), name) is not None, name

DOCUMENTS = documents()
MAKE_TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def leaf_commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaf_commands(command, (*path, name))
        elif not command.hidden:
            yield (*path, name)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_inside_the_repository_resolve(document):
    for target in links(document):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        path, _, fragment = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), f"{name_of(document)} links to {target}, which does not exist"
        if fragment and file.suffix == ".md":
            assert fragment in anchors(file), f"{name_of(document)} links to {target}: no such heading"


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=name_of)
def test_every_page_is_in_the_index(page):
    index = ROOT / "docs" / "index.md"
    assert page == index or page.name in links(index), f"docs/index.md does not link to {page.name}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_the_tailwatch_commands_that_are_shown_exist_with_their_options(document):
    for shown in shown_commands(document, "tailwatch"):
        command: click.Command = cli
        words = list(shown.words[1:])
        allowed = {option for parameter in cli.params for option in parameter.opts}
        while words and isinstance(command, click.Group):
            word = words.pop(0)
            if word.startswith("-"):
                assert word in {*allowed, "--help", "-h", "--version"}, shown
                continue
            if word in {"…", "..."} or word.isupper():
                break
            assert word in command.commands, f"{name_of(document)}: {' '.join(shown.words)}"
            command = command.commands[word]
        known = {
            option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
        }
        for word in words:
            if re.match(r"--?[a-z]", word):
                option = word.split("=")[0]
                assert option in known | {"--help", "-h"}, f"{name_of(document)}: {' '.join(shown.words)}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_the_make_targets_that_are_shown_exist(document):
    for shown in shown_commands(document, "make"):
        for word in shown.words[1:]:
            if re.fullmatch(r"[a-z]+", word):
                assert word in MAKE_TARGETS, f"{name_of(document)}: make {word}"


@pytest.mark.parametrize("path", sorted(leaf_commands(cli)), ids=" ".join)
def test_every_command_is_documented(path):
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    heading = f"## tailwatch {' '.join(path)}"
    assert heading in text.splitlines(), f"docs/commands.md has no section '{heading}'"


@pytest.mark.parametrize("path", sorted(leaf_commands(cli)), ids=" ".join)
def test_every_option_of_a_command_is_documented_in_its_section(path):
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    section = text.partition(f"## tailwatch {' '.join(path)}\n")[2].partition("\n## ")[0]
    shared = {"--json", "--config", "--help"}
    for parameter in command.params:
        longest = max(parameter.opts, key=len)
        if isinstance(parameter, click.Option) and longest not in shared:
            assert f"`{longest}" in section, f"tailwatch {' '.join(path)} {longest} is not documented"
