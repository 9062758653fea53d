from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.suites.extraction import (
    cut_at_stop,
    fenced_blocks,
    parses_as_python,
    unfenced_code,
    with_plain_newlines,
    without_reasoning,
)
from monitor.suites.languages import syntax_of


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("no fence", []),
        ("```\na\n```", ["a\n"]),
        ("~~~python\na\n~~~\n", ["a\n"]),
        ("x\n```python title=a.py\na\n```\ny\n```\nb\n```\nz", ["a\n", "b\n"]),
        ("```python\na\nb", ["a\nb\n"]),
        ("```python\na\n``` \nrest", ["a\n"]),
        ("````\n```python\na\n```\n````", ["```python\na\n```\n"]),
        ("```\na\n~~~\nb\n```", ["a\n~~~\nb\n"]),
        ("1. Do\n   ```python\n   def f():\n       pass\n   ```", ["def f():\n    pass\n"]),
        ("```python\n```", [""]),
        ("```\n\n", []),
        ("a ``` b ``` c", []),
        (
            '```python\ndef f():\n    """\n    ```\n    f()\n    ```\n    """\n```\nSo.',
            ['def f():\n    """\n    ```\n    f()\n    ```\n    """\n'],
        ),
        ("  ```\n  a\n      ```\n     ```\n", ["a\n    ```\n"]),
        ("```python\ns = '''\n```python\n'''\n```", ["s = '''\n```python\n'''\n"]),
    ],
)
def test_fenced_blocks_are_found_as_markdown_means_them(text: str, blocks: list[str]) -> None:
    assert fenced_blocks(text) == blocks


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("plain", "plain"),
        ("<think>a</think>b", "b"),
        ("<think>\na\n</think>\n\nb\n", "b"),
        ("hidden start\n</think>\nb", "b"),
        ("<think>never ends", ""),
        ("<THINKING>a</THINKING>b", "b"),
        ("<think>a</think>b\n<think>c</think>d", "b\nd"),
        ("x = '<think>'", "x = '<think>'"),
        ("```\ns = '</think>'\n```", "```\ns = '</think>'\n```"),
        ("```\ns = '''\n<think>\n</think>\n'''\n```", "```\ns = '''\n<think>\n</think>\n'''\n```"),
        ("s = '</think>'\nreturn s", "s = '</think>'\nreturn s"),
        ("hidden\n```\na\n```\n</think>\nb\n```\n</think>\n```", "b\n```\n</think>\n```"),
        ("<think>an open fence\n```\n</think>\n```\nb\n```", "```\nb\n```"),
        ("hidden, an open fence\n```\n</think>\nb", "b"),
    ],
)
def test_reasoning_is_dropped(text: str, answer: str) -> None:
    assert without_reasoning(text) == answer


@settings(deadline=None)
@given(st.text(), st.lists(st.text(min_size=1), max_size=4))
def test_cutting_leaves_no_stop_and_is_final(text: str, stops: list[str]) -> None:
    cut = cut_at_stop(text, stops)
    assert text.startswith(cut)
    assert not any(stop in cut for stop in stops)
    assert cut_at_stop(cut, stops) == cut


@settings(deadline=None)
@given(st.text())
def test_line_ends_become_plain(text: str) -> None:
    assert "\r" not in with_plain_newlines(text)


@settings(deadline=None)
@given(st.text(alphabet="`~ \n\tapython", max_size=60))
def test_any_text_has_some_blocks_without_trouble(text: str) -> None:
    assert all(isinstance(block, str) for block in fenced_blocks(text))


@pytest.mark.parametrize(
    "hostile",
    [
        "(" * 5_000,
        "-" * 60_000 + "1",
        "not " * 15_000 + "x",
        "lambda:" * 9_000 + "0",
        "x" + ".a" * 30_000,
        "1" + "+1" * 30_000,
        "if x:\n" + "".join(" " * depth + "if x:\n" for depth in range(1, 200)),
        "9" * 6_000,
        "\x00",
        "'\\d'",
        "{" * 39,
        "f'" + "{" * 38,
    ],
)
def test_hostile_text_is_only_looked_at(hostile: str) -> None:
    assert isinstance(parses_as_python(hostile), bool)


def test_a_strange_escape_parses_without_a_warning() -> None:
    assert parses_as_python("x = '\\d'")


def test_unfenced_code_begins_at_its_imports_and_ends_before_prose() -> None:
    text = "Sure, here it is:\n\nimport os\n\ndef f(x):\n    return x\n\nThis returns its argument."
    assert unfenced_code(text, syntax_of("python"), "f", ()) == "import os\n\ndef f(x):\n    return x\n\n"


def test_unfenced_code_keeps_helpers_that_parse() -> None:
    text = "def f(x):\n    return g(x)\n\ndef g(x):\n    return x\n"
    assert unfenced_code(text, syntax_of("python"), "f", ()) == text
    assert unfenced_code(text, syntax_of("python"), "f", ("\ndef ",)) == "def f(x):\n    return g(x)\n"


def test_unfenced_text_without_a_definition_goes_up_to_a_stop() -> None:
    assert unfenced_code("    return x\nprint(1)", syntax_of("python"), "f", ("\nprint",)) == "    return x"
