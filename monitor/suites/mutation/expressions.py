"""Small mistakes in Python expressions."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, TypeVar

from monitor.suites.mutation.mutant import Mutation

Node = TypeVar("Node", bound=ast.AST)
Change = tuple[Mutation, ast.AST]
"""The kind of mistake, and what takes the node's place."""

_COMPARISONS: Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
OPERATORS: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
_PAIRS = (
    ("min", "max"),
    ("any", "all"),
    ("floor", "ceil"),
    ("startswith", "endswith"),
    ("lstrip", "rstrip"),
    ("find", "rfind"),
    ("partition", "rpartition"),
    ("ljust", "rjust"),
    ("lower", "upper"),
    ("bisect_left", "bisect_right"),
    ("append", "appendleft"),
    ("pop", "popleft"),
    ("nlargest", "nsmallest"),
    ("keys", "values"),
    ("match", "search"),
    ("union", "intersection"),
)
_TWINS = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
_NOT_SWAPPED = frozenset({"isinstance", "issubclass", "min", "max", "gcd", "lcm"})
"""Calls whose arguments mean the same in any order, or are a type error in another."""


def with_fields(node: Node, **fields: Any) -> Node:
    """A copy of a node with other values in some fields."""
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def expression_changes(node: ast.AST) -> Iterator[Change]:
    """What could have been written in place of an expression by mistake."""
    rule = _RULES.get(type(node))
    if rule is not None:
        yield from rule(node)


def negated(test: ast.expr) -> ast.expr | None:
    """The opposite of a condition; None for one whose own changes are as good as that."""
    simple = isinstance(test, ast.Compare) and len(test.ops) == 1
    if simple or (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
        return None
    return ast.UnaryOp(op=ast.Not(), operand=test)


def is_text_or_list(node: ast.expr) -> bool:
    """Whether arithmetic on it could only be joining or repeating."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (str, bytes))
    return isinstance(node, (ast.JoinedStr, ast.List, ast.Tuple))


def _comparison(node: ast.Compare) -> Iterator[Change]:
    for at, operator in enumerate(node.ops):
        for other in _COMPARISONS[type(operator)]:
            ops = [*node.ops[:at], other(), *node.ops[at + 1 :]]
            yield Mutation.COMPARISON, with_fields(node, ops=ops)


def _arithmetic(node: ast.BinOp) -> Iterator[Change]:
    if is_text_or_list(node.left) or is_text_or_list(node.right):
        # Another operator would be a type error, which any test finds.
        if isinstance(node.op, ast.Add):
            yield Mutation.ARITHMETIC, node.left
            yield Mutation.ARITHMETIC, node.right
    elif type(node.op) in OPERATORS:
        yield Mutation.ARITHMETIC, with_fields(node, op=OPERATORS[type(node.op)]())


def _sign(node: ast.UnaryOp) -> Iterator[Change]:
    if not isinstance(node.op, ast.UAdd):
        yield (Mutation.CONDITION if isinstance(node.op, ast.Not) else Mutation.ARITHMETIC), node.operand


def _logic(node: ast.BoolOp) -> Iterator[Change]:
    yield Mutation.LOGIC, with_fields(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())


def _choice(node: ast.IfExp) -> Iterator[Change]:
    opposite = negated(node.test)
    if opposite is not None:
        yield Mutation.CONDITION, with_fields(node, test=opposite)


def _comprehension(node: ast.comprehension) -> Iterator[Change]:
    for at, test in enumerate(node.ifs):
        before, behind = node.ifs[:at], node.ifs[at + 1 :]
        yield Mutation.CONDITION, with_fields(node, ifs=[*before, *behind])
        opposite = negated(test)
        if opposite is not None:
            yield Mutation.CONDITION, with_fields(node, ifs=[*before, opposite, *behind])


def _constant(node: ast.Constant) -> Iterator[Change]:
    value = node.value
    others: tuple[object, ...] = ()
    if isinstance(value, bool):
        others = (not value,)
    elif isinstance(value, (int, float)):
        others = (value + 1, value - 1)
    elif isinstance(value, str):
        others = ("" if value else "x",)
    elif isinstance(value, bytes):
        others = (b"" if value else b"x",)
    for other in others:
        yield Mutation.CONSTANT, _literal(other)


def _literal(value: object) -> ast.expr:
    """A constant as the parser would give it, which has no negative numbers."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value < 0:
        return ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=-value))
    return ast.Constant(value=value)  # type: ignore[arg-type]  # callers give literals only


def _call(node: ast.Call) -> Iterator[Change]:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if name in _TWINS:
        field = "id" if isinstance(node.func, ast.Name) else "attr"
        yield Mutation.NAME, with_fields(node, func=with_fields(node.func, **{field: _TWINS[name]}))
    if name not in _NOT_SWAPPED:
        yield from _swapped(node)
    for at, keyword in enumerate(node.keywords):
        if keyword.arg is not None and not isinstance(keyword.value, ast.Constant):
            keywords = [*node.keywords[:at], *node.keywords[at + 1 :]]
            yield Mutation.ARGUMENTS, with_fields(node, keywords=keywords)
    if name == "range":
        yield from _shifted_range(node)


def _swapped(node: ast.Call) -> Iterator[Change]:
    for at, (one, other) in enumerate(pairwise(node.args)):
        if not isinstance(one, ast.Starred) and not isinstance(other, ast.Starred):
            args = [*node.args[:at], other, one, *node.args[at + 2 :]]
            yield Mutation.ARGUMENTS, with_fields(node, args=args)


def _shifted_range(node: ast.Call) -> Iterator[Change]:
    for at, bound in enumerate(node.args[:2]):
        for shifted in _one_off(bound):
            args = [*node.args[:at], shifted, *node.args[at + 1 :]]
            yield Mutation.BOUNDARY, with_fields(node, args=args)


def _slice(node: ast.Slice) -> Iterator[Change]:
    for field in ("lower", "upper", "step"):
        bound = getattr(node, field)
        if bound is None:
            continue
        yield Mutation.BOUNDARY, with_fields(node, **{field: None})
        if field != "step":
            for shifted in _one_off(bound):
                yield Mutation.BOUNDARY, with_fields(node, **{field: shifted})


def _one_off(bound: ast.expr) -> Iterator[ast.expr]:
    """A bound plus and minus one; constants have their own changes."""
    core = bound.operand if isinstance(bound, ast.UnaryOp) else bound
    if not isinstance(core, (ast.Constant, ast.Starred)):
        for operator in (ast.Add(), ast.Sub()):
            yield ast.BinOp(left=bound, op=operator, right=ast.Constant(value=1))


def _yield(node: ast.Yield) -> Iterator[Change]:
    if node.value is not None and not isinstance(node.value, ast.Constant):
        yield Mutation.RESULT, with_fields(node, value=None)


_RULES: Mapping[type[ast.AST], Callable[[Any], Iterator[Change]]] = {
    ast.Compare: _comparison,
    ast.BinOp: _arithmetic,
    ast.UnaryOp: _sign,
    ast.BoolOp: _logic,
    ast.IfExp: _choice,
    ast.comprehension: _comprehension,
    ast.Constant: _constant,
    ast.Call: _call,
    ast.Slice: _slice,
    ast.Yield: _yield,
}
