"""Small mistakes in Python statements."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from monitor.suites.mutation.expressions import OPERATORS, is_text_or_list, negated, with_fields
from monitor.suites.mutation.mutant import Mutation

StatementChange = tuple[Mutation, list[ast.stmt]]
"""The kind of mistake, and the statements that take the place of one."""

_CACHES = frozenset({"cache", "lru_cache"})


def statement_changes(node: ast.stmt, bound: Collection[str]) -> Iterator[StatementChange]:
    """What could have been written in place of a statement by mistake.

    Args:
        node: the statement.
        bound: names that have a value without it; leaving out another's only assignment would be
            a name error, which any test finds.
    """
    rule = _RULES.get(type(node))
    if rule is not None:
        yield from rule(node)
    if _can_be_left_out(node, bound):
        yield Mutation.STATEMENT, []


def _can_be_left_out(node: ast.stmt, bound: Collection[str]) -> bool:
    if isinstance(node, ast.Expr):
        # A text is a docstring.
        return not isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        names = [
            each.id for target in node.targets for each in ast.walk(target) if isinstance(each, ast.Name)
        ]
        stored = all(isinstance(target, (ast.Subscript, ast.Attribute)) for target in node.targets)
        return stored or all(name in bound for name in names)
    if isinstance(node, ast.If):
        return not node.orelse
    kinds = (ast.AugAssign, ast.Delete, ast.Raise, ast.For, ast.AsyncFor, ast.While, ast.Break, ast.Continue)
    return isinstance(node, kinds)


def _augmented(node: ast.AugAssign) -> Iterator[StatementChange]:
    if type(node.op) in OPERATORS and not is_text_or_list(node.value):
        yield Mutation.ARITHMETIC, [with_fields(node, op=OPERATORS[type(node.op)]())]
    yield Mutation.ARITHMETIC, [ast.Assign(targets=[node.target], value=node.value, lineno=node.lineno)]


def _if(node: ast.If) -> Iterator[StatementChange]:
    opposite = negated(node.test)
    if opposite is not None:
        yield Mutation.CONDITION, [with_fields(node, test=opposite)]
    if node.orelse:
        yield Mutation.STATEMENT, [with_fields(node, orelse=[])]


def _while(node: ast.While) -> Iterator[StatementChange]:
    opposite = negated(node.test)
    if opposite is not None and not isinstance(node.test, ast.Constant):
        yield Mutation.CONDITION, [with_fields(node, test=opposite)]


def _return(node: ast.Return) -> Iterator[StatementChange]:
    # Of True and False, the opposite says more.
    if node.value is not None and not (
        isinstance(node.value, ast.Constant)
        and (node.value.value is None or isinstance(node.value.value, bool))
    ):
        yield Mutation.RESULT, [ast.Return(value=ast.Constant(value=None))]


def _break(_node: ast.Break) -> Iterator[StatementChange]:
    yield Mutation.STATEMENT, [ast.Continue()]


def _continue(_node: ast.Continue) -> Iterator[StatementChange]:
    yield Mutation.STATEMENT, [ast.Break()]


def _try(node: ast.Try) -> Iterator[StatementChange]:
    if node.handlers:
        yield Mutation.STATEMENT, [*node.body, *node.orelse, *node.finalbody]
    if len(node.handlers) > 1:
        for at in range(len(node.handlers)):
            handlers = [*node.handlers[:at], *node.handlers[at + 1 :]]
            yield Mutation.STATEMENT, [with_fields(node, handlers=handlers)]
    if node.finalbody:
        body = [with_fields(node, finalbody=[])] if node.handlers else node.body
        yield Mutation.STATEMENT, list(body)


def _with(node: ast.With) -> Iterator[StatementChange]:
    if all(item.optional_vars is None for item in node.items):
        yield Mutation.STATEMENT, node.body


def _definition(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[StatementChange]:
    for at, decorator in enumerate(node.decorator_list):
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
        if name not in _CACHES:
            kept = [*node.decorator_list[:at], *node.decorator_list[at + 1 :]]
            yield Mutation.STATEMENT, [with_fields(node, decorator_list=kept)]


_RULES: Mapping[type[ast.stmt], Callable[[Any], Iterator[StatementChange]]] = {
    ast.AugAssign: _augmented,
    ast.If: _if,
    ast.While: _while,
    ast.Return: _return,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Try: _try,
    ast.With: _with,
    ast.FunctionDef: _definition,
    ast.AsyncFunctionDef: _definition,
    ast.ClassDef: _definition,
}
