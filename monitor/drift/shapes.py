"""The shape of one program: what its syntax tree holds, and a form in which names do not matter.

Programs come from strangers: text too long or too deep for the parser of this process is described as text
alone, as text in another language is.
"""

from __future__ import annotations

import ast
import hashlib
import re
import warnings
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.drift.forms import Labels, children

MAX_PARSED_CHARS = 64 * 2**10
MAX_BRACKETS = 40
"""Brackets within brackets; the parser's own limit is a crash of the whole process on some builds."""

DIMENSIONS = 128
"""Length of the vector that features are hashed into."""

_BRACKETS = re.compile(r"[()\[\]{}]")
_SPACES = re.compile(r"\s+")

_BRANCHES = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.IfExp,
    ast.ExceptHandler,
    ast.Assert,
    ast.comprehension,
    ast.match_case,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What a Python syntax tree holds."""

    depth: int
    nodes: int
    complexity: int
    """Decisions plus one (McCabe 1976)."""
    imports: int
    """Distinct modules."""
    calls: int
    """Distinct qualified names that are called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One program, described."""

    form: bytes
    """Digest of the program without layout, comments, docstrings and the choice of names."""
    features: Mapping[int, int]
    """Pieces of the tree, or of the text, counted by hash below :data:`DIMENSIONS`."""
    tree: Tree | None
    """None for what is not Python, or does not parse."""


def shape_of(text: str, language: str) -> Shape:
    r"""Describe a program.

    >>> one = shape_of("def f(a):\n    return a + 1  # more\n", "python")
    >>> one.form == shape_of("def f(b): return b+1", "python").form
    True
    >>> one.tree.nodes, one.tree.depth, one.tree.complexity
    (9, 4, 1)
    """
    tree = parsed(text) if language == "python" else None
    if tree is None:
        return _shape_of_text(text)
    try:
        return _shape_of_tree(tree)
    except (ValueError, MemoryError, RecursionError):
        # Nothing that a stranger wrote may cost the reading of all the others.
        return _shape_of_text(text)


def parsed(text: str) -> ast.Module | None:
    """The syntax tree of Python; None where text is not Python's grammar or too much to try."""
    if len(text) > MAX_PARSED_CHARS or _brackets(text) > MAX_BRACKETS:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return None


def _brackets(text: str) -> int:
    deepest = depth = 0
    for found in _BRACKETS.finditer(text):
        depth += 1 if found.group() in "([{" else -1
        deepest = max(deepest, depth)
    return deepest


def _shape_of_text(text: str) -> Shape:
    words = _SPACES.sub(" ", text).strip()
    pieces = Counter(words.split(" "))
    return Shape(
        form=_digest(words.encode("utf-8", "surrogatepass")),
        features=_hashed(pieces),
        tree=None,
    )


@dataclass(slots=True, kw_only=True)
class _Walk:
    """What is gathered on the way through a tree."""

    named: Labels
    labels: list[str] = field(default_factory=list)
    pieces: Counter[str] = field(default_factory=Counter)
    modules: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    depth: int = 0
    complexity: int = 1

    def visit(self, node: ast.AST, depth: int, place: str, above: tuple[str, str]) -> str:
        """Take in one node; its kind."""
        kind = type(node).__name__
        self.depth = max(self.depth, depth)
        self.labels.append(f"{depth} {self.named.of(node, place)}")
        self.pieces[f"{above[1]}>{kind}"] += 1
        self.pieces[f"{above[0]}>{above[1]}>{kind}"] += 1
        if isinstance(node, _BRANCHES):
            self.complexity += 1
        elif isinstance(node, ast.BoolOp):
            self.complexity += len(node.values) - 1
        elif isinstance(node, ast.Call):
            self._call(node)
        elif isinstance(node, ast.Import):
            self.modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            self.modules.add(node.module or ".")
        return kind

    def _call(self, node: ast.Call) -> None:
        name = qualified_name(node.func)
        if name:
            self.calls.add(name)
            self.pieces[f"call {name}"] += 1


def qualified_name(node: ast.expr) -> str:
    """``a.b.c`` of an attribute of attributes of a name; empty for what is computed."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return f".{parts[0]}" if parts else ""
    return ".".join([node.id, *reversed(parts)])


def _shape_of_tree(module: ast.Module) -> Shape:
    walk = _Walk(named=Labels(module))
    waiting: list[tuple[ast.AST, int, str, tuple[str, str]]] = [(module, 0, "", ("", ""))]
    while waiting:
        node, depth, place, above = waiting.pop()
        kind = walk.visit(node, depth, place, above)
        below = (above[1], kind)
        waiting += [(child, depth + 1, into, below) for into, child in reversed([*children(node)])]
    return Shape(
        form=_digest("\n".join(walk.labels).encode("utf-8", "surrogatepass")),
        features=_hashed(walk.pieces),
        tree=Tree(
            depth=walk.depth,
            nodes=len(walk.labels),
            complexity=walk.complexity,
            imports=len(walk.modules),
            calls=len(walk.calls),
        ),
    )


def _hashed(pieces: Mapping[str, int]) -> dict[int, int]:
    hashed: Counter[int] = Counter()
    for piece, count in pieces.items():
        hashed[zlib.crc32(piece.encode("utf-8", "surrogatepass")) % DIMENSIONS] += count
    return dict(hashed)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=12).digest()
