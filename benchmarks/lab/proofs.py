"""Writes the tests of a problem from its reference body, and runs a body against them."""

from __future__ import annotations

import copy
from collections.abc import Callable

from benchmarks.lab.families import Example, Family


def load(source: str, entry_point: str) -> Callable[..., object]:
    """Return the function ``entry_point`` that ``source`` defines; only for text the lab wrote itself."""
    scope: dict[str, object] = {}
    exec(compile(source, "<lab>", "exec"), scope)  # noqa: S102 - our own reference bodies
    function = scope[entry_point]
    if not callable(function):
        raise TypeError(f"{entry_point} is no function")
    return function


def write_test(family: Family, example: Example) -> str:
    """Return a ``check(candidate)`` whose expected values are what the reference body answers."""
    reference = load(example.prompt + example.body, example.entry_point)
    lines = ["def check(candidate):"]
    for arguments in family.arguments():
        shown = ", ".join(repr(argument) for argument in arguments)
        answer = reference(*copy.deepcopy(arguments))
        if family.wrap == "list":
            answer = list(answer)  # type: ignore[call-overload]
        call = f"{family.wrap}(candidate({shown}))" if family.wrap else f"candidate({shown})"
        if answer is None or isinstance(answer, bool):
            lines.append(f"    assert {call} is {answer!r}")
        else:
            lines.append(f"    assert {call} == {answer!r}")
    return "\n".join(lines) + "\n"


def program(prompt: str, completion: str, test: str, entry_point: str) -> str:
    """Return the text that is executed to judge ``completion`` (HumanEval convention)."""
    return f"{prompt}{completion}\n\n{test}\ncheck({entry_point})\n"
