"""What is left of a Python program when layout, comments and the choice of names are taken away."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator

_BUILTINS = frozenset(dir(builtins))

_SILENT = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
"""Fields of syntax trees that follow from others, or change nothing."""

_NAMING = frozenset({"id", "name", "rest", "names"})
"""Fields that hold names which a program has chosen itself."""


class Labels:
    """Labels of one program's nodes: with their depths, the program can be told from them.

    Names become numbers in order of appearance. Those that stand for themselves do not: built-in ones,
    members of classes, and parameters that are named in calls.

    Args:
        module: the whole program.
    """

    def __init__(self, module: ast.Module) -> None:
        self._fixed = _BUILTINS | _exposed(module)
        self._numbers: dict[str, int] = {}

    def of(self, node: ast.AST, place: str) -> str:
        """Kind, place in the parent, and everything that a node holds beside its children."""
        if isinstance(node, ast.alias):
            return f"{place} alias {self._alias(node)}"
        details = [
            f" {field}={detail}"
            for field, value in ast.iter_fields(node)
            if field not in _SILENT and (detail := self._detail(node, field, value))
        ]
        return f"{place} {type(node).__name__}{''.join(details)}"

    def _detail(self, node: ast.AST, field: str, value: object) -> str:
        if value is None or isinstance(value, ast.AST):
            return ""
        if isinstance(value, list):
            items = (self._item(node, field, place, item) for place, item in enumerate(value))
            return ",".join(item for item in items if item)
        if isinstance(value, str) and (field in _NAMING or isinstance(node, ast.arg)):
            return self._name(value)
        # Python refuses to write out the decimal digits of a very long number.
        return hex(value) if type(value) is int else repr(value)

    def _item(self, node: ast.AST, field: str, place: int, item: object) -> str:
        # A gap has a meaning, as the missing key of {**this}.
        return f"gap {place}" if item is None else self._detail(node, field, item)

    def _alias(self, node: ast.alias) -> str:
        first, _, rest = node.name.partition(".")
        # With a name of its own `import a.b` binds the module, without one the package above it.
        marked = " as" if rest and node.asname else ""
        return f"{node.name}{marked} {self._name(node.asname or first)}"

    def _name(self, name: str) -> str:
        return name if name in self._fixed else f"#{self._numbers.setdefault(name, len(self._numbers))}"


def children(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Child nodes with their fields, without strings that stand alone and without load and store marks."""
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else (value,):
            if isinstance(child, ast.AST) and not (
                isinstance(child, ast.expr_context) or _stands_alone(child)
            ):
                yield field, child


def _stands_alone(node: ast.AST) -> bool:
    """Whether it is a docstring, or a string that nobody uses."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _exposed(module: ast.Module) -> frozenset[str]:
    """Names by which a program refers to something from elsewhere than a variable's scope."""
    members: set[str] = set()
    keywords: set[str] = set()
    parameters: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef):
            members.update(_members(node.body))
        elif isinstance(node, ast.keyword) and node.arg:
            keywords.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parameters.update(each.arg for each in (*node.args.args, *node.args.kwonlyargs))
    return frozenset(members | keywords & parameters)


def _members(body: Iterable[ast.stmt]) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from (
                node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)
            )
