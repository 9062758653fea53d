"""No part of the product writes a file in place: what fails in the middle would leave a half one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.unit.repository.documents import ROOT

MONITOR = ROOT / "monitor"

ALLOWED = {
    "atomic_files.py": "it is how files are written",
    "suites/writing.py": "writes into the draft of a folder",
    "suites/ranking.py": "copies into the draft of a folder",
    "generation/process.py": "a server's log, which grows while it is read",
    "cli/demo/story.py": "a checkpoint arrives in the watched folder as it would from elsewhere",
}

WRITES = frozenset(
    {"write_text", "write_bytes", "copyfile", "copytree", "copy2", "save_svg", "save_html", "save_text"}
)


def writing_calls(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
        texts += [each.value.value for each in node.keywords if isinstance(each.value, ast.Constant)]
        opens = name == "open" and any(isinstance(t, str) and t[:1] in {"w", "a", "x"} for t in texts)
        if opens or name in WRITES:
            found.append(f"line {node.lineno}: {name}")
    return found


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(MONITOR.rglob("*.py")) if not path.is_relative_to(MONITOR / "sandbox")],
    ids=lambda path: str(path.relative_to(MONITOR)),
)
def test_files_are_written_whole_or_not_at_all(path):
    """The sandbox is left out: what it writes lies in folders of its own that end with it."""
    if str(path.relative_to(MONITOR)) not in ALLOWED:
        assert writing_calls(path) == [], "use monitor.atomic_files"


@pytest.mark.parametrize("name", ALLOWED)
def test_every_exception_is_still_needed(name):
    assert writing_calls(MONITOR / name)
