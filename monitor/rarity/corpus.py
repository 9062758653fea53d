"""A folder of source code as a corpus."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.domain.encodings import wide_encoding
from monitor.domain.errors import InvalidCorpus
from monitor.rarity.counting import Tally, Threshold, document_of
from monitor.rarity.features import MAX_CHARS, PYTHON
from monitor.rarity.table import RarityTable

LANGUAGES: Mapping[str, str] = {
    ".awk": "awk",
    ".c": "c",
    ".cc": "cpp",
    ".cpp": "cpp",
    ".cs": "csharp",
    ".erl": "erlang",
    ".f90": "fortran",
    ".go": "go",
    ".java": "java",
    ".js": "javascript",
    ".kt": "kotlin",
    ".lua": "lua",
    ".php": "php",
    ".pl": "perl",
    ".pm": "perl",
    ".py": PYTHON,
    ".r": "r",
    ".rb": "ruby",
    ".rkt": "racket",
    ".rs": "rust",
    ".scala": "scala",
    ".scm": "scheme",
    ".sh": "shell",
    ".swift": "swift",
    ".tcl": "tcl",
    ".ts": "typescript",
}
"""Languages by file extension, as suites name them."""

SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages", "venv", "build", "dist"})
"""Folders with copies and products of other people's code; hidden ones are skipped as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file of a corpus."""

    path: Path
    language: str
    project: str
    """First folder below the corpus; the corpus itself for files at its top."""


def source_files(folder: Path) -> Iterator[SourceFile]:
    """The source files below a folder, in a fixed order; links and what is no regular file are passed over.

    Raises:
        InvalidCorpus: it is not a folder.
    """
    if not folder.is_dir():
        raise InvalidCorpus(f"{folder} is not a folder.", next_step="Name the folder that holds the code.")
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if _is_entered(name))
        for name in sorted(names):
            path = Path(here, name)
            language = LANGUAGES.get(path.suffix.lower())
            # Not a pipe either, which nobody may ever write to.
            if language is not None and not path.is_symlink() and path.is_file():
                yield SourceFile(path=path, language=language, project=_project(path, folder))


def count_folder(folder: Path) -> RarityTable:
    """The table of a team's own code: every feature and language as often as it is there.

    Raises:
        InvalidCorpus: it is not a folder, or holds no source files.
    """
    tally = Tally()
    for file in source_files(folder):
        document = document_of(source_text(file.path), file.language, file.project)
        if document is not None:
            tally.add(document)
    return tally.table(folder.resolve().name, threshold=Threshold())


def source_text(path: Path) -> str:
    """A file's text, read as far as features are looked for; UTF-8 or UTF-16, wrong bytes replaced.

    Raises:
        InvalidCorpus: it cannot be read.
    """
    try:
        with path.open("rb") as binary:
            encoding = wide_encoding(binary.read(64)) or "utf-8-sig"
        with path.open(encoding=encoding, errors="replace") as file:
            return file.read(MAX_CHARS + 1)
    except OSError as exc:
        raise InvalidCorpus(f"{path} cannot be read: {exc.strerror}.", next_step="Check its rights.") from exc


def _is_entered(name: str) -> bool:
    return not name.startswith(".") and name not in SKIPPED_FOLDERS


def _project(path: Path, folder: Path) -> str:
    parts = path.relative_to(folder).parts
    return parts[0] if len(parts) > 1 else folder.name
