"""Mutants of Python programs, by their syntax tree."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from monitor.programs.python_code import parses_as_python
from monitor.suites.mutation.expressions import expression_changes
from monitor.suites.mutation.further import further_changes, imported_names
from monitor.suites.mutation.mutant import Mutant, Mutation, mutant
from monitor.suites.mutation.statements import statement_changes

_LEFT_ALONE = frozenset(
    {
        # Types are not looked at when a program runs; how an error is worded is rarely asked for.
        (ast.AnnAssign, "annotation"),
        (ast.arg, "annotation"),
        (ast.FunctionDef, "returns"),
        (ast.AsyncFunctionDef, "returns"),
        (ast.Raise, "exc"),
        (ast.Assert, "msg"),
    }
)


_Change = tuple[Mutation, list[ast.AST]]
"""The kind of mistake, and what takes a node's place."""
_Changes = Callable[[ast.AST], Iterator[_Change]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a node stands in its tree, so that another can be put there."""

    parent: ast.AST
    field: str
    index: int | None
    """Position in a list of nodes; None where the field holds a single one."""
    node: ast.AST

    def put(self, nodes: list[ast.AST]) -> object:
        """Put other nodes there; returns what the field held."""
        held = getattr(self.parent, self.field)
        if self.index is None:
            setattr(self.parent, self.field, nodes[0])
        else:
            after = [*held[: self.index], *nodes, *held[self.index + 1 :]]
            setattr(self.parent, self.field, after or [ast.Pass()])
        return held


def python_mutants(prompt: str, solution: str) -> Iterator[Mutant]:
    """Mutants of a Python program in the order of its text, as the parser writes it; duplicates included.

    Only what the solution says is changed, never the prompt. A program that does not parse has none.
    """
    if parses_as_python(prompt + solution):
        tree = ast.parse(prompt + solution)
        stored = _stored_names(tree)
        yield from _mutants(tree, _end_of(prompt), lambda node: _changes(node, stored))


def further_python_mutants(prompt: str, solution: str) -> Iterator[Mutant]:
    """More mutants of a Python program, for one that has few others: calls, elements and patterns."""
    if parses_as_python(prompt + solution):
        tree = ast.parse(prompt + solution)
        imported = imported_names(tree)
        yield from _mutants(tree, _end_of(prompt), lambda node: _further(node, imported))


def normal_form(source: str) -> str:
    """A Python program as :func:`python_mutants` writes it, to be compared with them."""
    return ast.unparse(ast.parse(source)) + "\n"


def _end_of(prompt: str) -> tuple[int, int]:
    """Line and column of the first character behind the prompt."""
    lines = prompt.split("\n")
    return len(lines), len(lines[-1].encode())


def _stored_names(tree: ast.AST) -> frozenset[str]:
    """Names that more than one place gives a value."""
    stores: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            stores[node.id] += 1
        elif isinstance(node, ast.arg):
            stores[node.arg] += 1
    return frozenset(name for name, count in stores.items() if count > 1)


def _places(node: ast.AST) -> Iterator[_Place]:
    for field, value in ast.iter_fields(node):
        if (type(node), field) in _LEFT_ALONE:
            continue
        children = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            if isinstance(child, ast.AST) and not _is_docstring(child):
                yield _Place(parent=node, field=field, index=index, node=child)
                yield from _places(child)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _mutants(tree: ast.Module, first: tuple[int, int], changes: _Changes) -> Iterator[Mutant]:
    """The mutants by some changes of what stands behind the prompt."""
    for place in _places(tree):
        node = place.node
        position = (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
        if isinstance(node, ast.comprehension):
            position = (node.target.lineno, node.target.col_offset)
        if position >= first:
            yield from _mutants_at(tree, place, changes(node), position[0])


def _mutants_at(tree: ast.Module, place: _Place, changes: Iterable[_Change], line: int) -> Iterator[Mutant]:
    before = ast.unparse(place.node)
    for kind, nodes in changes:
        after = "\n".join(ast.unparse(node) for node in nodes)
        held = place.put(nodes)
        try:
            source = ast.unparse(tree) + "\n"
        finally:
            setattr(place.parent, place.field, held)
        yield mutant(kind, line, (before, after), source)


def _further(node: ast.AST, imported: frozenset[str]) -> Iterator[_Change]:
    for kind, other in further_changes(node, imported):
        yield kind, [other]


def _changes(node: ast.AST, stored: frozenset[str]) -> Iterator[_Change]:
    if isinstance(node, ast.stmt):
        for kind, statements in statement_changes(node, stored):
            yield kind, list(statements)
    else:
        for kind, other in expression_changes(node):
            yield kind, [other]
