"""Suites to folders, so that reading them back gives the same suite."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from monitor.atomic_files import whole_folder
from monitor.domain.errors import InvalidSuite
from monitor.suites.documents import parse_document
from monitor.suites.format import SUITE_FILE, TASK_FOLDER, SuiteFile, TaskFile

_SAFE_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._/+\- ]*[A-Za-z0-9]")
_RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


class SuiteWriter:
    """Writes a suite file by file into an empty folder.

    Args:
        folder: that exists.
        header: of the suite.
    """

    def __init__(self, folder: Path, header: SuiteFile) -> None:
        self._folder = folder
        self._header = header
        self._names: set[str] = set()
        (folder / TASK_FOLDER).mkdir()
        (folder / SUITE_FILE).write_text(entry_text(header), encoding="utf-8", newline="\n")

    @property
    def folder(self) -> Path:
        """Where it writes, for files beside the suite's own."""
        return self._folder

    @property
    def count(self) -> int:
        """Tasks written so far."""
        return len(self._names)

    def add(self, task: TaskFile) -> Path:
        """Write a task's file; its name follows from the task's id."""
        stem = re.sub(r"[^A-Za-z0-9._\-]", "-", task.task_id)
        name, number = stem, 1
        while name.lower() in self._names:
            number += 1
            name = f"{stem}-{number}"
        self._names.add(name.lower())
        path = self._folder / TASK_FOLDER / f"{name}.yaml"
        path.write_text(task_text(task, self._header), encoding="utf-8", newline="\n")
        return path


@contextmanager
def new_suite(folder: Path, header: SuiteFile) -> Iterator[SuiteWriter]:
    """A suite to write, whose folder appears when the block ends without an error.

    Raises:
        InvalidSuite: there is something in the folder already, or it cannot be made.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise InvalidSuite(
            f"The folder {folder} is not empty.", next_step="Choose a new folder, or remove it first."
        )
    with ExitStack() as stack:
        try:
            draft = stack.enter_context(whole_folder(folder))
        except OSError as exc:
            raise InvalidSuite(
                f"The folder {folder} cannot be made: {exc.strerror}.",
                next_step="Name a new folder where you may write.",
            ) from exc
        yield SuiteWriter(draft, header)


def write_suite(folder: Path, header: SuiteFile, tasks: Iterable[TaskFile]) -> Path:
    """Write a whole suite into a new folder; returns the folder.

    Raises:
        InvalidSuite: there is something in the folder already, or it cannot be made.
    """
    with new_suite(folder, header) as writer:
        for task in tasks:
            writer.add(task)
    return folder


def task_text(task: TaskFile, header: SuiteFile) -> str:
    """The YAML text of a task under a comment with its suite's canary: a file may travel alone."""
    # A comment is one line of what YAML can hold as it is.
    canary = "".join(each if each.isprintable() else " " for each in header.contamination_canary)
    return f"# {' '.join(canary.split())}\n{entry_text(task)}"


def entry_text(entry: BaseModel) -> str:
    """The YAML text of a header or task, proved to read back as what it was."""
    value = _without_absent(entry.model_dump(mode="json"))
    text = _dump(value, _Readable)
    if parse_document(text).value != value:
        # Some texts (only blanks, odd line ends) cannot stand in a literal block.
        text = _dump(value, _Quoted)
    return text


def _without_absent(value: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _without_absent(inner) if isinstance(inner, dict) else inner
        for name, inner in value.items()
        if inner is not None
    }


def _dump(value: dict[str, Any], dumper: type[yaml.SafeDumper]) -> str:
    return yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True, width=100_000)


class _Readable(yaml.SafeDumper):
    """Literal blocks for texts of several lines, quotes wherever a plain word could be mistaken."""


class _Quoted(yaml.SafeDumper):
    """Every text in double quotes."""


def _readable_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if "\n" in text:
        style = "|"
    elif not _SAFE_PLAIN.fullmatch(text) or text.lower() in _RESERVED:
        style = "'" if text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _quoted_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_Readable.add_representer(str, _readable_text)
_Quoted.add_representer(str, _quoted_text)
