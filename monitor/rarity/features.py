"""What a program uses: calls, attributes, imports, syntax constructs and built-in methods.

A feature is a short text:

=====================  ==========================================================================
``itertools.groupby``  a qualified call or attribute, resolved through the imports
``sorted``             a built-in name that the program does not bind itself
``str.join``           a built-in method, by the type of its receiver where that can be told; a
                       name that only one type has is taken to be that type's
``.pop``               a built-in method that several types have, on a receiver of unknown type
``re.Match.group``     a method of an instance whose class or constructor is known
``import:heapq``       an absolute import
``syntax:match``       a syntax construct; ``operator:<<`` one of the less common operators
``def:__set_name__``   a special method that is defined; ``attribute:__dict__`` one that is used
``language:ruby``      the only feature of a program in another language
=====================  ==========================================================================
"""

from __future__ import annotations

import ast
import warnings
from collections import Counter

from monitor.rarity.builtin_types import credited, method_of
from monitor.rarity.scopes import (
    Comprehension,
    FunctionNode,
    Scope,
    collect,
    comprehension_scope,
    function_scope,
    infer,
)
from monitor.rarity.syntax import constructs

PYTHON = "python"
MAX_CHARS = 2_000_000
"""Longer texts are data, and are not parsed."""


def features_of(source: str, language: str = PYTHON) -> Counter[str]:
    r"""The features of a program and how often each occurs; empty when it cannot be parsed.

    Only the parser sees the text: nothing is compiled or run.

    >>> sorted(features_of("import heapq\nprint(heapq.merge([1], [2]))"))
    ['heapq.merge', 'import:heapq', 'print']
    >>> features_of("puts 1", "ruby")
    Counter({'language:ruby': 1})
    """
    if language != PYTHON:
        return Counter({language_feature(language): 1})
    tree = parsed(source)
    if tree is None:
        return Counter()
    reader = _Reader(tree)
    try:
        reader.visit(tree)
    except RecursionError:
        return Counter()
    return reader.found


def language_feature(language: str) -> str:
    """The feature that a program in another language has."""
    return f"language:{language}"


def parsed(source: str) -> ast.Module | None:
    """The syntax tree of Python source; None for text that is too long, too deep or not Python."""
    if len(source) > MAX_CHARS:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return None


class _Reader(ast.NodeVisitor):
    """Walks a module and notes features, scope by scope."""

    def __init__(self, tree: ast.Module) -> None:
        self.found: Counter[str] = Counter()
        self._scope = Scope(parent=None)
        collect(tree.body, self._scope)
        self._defined = {
            node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }

    def generic_visit(self, node: ast.AST) -> None:
        self.found.update(constructs(node))
        super().generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.found.update(f"import:{alias.name}" for alias in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if not node.level:
            self.found[f"import:{node.module}"] += 1

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            known = self._scope.lookup(node.id)
            if known is not None and not known.is_instance:
                self.found[known.path] += 1

    def visit_Attribute(self, node: ast.Attribute) -> None:
        owner = infer(node.value, self._scope)
        if owner is not None and not owner.is_instance:
            # The longest chain is the feature; its shorter parts say nothing more.
            self.found[f"{owner.path}.{node.attr}"] += 1
            if not isinstance(node.value, ast.Name | ast.Attribute):
                self.visit(node.value)
            return
        if owner is None:
            self._note_unknown(node)
        elif method_of(owner.path, node.attr) or "." in owner.path or owner.path.endswith("()"):
            self.found[f"{owner.path}.{node.attr}"] += 1
        elif owner.path == "file":
            self.found[f"file.{node.attr}"] += 1
        self.visit(node.value)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.found.update(constructs(node))
        for outside in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.visit(outside)
        scope = Scope(parent=self._scope, is_class=True)
        collect(node.body, scope)
        self._visit_inside(scope, node.body)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_function(node)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._visit_comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._visit_comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._visit_comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._visit_comprehension(node)

    def _visit_function(self, node: FunctionNode) -> None:
        self.found.update(constructs(node))
        self.visit(node.args)
        if isinstance(node, ast.Lambda):
            body: list[ast.AST] = [node.body]
        else:
            body = list(node.body)
            for outside in (*node.decorator_list, *filter(None, [node.returns])):
                self.visit(outside)
        self._visit_inside(function_scope(node, self._scope), body)

    def _visit_comprehension(self, node: Comprehension) -> None:
        self.found.update(constructs(node))
        self._visit_inside(comprehension_scope(node, self._scope), list(ast.iter_child_nodes(node)))

    def _visit_inside(self, scope: Scope, body: list[ast.AST] | list[ast.stmt]) -> None:
        self._scope = scope
        for child in body:
            self.visit(child)
        assert scope.parent is not None
        self._scope = scope.parent

    def _note_unknown(self, node: ast.Attribute) -> None:
        if node.attr.startswith("__") and node.attr.endswith("__"):
            self.found[f"attribute:{node.attr}"] += 1
            return
        is_own = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
        feature = credited(node.attr)
        if feature is not None and not (is_own and node.attr in self._defined):
            self.found[feature] += 1
