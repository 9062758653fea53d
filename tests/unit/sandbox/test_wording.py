from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.sandbox.inside import wording


@settings(deadline=None)  # a busy machine's clock says nothing
@given(st.text(st.characters(exclude_categories=())))
def test_a_detail_is_always_printable_and_bounded(text: str) -> None:
    line = wording.printable(text)
    assert line.isprintable()
    assert len(line) <= wording.MAX_DETAIL


def test_plain_text_stays_as_it_is() -> None:
    assert wording.printable("expected 5, got «ü»") == "expected 5, got «ü»"


class SilentError(Exception):
    def __str__(self) -> str:
        raise SystemExit(0)


def test_an_exception_that_refuses_to_speak_is_described_by_its_type() -> None:
    assert wording.describe(SilentError()) == "SilentError"


def test_an_exception_is_described_by_type_and_first_line() -> None:
    assert wording.describe(ValueError("\n first \nsecond")) == "ValueError: first"


def test_the_failing_line_is_the_deepest_of_the_given_file() -> None:
    source = "def check(f):\n    value = f()\n    assert value == 5\n"
    names: dict[str, Any] = {}
    exec(compile(source, "<test>", "exec"), names)
    with pytest.raises(AssertionError) as caught:
        names["check"](lambda: 4)
    assert wording.failing_line(caught.value, "<test>", source) == "assert value == 5"
    assert wording.failing_line(caught.value, "<other>", source) == ""
