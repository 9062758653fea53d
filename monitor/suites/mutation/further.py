"""More small mistakes in Python expressions, for programs in which the usual ones are few.

More of these than of the usual ones do no harm to a program, and somebody has to look at each.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from monitor.suites.mutation.expressions import Change, with_fields
from monitor.suites.mutation.mutant import Mutation
from monitor.suites.mutation.patterns import pattern_changes


def further_changes(node: ast.AST, imported: Collection[str]) -> Iterator[Change]:
    """What else could have been written in place of an expression by mistake.

    Args:
        node: the expression.
        imported: names that the program imports: what is called of a module is no step of a chain.
    """
    if isinstance(node, ast.Call):
        yield from _call(node, imported)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from _text(node, is_pattern="re" in imported)
    elif type(node) in _RULES:
        yield from _RULES[type(node)](node)


def imported_names(tree: ast.AST) -> frozenset[str]:
    """Names that a program's imports bind."""
    return frozenset(
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    )


def _call(node: ast.Call, imported: Collection[str]) -> Iterator[Change]:
    func = node.func
    if isinstance(func, ast.Attribute) and not (
        isinstance(func.value, ast.Name) and func.value.id in imported
    ):
        yield Mutation.CALL, func.value
    if len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred):
        yield Mutation.CALL, node.args[0]
    for at, keyword in enumerate(node.keywords):
        if isinstance(keyword.value, ast.Constant):
            keywords = [*node.keywords[:at], *node.keywords[at + 1 :]]
            yield Mutation.ARGUMENTS, with_fields(node, keywords=keywords)


def _text(node: ast.Constant, *, is_pattern: bool) -> Iterator[Change]:
    text = str(node.value)
    changed = list(pattern_changes(text)) if is_pattern else []
    if len(text) > 1 and not changed:
        changed = [text[1:], text[:-1]]
    for other in changed:
        yield Mutation.CONSTANT, ast.Constant(value=other)


def _elements(node: ast.List | ast.Tuple | ast.Set) -> Iterator[Change]:
    if len(node.elts) > 1 and not isinstance(getattr(node, "ctx", None), ast.Store):
        for at in range(len(node.elts)):
            yield Mutation.ELEMENT, with_fields(node, elts=[*node.elts[:at], *node.elts[at + 1 :]])


def _entries(node: ast.Dict) -> Iterator[Change]:
    for at in range(len(node.keys)):
        keys, values = [*node.keys[:at], *node.keys[at + 1 :]], [*node.values[:at], *node.values[at + 1 :]]
        yield Mutation.ELEMENT, with_fields(node, keys=keys, values=values)


_RULES: Mapping[type[ast.AST], Callable[[Any], Iterator[Change]]] = {
    ast.List: _elements,
    ast.Tuple: _elements,
    ast.Set: _elements,
    ast.Dict: _entries,
}
