from __future__ import annotations

import pytest

from monitor.programs.reasoning import without_reasoning


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
