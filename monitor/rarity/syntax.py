"""Which syntax constructs a node of a Python program uses, by the names that features give them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

_BY_NODE: Mapping[type[ast.AST], str] = {
    ast.Assert: "assert",
    ast.AsyncFor: "async-for",
    ast.AsyncFunctionDef: "async-def",
    ast.AsyncWith: "async-with",
    ast.AugAssign: "augmented-assignment",
    ast.AnnAssign: "annotated-variable",
    ast.Await: "await",
    ast.Break: "break",
    ast.ClassDef: "class",
    ast.Continue: "continue",
    ast.Delete: "del",
    ast.DictComp: "dict-comprehension",
    ast.For: "for",
    ast.FormattedValue: "f-string",
    ast.GeneratorExp: "generator-expression",
    ast.Global: "global",
    ast.If: "if",
    ast.IfExp: "conditional-expression",
    ast.Lambda: "lambda",
    ast.ListComp: "list-comprehension",
    ast.Match: "match",
    ast.MatchClass: "match-class",
    ast.MatchMapping: "match-mapping",
    ast.MatchOr: "match-or",
    ast.MatchSequence: "match-sequence",
    ast.MatchStar: "match-star",
    ast.NamedExpr: "walrus",
    ast.Nonlocal: "nonlocal",
    ast.Raise: "raise",
    ast.Set: "set-display",
    ast.SetComp: "set-comprehension",
    ast.Slice: "slice",
    ast.Starred: "starred",
    ast.Try: "try",
    ast.TryStar: "except-star",
    ast.While: "while",
    ast.With: "with",
    ast.Yield: "yield",
    ast.YieldFrom: "yield-from",
}

_OPERATORS: Mapping[type[ast.AST], str] = {
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.FloorDiv: "//",
    ast.Invert: "~",
    ast.IsNot: "is-not",
    ast.LShift: "<<",
    ast.MatMult: "@",
    ast.Mod: "%",
    ast.NotIn: "not-in",
    ast.Pow: "**",
    ast.RShift: ">>",
}
"""Operators that not every program has."""


def constructs(node: ast.AST) -> Iterator[str]:
    """Names of the constructs that this node itself uses, such as ``syntax:match``."""
    name = _BY_NODE.get(type(node))
    if name is not None:
        yield f"syntax:{name}"
    operator = _OPERATORS.get(type(node))
    if operator is not None:
        yield f"operator:{operator}"
    for detail in _details(node):
        yield f"syntax:{detail}"
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_special(node.name):
        yield f"def:{node.name}"


def _details(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Try() | ast.TryStar():
            yield from _of_try(node)
        case ast.Assign(targets=targets):
            yield from _of_assignment(targets)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield from _of_definition(node)
        case ast.Constant(value=value):
            yield from _of_constant(value)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            if len(node.generators) > 1:
                yield "nested-comprehension"
        case _:
            yield from _of_variants(node)


def _of_variants(node: ast.AST) -> Iterator[str]:
    """Less usual variants of usual constructs."""
    match node:
        case ast.For(orelse=[_, *_]) | ast.AsyncFor(orelse=[_, *_]) | ast.While(orelse=[_, *_]):
            yield "loop-else"
        case ast.Raise(cause=ast.expr()):
            yield "raise-from"
        case ast.Slice(step=ast.expr()):
            yield "slice-step"
        case ast.Compare(ops=[_, _, *_]):
            yield "chained-comparison"
        case ast.FormattedValue(format_spec=ast.JoinedStr()):
            yield "f-string-format"
        case ast.match_case(guard=ast.expr()):
            yield "match-guard"
        case ast.comprehension(is_async=1):
            yield "async-comprehension"
        case _:
            return


def _of_constant(value: object) -> Iterator[str]:
    if isinstance(value, bytes):
        yield "bytes-literal"
    elif isinstance(value, complex):
        yield "imaginary-literal"
    elif value is Ellipsis:
        yield "ellipsis"


def _of_try(node: ast.Try | ast.TryStar) -> Iterator[str]:
    if node.orelse:
        yield "try-else"
    if node.finalbody:
        yield "try-finally"


def _of_assignment(targets: list[ast.expr]) -> Iterator[str]:
    if len(targets) > 1:
        yield "chained-assignment"
    for target in targets:
        if isinstance(target, ast.Tuple | ast.List):
            yield "unpacking"
            if any(isinstance(element, ast.Starred) for element in target.elts):
                yield "starred-unpacking"


def _of_definition(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[str]:
    if node.decorator_list:
        yield "decorator"
    if isinstance(node, ast.ClassDef):
        if node.keywords:
            yield "class-keywords"
        if any(keyword.arg == "metaclass" for keyword in node.keywords):
            yield "metaclass"
        return
    arguments = node.args
    for used, name in (
        (arguments.posonlyargs, "positional-only"),
        (arguments.kwonlyargs, "keyword-only"),
        (arguments.vararg, "variable-arguments"),
        (arguments.kwarg, "keyword-arguments"),
    ):
        if used:
            yield name


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and len(name) > 4
