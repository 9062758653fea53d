from __future__ import annotations

import unittest
from typing import Any

import pytest

from monitor.programs.checks import as_check, script_as_check, with_helpers
from monitor.sandbox.inside.wording import failing_line

TEST = "def check(candidate):\n    assert candidate(1) == 1\n"
UNITTEST = """\
import unittest

class TestF(unittest.TestCase):
    def test_double(self):
        self.assertEqual(f(2), 4)
"""


def check_of(script: str) -> Any:
    names: dict[str, Any] = {}
    exec(compile(script_as_check(script, "f"), "<test>", "exec"), names)
    return names["check"]


def double(x: int) -> int:
    return 2 * x


def test_helpers_of_the_prompt_come_with_the_test_and_nothing_else_does() -> None:
    prompt = (
        "import math\nimport os\nLIMIT = 3\n\ndef helper(x):\n    return math.floor(x) + LIMIT\n\n"
        "def other():\n    return os\n\ndef f(x):\n    '''Docs.'''\n"
    )
    found = with_helpers(prompt, "def check(c):\n    assert c(1) == helper(1)\n", "f")
    assert "import math" in found
    assert "LIMIT = 3" in found
    assert "def helper" in found
    assert "os" not in found
    assert "def f" not in found


def test_a_test_that_needs_nothing_is_left_alone() -> None:
    assert with_helpers("def f(x):\n", TEST, "f") == TEST


@pytest.mark.parametrize("test", ["def check(:\n", "# \x00\n", "x = " + "-" * 20_000 + "1\n"])
def test_text_that_is_no_python_is_left_for_the_sandbox_to_refuse(test: str) -> None:
    assert with_helpers("def f(", test, "f") == test
    assert with_helpers(test, "def check(c): pass\n", "f") == "def check(c): pass\n"


@pytest.mark.parametrize(
    "script",
    [
        "assert f(2) == 4",
        "if __name__ == '__main__':\n    assert f(2) == 4",
        f"{UNITTEST}\nif __name__ == '__main__':\n    unittest.main()\n",
        UNITTEST,
        UNITTEST.replace("import unittest", "from unittest import TestCase").replace("unittest.Test", "Test"),
        "def test_f():\n    assert f(2) == 4\n",
        "def test_case(x, y):\n    assert f(x) == y\ntest_case(2, 4)\ntest_case(3, 6)\n",
        "CASES = [(2, 4)]\nfor x, y in CASES:\n    assert f(x) == y\n",
        "'''Both quotes: \"\"\" '''\nassert f(2) == 4, r'\\'\n".replace("r'\\'", "'\\\\'"),
    ],
)
def test_every_kind_of_script_becomes_a_check_that_bites(script: str) -> None:
    text = as_check(script, "f")
    assert text == script_as_check(script, "f")
    check_of(script)(double)
    with pytest.raises(AssertionError):
        check_of(script)(lambda x: x)


@pytest.mark.parametrize(
    "test",
    [
        TEST,
        "check = lambda candidate: None\n",
        "from tests import check\n",
        "if True:\n    def check(candidate):\n        assert candidate(1)\n",
        "def check(:\n",
    ],
)
def test_a_test_that_defines_its_check_is_left_as_it_is(test: str) -> None:
    assert as_check(test, "f") == test


@pytest.mark.parametrize(
    "test",
    [
        *("", "pass\n", "# nothing\n", "x = 1\n", "import unittest\n", "'f(2) == 4'\n", "f\n"),
        "def helper():\n    assert f(2) == 4\n",
        "class TestF:\n    def test(self):\n        assert f(2) == 4\n",
    ],
)
def test_a_test_that_tests_nothing_is_refused(test: str) -> None:
    with pytest.raises(ValueError, match=r"neither check\(candidate\) nor"):
        as_check(test, "f")


def test_the_line_of_a_script_that_fails_can_be_shown() -> None:
    script = "assert f(1) == 2\n\nassert f(2) == 5  # here\n"
    test = f"import os\n{script_as_check(script, 'f')}"
    names: dict[str, Any] = {}
    exec(compile(test, "<test>", "exec"), names)
    with pytest.raises(AssertionError) as caught:
        names["check"](double)
    assert failing_line(caught.value, "<test>", test) == "assert f(2) == 5  # here"


@pytest.mark.parametrize(
    "skip",
    [
        "        self.skipTest('no network')\n",
        "        raise unittest.SkipTest('no network')\n",
        "        f(1)\n        self.skipTest('no network')\n",
    ],
)
def test_a_skipped_test_is_not_passed(skip: str) -> None:
    script = f"{UNITTEST}    def test_more(self):\n{skip}"
    with pytest.raises(unittest.SkipTest, match="no network"):
        check_of(script)(double)


@pytest.mark.parametrize("decorated", ["class", "    def"])
def test_a_test_with_a_mark_to_skip_it_is_not_passed(decorated: str) -> None:
    indent = decorated[: len(decorated) - len(decorated.lstrip())]
    script = UNITTEST.replace(decorated, f"{indent}@unittest.skip('not here')\n{decorated}")
    with pytest.raises(unittest.SkipTest, match="not here"):
        check_of(script)(double)


def test_a_test_that_never_calls_the_program_decides_nothing() -> None:
    class Candidate:
        calls = 0

        def __call__(self, x: int) -> int:
            self.calls += 1
            return 2 * x

    check_of("assert f(2) == 4")(Candidate())
    with pytest.raises(LookupError, match="never calls"):
        check_of("assert abs(-1) == 1")(Candidate())


def test_a_test_function_that_wants_what_nobody_gives_is_not_left_out() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        check_of("assert f(2) == 4\ndef test_f(x):\n    assert f(x)\n")(double)


def test_a_script_may_use_more_of_the_program_when_it_runs_beside_it() -> None:
    names: dict[str, Any] = {}
    exec("class Node:\n    pass\ndef f(x):\n    return Node()\n", names)
    check_of("assert isinstance(f(2), Node)")(names["f"])
