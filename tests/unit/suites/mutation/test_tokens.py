from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain.tasks import TaskKind
from monitor.suites.mutation.mutants import mutants_of
from tests.unit.suites.suite_files import a_task


def _changes(language: str, solution: str) -> set[str]:
    task = replace(a_task(prompt="the prompt < 3\n", language=language), canonical_solution=solution)
    mutants = mutants_of(task)
    assert all(each.source.startswith(task.prompt) for each in mutants)
    assert all(each.line > 1 for each in mutants)
    return {each.change.partition(": ")[2] for each in mutants}


@pytest.mark.parametrize(
    ("language", "solution", "changes"),
    [
        ("ruby", "  x.first if n < 3\n", {"x.first if n <= 3", "x.last if n < 3", "x.first unless n < 3"}),
        ("lua", "  return a ~= b and not c\n", {"return a == b and not c", "return a ~= b or not c"}),
        ("perl", "  return $x lt $y;\n", {"return $x le $y;", "return $x ge $y;"}),
        ("perl", "  sort { $a <=> $b } @x;\n", {"sort { $b <=> $a } @x;"}),
        (
            "tcl",
            "  return [expr {$n % 2 == 0}]\n",
            {"return [expr {$n % 2 != 0}]", "return [expr {$n / 2 == 0}]"},
        ),
        ("awk", '  return sub(x, y, "ab")\n', {'return gsub(x, y, "ab")', 'return sub(x, y, "")'}),
        ("shell", "  [ $1 -lt 10 ] && echo a\n", {"[ $1 -le 10 ] && echo a", "[ $1 -lt 10 ] || echo a"}),
        ("scheme", "  (if (< a b) (- a b) #t))\n", {"(if (<= a b) (- a b) #t))", "(if (< a b) (- b a) #t))"}),
        ("racket", "  (not (car x)))\n", {"(begin (car x)))", "(not (cdr x)))"}),
        ("ruby", "  f(a, b)\n", {"f(b, a)"}),
        ("lua", "  return x[1]\n", {"return x[2]", "return x[0]"}),
    ],
)
def test_tokens_are_mistaken_in_each_usual_way(language: str, solution: str, changes: set[str]) -> None:
    line = solution.strip()
    assert _changes(language, solution) >= {f"{line} -> {change}" for change in changes}


@pytest.mark.parametrize(
    ("language", "solution", "left_out"),
    [
        ("ruby", "  x << 1\n  if x\n    y\n  end\n", {"x << 1", "y"}),
        ("perl", "  my %h = (\n    a => 1);\n  push @x, 1;\n", {"push @x, 1;"}),
        ("tcl", "  set x [list \\\n    a]\n  incr y\n", {"incr y"}),
    ],
)
def test_whole_lines_are_left_out_but_no_part_of_a_block(
    language: str, solution: str, left_out: set[str]
) -> None:
    found = {change for change in _changes(language, solution) if change.endswith(" left out")}
    assert found == {f"{line} left out" for line in left_out}


def test_comments_patterns_redirections_and_complaints_are_left_alone() -> None:
    assert _changes("shell", "  echo a >&2 # n -lt 3\n") == {"echo a >&2 # n -lt 3 left out"}
    assert _changes("ruby", '  raise "no"\n') == {'raise "no" left out'}
    assert not any("\\d-" in change for change in _changes("ruby", "  x =~ /\\d+/\n"))


def test_answers_and_unknown_languages_have_no_mutants() -> None:
    assert mutants_of(a_task(kind=TaskKind.ANSWER)) == []
    assert mutants_of(replace(a_task(language="cobol"), canonical_solution="  x < 3\n")) == []
