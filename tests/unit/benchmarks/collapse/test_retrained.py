"""Which functions are learned from and which are asked, and where a function is cut."""

from __future__ import annotations

import ast

import pytest

from benchmarks.collapse.retrained import LEARNED, halves, split, thinned
from monitor.domain.tasks import Stratum
from monitor.drift.snippets import Snippet


def snippets(projects: int, each: int) -> list[Snippet]:
    return [
        Snippet(
            project=f"p{project:02}",
            path=f"{number}",
            rarity=1.0,
            stratum=Stratum.TAIL if number % 2 else Stratum.HEAD,
            text=f"def f{number}():\n    return {project}\n",
        )
        for project in range(projects)
        for number in range(each)
    ]


def test_nothing_that_is_asked_was_learned_from() -> None:
    learned, asked = halves(snippets(20, 40))
    assert len(learned) == len(asked) == 400
    assert not {each.project for each in learned} & {each.project for each in asked}


def test_what_is_learned_is_spread_over_the_projects() -> None:
    found = thinned(snippets(10, 40))
    assert len(found) == LEARNED
    assert len({each.project for each in found}) == 10
    assert thinned(snippets(2, 5)) == snippets(2, 5)


@pytest.mark.parametrize(
    ("source", "head"),
    [
        ("def f(a):\n    return a\n", "def f(a):\n"),
        ("@d\ndef f(\n    a,\n):\n    '''Doc.\n    more'''\n    return a\n", None),
        ("async def f(a):\n    'Doc.'\n\n    await a\n", "async def f(a):\n    'Doc.'\n\n"),
    ],
)
def test_a_function_is_cut_after_its_docstring(source: str, head: str | None) -> None:
    function = split(source)
    assert function is not None
    assert function.head + function.body == source
    assert head is None or function.head == head
    assert ast.parse(function.head + "    pass\n")


@pytest.mark.parametrize("source", ["def f(a): return a\n", "def f(a):\n    'Doc.'\n"])
def test_a_function_without_lines_of_its_own_is_passed_over(source: str) -> None:
    assert split(source) is None
