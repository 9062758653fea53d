from __future__ import annotations

import ast
from dataclasses import replace

import pytest

from monitor.suites.loading import load_suite
from monitor.suites.mutation.mutant import Mutation
from monitor.suites.mutation.mutants import mutants_of
from tests.unit.suites.suite_files import a_task


def _changes(solution: str, *, prompt: str = "def double(x):\n") -> dict[str, str]:
    """Kind and change, without the line, by change."""
    mutants = mutants_of(replace(a_task(prompt=prompt), canonical_solution=solution))
    return {each.change.partition(": ")[2]: each.kind.value for each in mutants}


@pytest.mark.parametrize(
    ("statement", "kind", "changes"),
    [
        ("return x < y", Mutation.COMPARISON, {"x < y -> x <= y", "x < y -> x >= y"}),
        ("return x >= y", Mutation.COMPARISON, {"x >= y -> x > y", "x >= y -> x < y"}),
        ("return x not in y", Mutation.COMPARISON, {"x not in y -> x in y"}),
        ("return x < y < z", Mutation.COMPARISON, {"x < y < z -> x < y >= z"}),
        ("return x * y", Mutation.ARITHMETIC, {"x * y -> x + y"}),
        ("return x ^ y", Mutation.ARITHMETIC, {"x ^ y -> x & y"}),
        ("return -x", Mutation.ARITHMETIC, {"-x -> x"}),
        ("return 'a' + x", Mutation.ARITHMETIC, {"'a' + x -> x", "'a' + x -> 'a'"}),
        ("return x and y", Mutation.LOGIC, {"x and y -> x or y"}),
        ("return not x", Mutation.CONDITION, {"not x -> x"}),
        ("return 1 if x else 2", Mutation.CONDITION, {"1 if x else 2 -> 1 if not x else 2"}),
        ("return [a for a in x if a]", Mutation.CONDITION, {"for a in x if a -> for a in x"}),
        ("return x[7]", Mutation.CONSTANT, {"7 -> 8", "7 -> 6"}),
        ("return x[0]", Mutation.CONSTANT, {"0 -> 1", "0 -> -1"}),
        ("return x.join('ab')", Mutation.CONSTANT, {"'ab' -> ''"}),
        ("return x(b'')", Mutation.CONSTANT, {"b'' -> b'x'"}),
        ("return True", Mutation.CONSTANT, {"True -> False"}),
        ("return x[:n]", Mutation.BOUNDARY, {":n -> :", ":n -> :n + 1", ":n -> :n - 1"}),
        ("return range(n)", Mutation.BOUNDARY, {"range(n) -> range(n + 1)", "range(n) -> range(n - 1)"}),
        ("return f(x, y)", Mutation.ARGUMENTS, {"f(x, y) -> f(y, x)"}),
        ("return sorted(x, key=f)", Mutation.ARGUMENTS, {"sorted(x, key=f) -> sorted(x)"}),
        ("return max(x)", Mutation.NAME, {"max(x) -> min(x)"}),
        ("return x.lstrip()", Mutation.NAME, {"x.lstrip() -> x.rstrip()"}),
        ("return x", Mutation.RESULT, {"return x -> return None"}),
        ("yield x", Mutation.RESULT, {"(yield x) -> (yield)"}),
    ],
)
def test_an_expression_is_mistaken_in_each_usual_way(
    statement: str, kind: Mutation, changes: set[str]
) -> None:
    found = _changes(f"    {statement}\n")
    assert {change for change, of in found.items() if of == kind} >= changes


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ("x.append(1)", {"x.append(1) left out"}),
        ("x[0] = y", {"x[0] = y left out"}),
        ("x += y", {"x += y left out", "x += y -> x = y", "x += y -> x -= y"}),
        ("x = y", {"x = y left out"}),
        ("if x: return 1", {"if x: return 1 left out", "if x: return 1 -> if not x: return 1"}),
        ("for a in x:\n        break", {"break -> continue", "break left out"}),
        ("raise ValueError('no')", {"raise ValueError('no') left out"}),
        ("try:\n        f()\n    except KeyError:\n        g()", {"try: f() except KeyError: g() -> f()"}),
        ("with lock:\n        f()", {"with lock: f() -> f()"}),
    ],
)
def test_a_statement_is_left_out_or_changed(body: str, changes: set[str]) -> None:
    assert _changes(f"    {body}\n").keys() >= changes


def test_the_else_of_a_condition_is_left_out() -> None:
    found = _changes("    if x:\n        f()\n    else:\n        g()\n")
    assert "if x: f() else: g() -> if x: f()" in found


def test_the_prompt_stays_as_it_is() -> None:
    prompt = 'LIMIT = 3\n\ndef double(x: int = 1) -> "int":\n    """Twice 2 < 3."""\n'
    for each in mutants_of(replace(a_task(prompt=prompt), canonical_solution="    return 2 * x\n")):
        assert ast.unparse(ast.parse(each.source)).startswith(ast.unparse(ast.parse(prompt)))
        assert each.line == 5


def test_a_solution_on_the_prompts_last_line_is_changed_as_well() -> None:
    assert "2 -> 3" in _changes(" 2 * x\n", prompt="def double(x=1): return")


def test_how_errors_are_worded_is_left_alone_and_so_are_types_and_docstrings() -> None:
    body = '    "Says."\n    y: List["int"] = x\n    raise ValueError(f"bad {x!r}")\n'
    assert set(_changes(body).values()) == {Mutation.STATEMENT}


def test_a_change_that_would_only_be_a_name_or_type_error_is_not_made() -> None:
    found = _changes("    total = x + [1]\n    return isinstance(total, int)\n")
    assert not {"total = x + [1] left out", "x + [1] -> x - [1]"} & found.keys()
    assert "isinstance(total, int) -> isinstance(int, total)" not in found


def test_mutants_differ_from_the_reference_and_from_each_other_and_have_a_name_each() -> None:
    task = replace(a_task(), canonical_solution="    return f(x, x) + 1 + f(1, x)\n")
    mutants = mutants_of(task)
    sources = [each.source for each in mutants]
    assert len(set(sources)) == len(sources)
    assert ast.unparse(ast.parse(task.prompt + task.canonical_solution)) + "\n" not in sources
    changes = [each.change for each in mutants]
    assert len(set(changes)) == len(changes)
    assert {"line 2: 1 -> 2", "line 2: 1 -> 2 (#2)"} <= set(changes)


def test_a_program_that_does_not_parse_has_no_mutants() -> None:
    assert mutants_of(replace(a_task(), canonical_solution="    return (\n")) == []


def test_every_mutant_of_a_whole_suite_parses_and_is_made_again_the_same() -> None:
    for task in list(load_suite("lab"))[::8]:
        mutants = mutants_of(task)
        assert mutants
        assert mutants == mutants_of(task)
        for each in mutants:
            ast.parse(each.source)
