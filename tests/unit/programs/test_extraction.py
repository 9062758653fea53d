from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.programs.extraction import cut_at_stop, unfenced_code
from monitor.programs.languages import syntax_of


@settings(deadline=None)
@given(st.text(), st.lists(st.text(min_size=1), max_size=4))
def test_cutting_leaves_no_stop_and_is_final(text: str, stops: list[str]) -> None:
    cut = cut_at_stop(text, stops)
    assert text.startswith(cut)
    assert not any(stop in cut for stop in stops)
    assert cut_at_stop(cut, stops) == cut


def test_unfenced_code_begins_at_its_imports_and_ends_before_prose() -> None:
    text = "Sure, here it is:\n\nimport os\n\ndef f(x):\n    return x\n\nThis returns its argument."
    assert unfenced_code(text, syntax_of("python"), "f", ()) == "import os\n\ndef f(x):\n    return x\n\n"


def test_unfenced_code_keeps_helpers_that_parse() -> None:
    text = "def f(x):\n    return g(x)\n\ndef g(x):\n    return x\n"
    assert unfenced_code(text, syntax_of("python"), "f", ()) == text
    assert unfenced_code(text, syntax_of("python"), "f", ("\ndef ",)) == "def f(x):\n    return g(x)\n"


def test_unfenced_text_without_a_definition_goes_up_to_a_stop() -> None:
    assert unfenced_code("    return x\nprint(1)", syntax_of("python"), "f", ("\nprint",)) == "    return x"
