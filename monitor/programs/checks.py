"""Tests that come as a script: plain asserts, unittest classes, test functions; and the check they become."""

from __future__ import annotations

import ast
import re

from monitor.programs.python_code import NOT_COMPILED, with_needed

CHECK = "check"
"""The function that a test defines by HumanEval's convention."""

_UNITTEST_MAIN = re.compile(r"^([ \t]*)unittest\.main\(.*\)[ \t]*$", re.MULTILINE)


def script_as_check(script: str, entry_point: str) -> str:
    """A test script that calls the entry point by name, as a ``check(candidate)``.

    The script runs in names of its own, so it finds the candidate and nothing else of the program;
    unittest classes and test functions are run as well. A script that needs more of the program than the
    entry point finds it when the tests run beside the program.
    """
    script = _UNITTEST_MAIN.sub(r"\1pass", script).rstrip("\n") + "\n"
    quotes = next((each for each in ("'''", '"""') if each not in script), None)
    # As it stands, so that a failing line of it can be shown.
    text = repr(f"\n{script}") if quotes is None else f"r{quotes}\n{script}{quotes}"
    return _SCRIPT_CHECK.format(script=text, entry_point=entry_point)


def as_check(test: str, entry_point: str) -> str:
    """A test as a ``check(candidate)``: as it is when it defines one, else by :func:`script_as_check`.

    Raises:
        ValueError: nothing in it would test anything.
    """
    try:
        statements = ast.parse(test).body
    except NOT_COMPILED:
        # The sandbox's own Python decides, which may be another version.
        return test
    if any(_defines_check(each) for each in statements):
        return test
    if not any(_tests(each) for each in statements):
        raise ValueError(
            "it defines neither check(candidate) nor unittest classes or test functions, and asserts nothing"
        )
    return script_as_check(test, entry_point)


def with_helpers(prompt: str, test: str, entry_point: str) -> str:
    r"""The test, preceded by what it uses of the prompt: it runs where the program's names are not.

    >>> prompt = "def twice(x): return 2 * x\ndef f(x):"
    >>> print(with_helpers(prompt, "def check(c): assert c(1) == twice(1)", "f"))
    def twice(x):
        return 2 * x
    def check(c): assert c(1) == twice(1)
    """
    # A prompt often ends in the head of the function that is asked for.
    heads = (prompt, prompt.rstrip() + "\n    pass\n")
    return with_needed(test, heads, given=frozenset({entry_point}))


def _defines_check(statement: ast.stmt) -> bool:
    """Whether a statement at the outermost level binds the name, also inside a branch."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name == CHECK
    for node in ast.walk(statement):
        match node:
            case ast.FunctionDef(name=name) | ast.Name(id=name, ctx=ast.Store()) if name == CHECK:
                return True
            case ast.alias(name=name, asname=other) if (other or name) == CHECK:
                return True
    return False


def _tests(statement: ast.stmt) -> bool:
    """Whether a statement at the outermost level tests something when the script and its cases are run."""
    match statement:
        case ast.ClassDef(bases=bases):
            return any("TestCase" in ast.unparse(base) for base in bases)
        case ast.FunctionDef(name=name):
            return name.startswith("test")
        case ast.AsyncFunctionDef() | ast.Import() | ast.ImportFrom():
            return False
    # A call may assert inside of what it calls, and so may a loop over cases.
    return any(isinstance(node, (ast.Assert, ast.Raise, ast.Call)) for node in ast.walk(statement))


_SCRIPT_CHECK = """\
import unittest

SCRIPT = {script}


def check(candidate):
    names = dict(getattr(candidate, "__globals__", {{}}))
    names["__name__"] = "__main__"
    names[{entry_point!r}] = candidate
    code = check.__code__
    above = "\\n" * (code.co_firstlineno - SCRIPT.count("\\n") - 4)
    exec(compile(above + SCRIPT, code.co_filename, "exec"), names)
    for name, case in list(names.items()):
        if isinstance(case, type) and issubclass(case, unittest.TestCase):
            run(name, case)
        elif name.startswith("test") and type(case) is type(check) and case.__globals__ is names:
            if not is_helper(name, case):
                case()
    if getattr(candidate, "calls", 1) == 0:
        raise LookupError("it never calls the program")


def is_helper(name, case):
    wanted = case.__code__.co_argcount - len(case.__defaults__ or ())
    return wanted > 0 and SCRIPT.count(name + "(") > 1


def run(name, case):
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(case)
    result = unittest.TestResult()
    tests.run(result)
    for test, problem in result.failures + result.errors:
        raise AssertionError(test.id().partition(".")[2] + ": " + problem.strip().split("\\n")[-1])
    if result.unexpectedSuccesses:
        raise AssertionError(name + ": a test that should fail has passed")
    for test, reason in result.skipped:
        raise unittest.SkipTest(test.id().partition(".")[2] + ": " + reason)
"""
