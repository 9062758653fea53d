from __future__ import annotations

import pytest

from monitor.programs.python_code import parses_as_python


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
