from __future__ import annotations

import time

import pytest

from monitor.programs.languages import SYNTAXES, syntax_of


@pytest.mark.parametrize(
    "hostile", [" " * 60_000, "a " * 30_000, "f " * 30_000, "f\n" * 20_000, " f" * 30_000]
)
def test_a_definition_in_an_unknown_language_is_looked_for_in_linear_time(hostile: str) -> None:
    started_s = time.process_time()
    assert not syntax_of("go").defines(hostile, "f")
    # Quadratic time would be some 25 s, linear time is some milliseconds.
    assert time.process_time() - started_s < 2


@pytest.mark.parametrize(
    ("language", "name", "code"),
    [
        ("python", "f", "def f(x):\n    pass"),
        ("python", "f", "import os\nasync def f(x): pass"),
        ("python", "f", "f = lambda x: x"),
        ("python", "f", "f: Callable[[int], int] = g"),
        ("python", "F", "class F:\n    pass"),
        ("ruby", "even?", "  def even?(x)\nend"),
        ("ruby", "f", "def self.f(x)\nend"),
        ("lua", "f", "local function f(x)\nend"),
        ("lua", "f", "function M.f(x)\nend"),
        ("lua", "f", "f = function(x) end"),
        ("perl", "f", "use strict;\nsub f {"),
        ("tcl", "f", "proc f {x} {"),
        ("racket", "f-g", "#lang racket\n(define (f-g x) x)"),
        ("scheme", "f", "(define f (lambda (x) x))"),
        ("scheme", "f", "(define* (f x #:key (y 1)) x)"),
        ("scheme", "f-of", "(define-syntax f-of\n  (syntax-rules ()"),
        ("awk", "f", "function f(x) { return x }"),
        ("shell", "f", "f() {\n"),
        ("r", "f", "f <- function(x) x"),
        ("erlang", "f", "f(X) -> X."),
        ("fortran", "f", "  integer function f(x)"),
        ("javascript", "f", "const f = (x) => x"),
        ("go", "f", "func f(x int) int {"),
    ],
)
def test_a_definition_is_recognised(language: str, name: str, code: str) -> None:
    assert syntax_of(language).defines(code, name)


@pytest.mark.parametrize(
    ("language", "name", "code"),
    [
        ("python", "f", "print(f(3))"),
        ("python", "f", "    def f(x):\n        pass"),
        ("python", "f", "def ff(x): pass"),
        ("python", "f", "f == 3"),
        ("python", "", "def f(x): pass"),
        ("ruby", "even", "def even?(x)\nend"),
        ("racket", "f", "(f 3)"),
        ("perl", "f", "f(3);"),
    ],
)
def test_a_use_or_another_name_is_no_definition(language: str, name: str, code: str) -> None:
    assert not syntax_of(language).defines(code, name)


def test_every_language_stops_at_a_closing_fence() -> None:
    assert all("\n```" in syntax.stops for syntax in SYNTAXES.values())
