from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.programs.fences import blocks_of, with_fences_on_lines, with_plain_newlines


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
    assert [block.code for block in blocks_of(text)] == blocks


@settings(deadline=None)
@given(st.text())
def test_line_ends_become_plain(text: str) -> None:
    assert "\r" not in with_plain_newlines(text)


@settings(deadline=None)
@given(st.text(alphabet="`~ \n\tapython", max_size=60))
def test_any_text_has_some_blocks_without_trouble(text: str) -> None:
    assert all(isinstance(block.code, str) for block in blocks_of(with_fences_on_lines(text)))
