from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.suites.mutation.mutants import mutants_of
from monitor.suites.mutation.tokens import further_token_mutants, token_mutants
from monitor.suites.mutation.vocabulary import vocabulary_of
from tests.unit.suites.suite_files import a_task


def _further(language: str, solution: str) -> list[str]:
    """What the solution's lines become."""
    vocabulary = vocabulary_of(language)
    assert vocabulary is not None
    mutants = list(further_token_mutants("", solution, vocabulary))
    return [each.source.removesuffix("\n") for each in mutants]


@pytest.mark.parametrize(
    ("language", "solution", "expected"),
    [
        (
            "ruby",
            "xs.map { |x| x + 1 }.sort.first(2)\n",
            ["xs.sort.first(2)", "xs.map { |x| x + 1 }.first(2)"],
        ),
        ("ruby", "f([a, b], c)\n", ["([a, b], c)", "f([ b], c)", "f([a], c)", "f( c)", "f([a, b])"]),
        ("ruby", "x = 'a.b(c, d)' # e.f(g, h)\n", []),
        ("perl", "return $self->name->first;\n", ["return $self->first;", "return undef;"]),
        ("lua", "return text:upper()\n", ["return text", "return nil"]),
        ("ruby", "return a if b\n", ["return nil if b"]),
        ("shell", "return 1\n", []),
        ("ruby", "case x\nwhen A then b\nend\n", ["case x\nend", "case x\nwhen A then nil\nend"]),
    ],
)
def test_calls_elements_and_branches_are_left_out(language: str, solution: str, expected: list[str]) -> None:
    found = [source.rstrip(" ") for source in _further(language, solution)]
    assert set(expected) <= set(found), found
    if not expected:
        assert found == []


def test_parts_of_a_lisp_form_are_left_out_swapped_and_taken_for_the_form() -> None:
    assert set(_further("scheme", '(f \'a "b (")\n')) == {
        '(f  "b (")',
        "(f 'a )",
        '(f "b (" \'a)',
        '"b ("',
    }


def test_brackets_that_the_prompt_opened_may_close() -> None:
    assert "(car ))" in _further("scheme", "(car xs))\n")


def test_the_usual_mutants_stay_where_they_are_enough() -> None:
    solution = "  a + b - c * d if a < b && c > d || a == d\n  f.g(1)\n"
    task = replace(a_task(prompt="def f\n", language="ruby"), canonical_solution=solution)
    vocabulary = vocabulary_of("ruby")
    assert vocabulary is not None
    usual = {each.source for each in token_mutants(task.prompt, solution, vocabulary)}
    assert {each.source for each in mutants_of(task)} == usual
    few = replace(task, canonical_solution="  f.g(1)\n")
    assert any(each.source == "def f\n  f\n" for each in mutants_of(few))
