"""Counting a corpus: documents in, a rarity table out."""

from __future__ import annotations

import ast
import statistics
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from monitor.domain.errors import InvalidCorpus
from monitor.rarity.builtin_types import BUILTIN_NAMES, TYPES
from monitor.rarity.features import PYTHON, features_of, parsed
from monitor.rarity.score import weigh
from monitor.rarity.table import RarityTable

_ROOTS = sys.stdlib_module_names | BUILTIN_NAMES | TYPES.keys() | {"file", ""}
"""What features of Python's own begin with; those of unknown receivers begin with a dot."""

FUNCTION_LINES = range(5, 61)
"""Lengths of the functions that stand for what a task asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file or request of a corpus."""

    language: str
    project: str
    """What it belongs to: a package, a repository."""
    features: frozenset[str] = frozenset()
    """Of the whole text; for other languages than Python the language itself."""
    function: frozenset[str] | None = None
    """Of one function in it, None when it has no fitting one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """Which features are worth a line of the table."""

    documents: int = 1
    """At least so many documents have it."""
    projects: int = 1
    """At least so many projects have it, unless it belongs to Python itself."""


def document_of(text: str, language: str, project: str) -> Document | None:
    """What is counted of a text; None for Python that cannot be parsed or has no features."""
    features = frozenset(features_of(text, language))
    if not features:
        return None
    snippet = middle_function(text) if language == PYTHON else None
    function = None if snippet is None else frozenset(features_of(snippet))
    return Document(language=language, project=project, features=features, function=function)


class Tally:
    """Counts documents one by one."""

    def __init__(self) -> None:
        self._documents: Counter[str] = Counter()
        self._features: Counter[str] = Counter()
        self._projects: dict[str, set[str]] = {}
        self._functions: list[frozenset[str]] = []

    def add(self, document: Document) -> None:
        """Count one document."""
        self._documents[document.language] += 1
        self._features.update(document.features)
        for feature in document.features:
            self._projects.setdefault(feature, set()).add(document.project)
        if document.function is not None:
            self._functions.append(document.function)

    def languages(self) -> Mapping[str, float]:
        """Share of each language in the documents so far."""
        total = self._documents.total()
        return {language: count / total for language, count in sorted(self._documents.items())}

    def table(
        self,
        name: str,
        *,
        threshold: Threshold,
        shares: Mapping[str, float] | None = None,
        provenance: Mapping[str, Any] | None = None,
    ) -> RarityTable:
        """The table of everything counted.

        Args:
            name: name of the corpus.
            threshold: which features it keeps.
            shares: shares of languages, when they come from elsewhere than these documents.
            provenance: what was counted, for the reader.

        Raises:
            InvalidCorpus: nothing was counted.
        """
        total = self._documents.total()
        if not total:
            raise InvalidCorpus(
                f"{name} holds no programs that could be counted.",
                next_step="Point to a folder with source files, or to requests that contain code.",
            )
        kept = {
            feature: count for feature, count in self._features.items() if self._is_kept(feature, threshold)
        }
        counted = RarityTable(
            name=name,
            documents=self._documents[PYTHON],
            counts=kept,
            language_shares=self.languages() if shares is None else shares,
            unlisted_share=0.5 / (total + 1) if shares is None else min(shares.values()),
            ordinary_bits=0.0,
            provenance=provenance or {},
        )
        return replace(counted, ordinary_bits=round(self._ordinary_bits(counted), 3))

    def _is_kept(self, feature: str, threshold: Threshold) -> bool:
        if self._features[feature] < threshold.documents:
            return False
        return len(self._projects[feature]) >= threshold.projects or is_pythons_own(feature)

    def _ordinary_bits(self, table: RarityTable) -> float:
        scores = [sum(each.bits * each.weight for each in weigh(found, table)) for found in self._functions]
        return statistics.median(scores) if scores else 0.0


def is_pythons_own(feature: str) -> bool:
    """Whether a feature is of the language or its standard library, not of some project.

    >>> is_pythons_own("os.path.join"), is_pythons_own("import:heapq"), is_pythons_own("django.db.models")
    (True, True, False)
    """
    kind, colon, rest = feature.partition(":")
    if colon and kind != "import":
        return True
    return (rest or feature).partition(".")[0] in _ROOTS


def middle_function(source: str) -> str | None:
    """The middle one of a module's functions of usual length, with the imports it may need.

    It stands for the module where something as short as a task's solution is wanted.
    """
    tree = parsed(source)
    if tree is None:
        return None
    functions = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _lines(node) in FUNCTION_LINES
    ]
    if not functions:
        return None
    chosen = functions[len(functions) // 2]
    names = {node.id for node in ast.walk(chosen) if isinstance(node, ast.Name)}
    module = ast.Module(body=[*_imports(tree, names), chosen], type_ignores=[])
    try:
        return ast.unparse(module)
    except RecursionError:
        return None


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _imports(tree: ast.Module, names: set[str]) -> list[ast.stmt]:
    return [
        node
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        and any((alias.asname or alias.name.partition(".")[0]) in names for alias in node.names)
    ]
