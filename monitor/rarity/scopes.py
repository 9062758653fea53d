"""What names stand for in a Python program, as far as it can be told without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from monitor.rarity.builtin_types import BUILTIN_NAMES, LOWERCASE_CLASSES, RESULTS, TYPES, result_of

MAX_INFERENCE_DEPTH = 12
"""Chains of names and calls that are followed this far; what lies beyond stays unknown."""

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What an expression is."""

    path: str
    """Qualified name, such as ``os.path.join``, ``sorted`` or ``str``."""
    is_instance: bool
    """It is a value of the type or call that ``path`` names, not that object itself."""


@dataclass(slots=True)
class Scope:
    """The names that a module, class, function or comprehension binds."""

    parent: Scope | None
    is_class: bool = False
    """Its names cannot be seen from functions inside it."""
    imported: dict[str, str] = field(default_factory=dict)
    """Qualified names of what was imported, by the name it got here."""
    values: dict[str, list[ast.expr | None]] = field(default_factory=dict)
    """What is assigned to a name; None where that is more than an expression."""
    types: dict[str, ast.expr] = field(default_factory=dict)
    """Annotations of arguments and variables."""
    _told: dict[str, Known | None] = field(default_factory=dict)
    """What names turned out to be: asked again and again, chains of names would take forever."""

    def bind(self, name: str, value: ast.expr | None = None) -> None:
        """Note one binding of a name."""
        self.values.setdefault(name, []).append(value)

    def lookup(self, name: str, depth: int = 0) -> Known | None:
        """What a name stands for; None when that cannot be told."""
        scope: Scope | None = self
        while scope is not None:
            if scope is self or not scope.is_class:
                if name in scope.imported:
                    return Known(path=scope.imported[name], is_instance=False)
                if name in scope.values or name in scope.types:
                    return scope.bound(name, depth)
            scope = scope.parent
        return Known(path=name, is_instance=False) if name in BUILTIN_NAMES else None

    def bound(self, name: str, depth: int = 0) -> Known | None:
        """What a name that is bound in this very scope stands for; None also when that is a circle."""
        if name not in self._told:
            self._told[name] = None
            self._told[name] = self._find(name, depth)
        return self._told[name]

    def _find(self, name: str, depth: int) -> Known | None:
        if name in self.types:
            return annotated(self.types[name], self, depth + 1)
        first, *others = self.values[name]
        known = None if first is None else infer(first, self, depth + 1)
        for value in others if known is not None else ():
            if value is None or infer(value, self, depth + 1) != known:
                return None
        return known


def infer(node: ast.expr, scope: Scope, depth: int = 0) -> Known | None:
    """What an expression is; None when that cannot be told."""
    known: Known | None = None
    if depth > MAX_INFERENCE_DEPTH:
        return known
    match node:
        case ast.Name(id=name):
            known = scope.lookup(name, depth)
        case ast.Attribute(value=value, attr=attribute):
            owner = infer(value, scope, depth + 1)
            if owner is not None and not owner.is_instance:
                known = Known(path=f"{owner.path}.{attribute}", is_instance=False)
        case ast.Call(func=function):
            known = _result(function, scope, depth + 1)
        case ast.NamedExpr(value=value):
            known = infer(value, scope, depth + 1)
        case (
            ast.Subscript(value=operand, slice=ast.Slice())
            | ast.BinOp(left=operand, op=ast.Add() | ast.Mod() | ast.Mult())
        ):
            known = _only_builtin(infer(operand, scope, depth + 1))
        case _:
            known = _literal(node)
    return known


def annotated(node: ast.expr, scope: Scope, depth: int = 0) -> Known | None:
    """A value of the type that an annotation names: ``str``, ``list[int]``, ``decimal.Decimal``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            node = ast.parse(node.value, mode="eval").body
        except (SyntaxError, ValueError):
            return None
    if isinstance(node, ast.Subscript):
        node = node.value
    found = infer(node, scope, depth + 1)
    if found is None or found.is_instance or not _is_class(found.path):
        return None
    return Known(path=found.path, is_instance=True)


def function_scope(node: FunctionNode, parent: Scope) -> Scope:
    """The scope of a function's body."""
    scope = Scope(parent=parent)
    arguments = node.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        scope.bind(argument.arg)
        if argument.annotation is not None:
            scope.types[argument.arg] = argument.annotation
    if arguments.vararg is not None:
        scope.bind(arguments.vararg.arg, ast.Tuple([], ast.Load()))
    if arguments.kwarg is not None:
        scope.bind(arguments.kwarg.arg, ast.Dict([], []))
    if not isinstance(node, ast.Lambda):
        collect(node.body, scope)
    return scope


