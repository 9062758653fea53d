"""What can be told of Python code by looking at it: nothing is compiled or run in this process."""

from __future__ import annotations

import ast
import builtins
import re
import symtable
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

MAX_PARSED_CHARS = 64 * 2**10
MAX_PARSED_DEPTH = 40
"""Text beyond these is never given to the parser of this process: it was written by a stranger."""

MAX_PROSE_LINES = 30
"""Lines at the margin that are tried as the end of unfenced code."""

NOT_COMPILED = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What the compiler raises for text that is no program: NUL characters and deep nesting included."""

BUILTIN_NAMES = frozenset(dir(builtins))
_FUTURE_IMPORT = re.compile(r"^from __future__ import .*\n", re.MULTILINE)

_ENDING_CALLS = frozenset({("unittest", "main"), ("sys", "exit"), ("pytest", "main")})
_ENDING_WORDS = re.compile(r"\b(?:input|stdin|exit|quit|main)\b")
"""None of what would end a program can be written without one of them."""

T = TypeVar("T")


def parsed(source: str) -> ast.Module | None:
    """The tree of a text of Python's grammar; None for another one, or one too long or deep to try."""
    if len(source) > MAX_PARSED_CHARS or _bracket_depth(source) > MAX_PARSED_DEPTH:
        return None
    return _quietly(ast.parse, source)


def parses_as_python(source: str) -> bool:
    """Whether text is Python's grammar; text too long or too deep to try counts as not."""
    return parsed(source) is not None


def _quietly(look: Callable[[str], T], source: str) -> T | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return look(source)
        except NOT_COMPILED:
            return None


def _bracket_depth(source: str) -> int:
    deepest = depth = 0
    for character in source:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    return deepest


def without_trailing_prose(code: str) -> str:
    """The code without the lines at the margin behind it that keep it from parsing."""
    margins = [match.start() for match in re.finditer(r"^\S", code, re.MULTILINE)][1:]
    for end in (len(code), *reversed(margins[-MAX_PROSE_LINES:])):
        if parses_as_python(code[:end]):
            return code[:end]
    return code


def with_futures_first(before: str, code: str) -> str:
    """Both texts as one, the second's imports from the future in front, where they have to be."""
    if not before.strip():
        return code
    return "".join(_FUTURE_IMPORT.findall(code)) + before + _FUTURE_IMPORT.sub("", code)


# --------------------------------------------------------------------------------------------- names


def with_needed(code: str, others: Iterable[str], *, given: frozenset[str] = BUILTIN_NAMES) -> str:
    r"""The code, preceded by the statements of other texts that bind what it uses and does not bind.

    Args:
        code: uses some names.
        others: texts to look for them in; of two that bind a name the first counts.
        given: names that are not looked for.

    >>> print(with_needed("def f(x):\n    return math.floor(x)\n", ["import math\nprint(f(1))\n"]))
    import math
    def f(x):
        return math.floor(x)
    <BLANKLINE>
    """
    wanted = _free_names(code) - given
    needed: list[str] = []
    for other in others:
        tree = parsed(other) if wanted else None
        if tree is not None:
            needed = [*_needed(tree.body, wanted, given), *needed]
    return with_futures_first("".join(f"{each}\n" for each in needed), code)


def _needed(statements: Sequence[ast.stmt], wanted: set[str], given: frozenset[str]) -> list[str]:
    """Texts of the statements that bind wanted names, in their order; the names are taken from ``wanted``."""
    at = {name: place for place, each in enumerate(statements) for name in _bound_by(each)}
    taken: dict[int, str] = {}
    pending = wanted & at.keys()
    while pending:
        place = at[pending.pop()]
        if place not in taken:
            taken[place] = ast.unparse(statements[place])
            wanted |= _free_names(taken[place]) - given
            pending |= wanted & at.keys()
    wanted -= at.keys()
    return [taken[place] for place in sorted(taken)]


def _bound_by(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
            return [statement.name]
        case ast.Import() | ast.ImportFrom():
            return [alias.asname or alias.name.partition(".")[0] for alias in statement.names]
        case ast.Assign():
            return [target.id for target in statement.targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def _free_names(source: str) -> set[str]:
    """Names that the source uses and does not bind itself, built-in ones included; none of no code."""
    table = _quietly(lambda text: symtable.symtable(text, "<text>", "exec"), source)
    if table is None:
        return set()
    bound = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    used = {s.get_name() for s in table.get_symbols() if s.is_referenced()}
    waiting = list(table.get_children())
    while waiting:
        child = waiting.pop()
        used |= {s.get_name() for s in child.get_symbols() if s.is_global() and s.is_referenced()}
        waiting += child.get_children()
    return used - bound


# ------------------------------------------------------------------------------------- what it does


def is_hollow(tree: ast.Module, name: str) -> bool:
    """Whether the last definition of a function says no more than that it is to be written.

    By its docstring, ``pass``, an ellipsis or ``raise NotImplementedError``.
    """
    defined = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == name]
    return bool(defined) and all(_does_nothing(each) for each in defined[-1].body)


def _does_nothing(statement: ast.stmt) -> bool:
    match statement:
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Raise(exc=ast.Name(id=name) | ast.Call(func=ast.Name(id=name))):
            return name == "NotImplementedError"
    return False


def without_ending_script(source: str) -> str:
    """The source without a script behind its definitions that would end it before its function is asked for.

    Such a script reads standard input, of which there is none, or leaves the interpreter, as
    ``unittest.main()`` does.
    """
    if not _ENDING_WORDS.search(source):
        return source
    tree = parsed(source)
    if tree is None:
        return source
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    behind = max((place + 1 for place, each in enumerate(tree.body) if isinstance(each, kinds)), default=0)
    for statement in tree.body[behind:] if behind else []:
        if _ends_program(statement):
            return "".join(f"{line}\n" for line in source.split("\n")[: statement.lineno - 1])
    return source


def _ends_program(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test):
        return False
    for node in ast.walk(statement):
        match node:
            case ast.Call(func=ast.Name(id="input" | "exit" | "quit")):
                return True
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name)) if (
                module,
                name,
            ) in _ENDING_CALLS:
                return True
            case ast.Attribute(value=ast.Name(id="sys"), attr="stdin"):
                return True
    return False
