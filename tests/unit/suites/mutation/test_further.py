from __future__ import annotations

import re

import pytest

from monitor.suites.mutation.patterns import pattern_changes
from monitor.suites.mutation.python import further_python_mutants


def _further(solution: str) -> set[str]:
    return {each.source.removesuffix("\n") for each in further_python_mutants("", solution)}


@pytest.mark.parametrize(
    ("solution", "expected"),
    [
        ("x = text.strip().lower()", {"x = text.strip()", "x = text.lower()"}),
        ("x = sorted(y)", {"x = y"}),
        ("x = f(y, key=True)", {"x = f(y)"}),
        ("x = [a, b]", {"x = [b]", "x = [a]"}),
        ("x = {a: 1, b: 2}", {"x = {b: 2}", "x = {a: 1}"}),
        ("x = 'utf-8'", {"x = 'tf-8'", "x = 'utf-'"}),
        ("a, b = c", set()),
    ],
)
def test_calls_elements_and_ends_of_texts_are_left_out(solution: str, expected: set[str]) -> None:
    assert _further(solution) == expected


def test_what_is_called_of_a_module_is_no_step_of_a_chain() -> None:
    assert _further("import math\nx = math.floor(y)") == {"import math\nx = y"}


def test_texts_of_a_program_with_patterns_are_mistaken_as_patterns() -> None:
    assert _further("import re\nx = re.split('a+', y)") == {
        "import re\nx = re.split('a*', y)",
        "import re\nx = re.split('a', y)",
    }


@pytest.mark.parametrize(
    ("pattern", "changed"),
    [
        (r"(?<!a)\bb", {r"(?<=a)\bb", r"(?<!a)b"}),
        (r"[^a]", {"[a]"}),
        (r"a{2,4}", {"a{3,4}", "a{1,4}", "a{2,5}", "a{2,3}"}),
        (r"a{0}", {"a{1}"}),
        (r"(?P<x>a)", set()),
        (r"(", set()),
    ],
)
def test_a_pattern_is_mistaken_in_small_ways(pattern: str, changed: set[str]) -> None:
    assert set(pattern_changes(pattern)) == changed


@pytest.mark.parametrize("pattern", [r"^(\d+)-(\w{2,})\s*$", r"(?=a)(?!b)[^c]+?\.|d"])
def test_every_mistaken_pattern_is_a_pattern(pattern: str) -> None:
    changed = list(pattern_changes(pattern))
    assert changed
    for each in changed:
        re.compile(each)