def comprehension_scope(node: Comprehension, parent: Scope) -> Scope:
    """The scope of a comprehension's own variables."""
    scope = Scope(parent=parent)
    for generator in node.generators:
        _bind_target(generator.target, scope, None)
    return scope


def collect(statements: Iterable[ast.stmt], scope: Scope) -> None:
    """Note everything that some statements bind in their own scope."""
    for statement in statements:
        for node in _own_nodes(statement):
            _note(node, scope)


def _own_nodes(root: ast.AST) -> Iterator[ast.AST]:
    """The nodes below, without the insides of functions, classes and comprehensions."""
    pending: list[ast.AST] = [root]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        pending.extend(ast.iter_child_nodes(node))


def _note(node: ast.AST, scope: Scope) -> None:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            scope.bind(name)
        case ast.Import() | ast.ImportFrom():
            _note_import(node, scope)
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _bind_target(target, scope, value)
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
            scope.types[name] = annotation
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            scope.bind(name, value)
        case ast.withitem(context_expr=context, optional_vars=ast.expr() as target):
            _bind_target(target, scope, context)
        case _:
            _note_unknown(node, scope)


def _note_unknown(node: ast.AST, scope: Scope) -> None:
    """Bindings whose values are no expressions of the program."""
    match node:
        case ast.For(target=target) | ast.AsyncFor(target=target):
            _bind_target(target, scope, None)
        case ast.ExceptHandler(name=str() as name) | ast.MatchAs(name=str() as name):
            scope.bind(name)
        case ast.MatchStar(name=str() as name) | ast.MatchMapping(rest=str() as name):
            scope.bind(name)
        case _:
            return


def _note_import(node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
    for alias in node.names:
        if isinstance(node, ast.Import):
            name = alias.asname or alias.name.partition(".")[0]
            scope.imported[name] = alias.name if alias.asname else name
        elif node.level or alias.name == "*":
            scope.bind(alias.asname or alias.name)
        else:
            scope.imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"


def _bind_target(target: ast.expr, scope: Scope, value: ast.expr | None) -> None:
    if isinstance(target, ast.Name):
        scope.bind(target.id, value)
    elif isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            _bind_target(element, scope, None)
    elif isinstance(target, ast.Starred):
        _bind_target(target.value, scope, None)


def _result(function: ast.expr, scope: Scope, depth: int) -> Known | None:
    if isinstance(function, ast.Attribute):
        owner = infer(function.value, scope, depth)
        if owner is not None and owner.is_instance:
            result = result_of(owner.path, function.attr)
            return Known(path=result, is_instance=True) if result else None
    called = infer(function, scope, depth)
    if called is None or called.is_instance:
        return None
    owner_path, _, method = called.path.rpartition(".")
    result = RESULTS.get(called.path) or result_of(owner_path, method)
    if result is None:
        result = called.path if _is_class(called.path) else f"{called.path}()"
    return Known(path=result, is_instance=True)


def _is_class(path: str) -> bool:
    last = path.rpartition(".")[2]
    return path in TYPES or path in LOWERCASE_CLASSES or last[:1].isupper()


def _only_builtin(known: Known | None) -> Known | None:
    return known if known is not None and known.is_instance and known.path in TYPES else None


def _literal(node: ast.expr) -> Known | None:
    match node:
        case ast.Constant(value=bool() | None):
            return None
        case ast.Constant(value=value):
            name = type(value).__name__
        case ast.JoinedStr():
            name = "str"
        case ast.List() | ast.ListComp():
            name = "list"
        case ast.Dict() | ast.DictComp():
            name = "dict"
        case ast.Set() | ast.SetComp():
            name = "set"
        case ast.Tuple():
            name = "tuple"
        case ast.GeneratorExp():
            name = "generator"
        case _:
            return None
    return Known(path=name, is_instance=True) if name in TYPES else None
