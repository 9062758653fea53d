"""Code that people wrote, common and rare, for asking a model how well it still expects it.

A file of snippets is JSON lines with the fields project, path, rarity, stratum and text. It is cut from a
folder with one subfolder per project; without one, a suite's own reference solutions serve.
"""

from __future__ import annotations

import ast
import json
import textwrap
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from monitor.atomic_files import write_file
from monitor.domain.encodings import wide_encoding
from monitor.domain.errors import InvalidCorpus
from monitor.domain.identity import content_digest
from monitor.domain.tasks import Stratum, Suite
from monitor.weights.files import read_whole

MAX_FILE_BYTES = 256 * 2**20

COMMON_UP_TO = 0.5
"""Functions up to this quantile of rarity are the common ones (``head``)."""
RARE_FROM = 0.8
"""Functions from this quantile on are the rare ones (``tail``)."""

_TEST_FOLDERS = frozenset({"test", "tests", "testing"})
_FIELDS = ("project", "path", "rarity", "stratum", "text")

Rarity = Callable[[str], float | None]
"""How rare the features of some source are; None where it uses none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A piece of code whose likelihood is asked for."""

    project: str
    """Whose it is: snippets of one project depend on each other."""
    path: str
    """File in the project and name of the function; a task's id for a reference solution."""
    rarity: float
    """By the rarity table, or by the suite's own measure; larger is rarer."""
    stratum: Stratum
    """``head`` for common code, ``tail`` for rare; a task's own for a reference solution."""
    text: str
    context: str = ""
    """What stands before it: given to the model, not counted."""

    @property
    def digest(self) -> str:
        """sha256 over what the model is given, hexadecimal."""
        return content_digest(self.context, self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How a corpus is cut into snippets."""

    shortest: int = 120
    """Characters; shorter functions say little."""
    longest: int = 1500
    """Characters; what fits the model's context several times."""
    per_project: int = 12
    """Most functions of one project and stratum, so that no project speaks for all."""
    seed: int = 1
    """Decides which functions of a project are taken."""


def suite_snippets(suite: Suite) -> tuple[Snippet, ...]:
    """The reference solutions of a suite, each after its task's prompt, clustered by topic.

    They say less than foreign code: whoever wrote the suite wrote them all.
    """
    return tuple(
        Snippet(
            project=task.topic or task.task_id,
            path=task.task_id,
            rarity=task.rarity,
            stratum=task.stratum,
            text=task.canonical_solution,
            context=task.prompt,
        )
        for task in suite
        if task.canonical_solution
    )


def cut_snippets(corpus: Path, rarity: Rarity, cut: Cut) -> tuple[Snippet, ...]:
    """Common and rare functions of every project in a folder, as many of each project as there are.

    Args:
        corpus: ``<project>/**/*.py``; tests are passed over.
        rarity: scores a function's source, with the imports it needs before it.
        cut: lengths, numbers, seed.

    Returns:
        Sorted by project, stratum and path; of equal functions the first.

    Raises:
        InvalidCorpus: the folder holds no functions of such lengths, or no project both kinds of them.
    """
    found = list(_distinct(_scored(corpus, rarity, cut)))
    if not found:
        raise InvalidCorpus(
            f"{corpus} holds no Python functions of {cut.shortest} to {cut.longest} characters.",
            next_step="Name a folder with one subfolder of source files per project.",
        )
    ranked = sorted(snippet.rarity for snippet in found)
    common, rare = (ranked[int(share * (len(ranked) - 1))] for share in (COMMON_UP_TO, RARE_FROM))
    heads = [s for s in found if s.rarity <= common]
    # With few distinct scores both cuts may coincide: what is as common as half of all is not rare.
    tails = [replace(s, stratum=Stratum.TAIL) for s in found if s.rarity >= rare and s.rarity > common]
    balanced = _balanced([*heads, *tails], cut)
    if not balanced:
        raise InvalidCorpus(
            f"No project in {corpus} holds both common and rare functions.",
            next_step="Name a folder with more code of each project.",
        )
    return balanced


def digest_of(snippets: Iterable[Snippet]) -> str:
    """sha256 over a set of snippets, hexadecimal; their order does not matter."""
    return content_digest(*sorted(snippet.digest for snippet in snippets))


def write_snippets(path: Path, snippets: Sequence[Snippet]) -> None:
    """Write JSON lines.

    Raises:
        InvalidCorpus: the file cannot be written.
    """
    rows = (
        {name: value for name, value in asdict(snippet).items() if name in _FIELDS} for snippet in snippets
    )
    text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    try:
        write_file(path, text)
    except OSError as exc:
        raise InvalidCorpus(
            f"{path} cannot be written ({exc.strerror}).", next_step="Name another file with --out."
        ) from exc


def read_snippets(path: Path) -> tuple[Snippet, ...]:
    """The snippets of a file.

    Raises:
        InvalidCorpus: it cannot be read, is empty, or a line is not a snippet; the message names it.
    """
    try:
        content = read_whole(path, most_bytes=MAX_FILE_BYTES)
    except OSError as exc:
        raise InvalidCorpus(
            f"The snippets in {path} cannot be read ({exc}).",
            next_step="Make them with `tailwatch snippets`, or leave the setting out.",
        ) from exc
    try:
        lines = content.decode().split("\n")
    except UnicodeError as exc:
        raise InvalidCorpus(
            f"The snippets in {path} are {wide_encoding(content) or 'no UTF-8'} text.",
            next_step="Save it as UTF-8.",
        ) from exc
    found = tuple(_parsed(line, path, number) for number, line in enumerate(lines, start=1) if line.strip())
    if not found:
        raise InvalidCorpus(
            f"{path} holds no snippets.",
            next_step="Make some with `tailwatch snippets`, or leave the setting out.",
        )
    return found


def _parsed(line: str, path: Path, number: int) -> Snippet:
    try:
        fields: dict[str, Any] = json.loads(line)
        return Snippet(
            project=str(fields["project"]),
            path=str(fields["path"]),
            rarity=float(fields["rarity"]),
            stratum=Stratum(fields["stratum"]),
            text=str(fields["text"]),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise InvalidCorpus(
            f"{path}, line {number}: not a snippet ({type(exc).__name__}: {exc}).",
            next_step=f"Each line is a JSON object with {', '.join(_FIELDS)}.",
        ) from exc


def _scored(corpus: Path, rarity: Rarity, cut: Cut) -> Iterator[Snippet]:
    for project in sorted(folder for folder in corpus.iterdir() if folder.is_dir()):
        for file in sorted(path for path in project.rglob("*.py") if path.is_file()):
            inside = file.relative_to(project)
            if _TEST_FOLDERS & set(inside.parts) or inside.name.startswith("test_"):
                continue
            for function in _functions(file, cut):
                score = rarity(function.imports + function.text)
                if score is not None:
                    yield Snippet(
                        project=project.name,
                        path=f"{inside.as_posix()}:{function.name}",
                        rarity=score,
                        stratum=Stratum.HEAD,
                        text=function.text,
                    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Function:
    """A function as it stands in a file."""

    name: str
    text: str
    imports: str
    """Statements for the modules it names, without which its calls mean nothing."""


def _functions(file: Path, cut: Cut) -> Iterator[_Function]:
    """A file's functions and methods of fitting length; none if it does not parse."""
    try:
        source = file.read_text(encoding="utf-8")
        tree = _tree(source)
    except (OSError, ValueError, SyntaxError, RecursionError):
        return
    # Not splitlines(), which also ends a line where the parser does not, as at a form feed.
    lines = source.split("\n")
    for node in _definitions(tree.body):
        first = min((each.lineno for each in node.decorator_list), default=node.lineno)
        text = textwrap.dedent("\n".join(lines[first - 1 : node.end_lineno])).rstrip() + "\n"
        if cut.shortest <= len(text) <= cut.longest:
            yield _Function(name=node.name, text=text, imports=_imports(tree.body, node))


def _tree(source: str) -> ast.Module:
    with warnings.catch_warnings():
        # What others wrote may well hold an escape that Python frowns upon.
        warnings.simplefilter("ignore")
        return ast.parse(source)


def _definitions(body: Sequence[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions and methods; one inside another is part of it."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _definitions(node.body)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _imports(body: Sequence[ast.stmt], function: ast.AST) -> str:
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    found = []
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [each for each in node.names if (each.asname or each.name).split(".")[0] in used]
            if names:
                kept = copy(node)
                kept.names = names
                found.append(ast.unparse(kept) + "\n")
    return "".join(found)


def _distinct(snippets: Iterable[Snippet]) -> Iterator[Snippet]:
    """Those whose code, layout and comments aside, has not been seen before."""
    seen: set[str] = set()
    for snippet in snippets:
        try:
            code = ast.dump(_tree(snippet.text))
        except SyntaxError:  # a method whose dedented text is torn by a string at the margin
            continue
        if code not in seen:
            seen.add(code)
            yield snippet


def _balanced(snippets: Sequence[Snippet], cut: Cut) -> tuple[Snippet, ...]:
    """Of each project and stratum the same number at most, taken in an order that only the seed decides.

    The rarer side sets the number where projects have little of it, so both are carried by the same ones.
    """
    groups: dict[tuple[str, Stratum], list[Snippet]] = defaultdict(list)
    for snippet in snippets:
        groups[snippet.project, snippet.stratum].append(snippet)
    chosen: list[Snippet] = []
    for project in sorted({project for project, _ in groups}):
        sides = [groups[project, stratum] for stratum in (Stratum.HEAD, Stratum.TAIL)]
        fewest = min(cut.per_project, *map(len, sides))
        for side in sides:
            shuffled = sorted(side, key=lambda each: content_digest(str(cut.seed), each.digest))
            chosen += sorted(shuffled[:fewest], key=lambda each: each.path)
    return tuple(chosen)
