"""Programs described without running them."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.drift.shapes import DIMENSIONS, MAX_PARSED_CHARS, shape_of


def python(text: str):
    return shape_of(textwrap.dedent(text), "python")


def test_names_layout_comments_and_docstrings_do_not_change_the_form():
    one = python('''
        def add(left, right):
            """Add."""
            total = left + right  # both
            return total
    ''')
    other = python("""
        def add(a, b):

            c = (a +
                 b)
            return c
    """)
    assert one.form == other.form


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(a, b): return a - b", "def f(a, b): return b - a"),
        ("def f(a): return a + 1", "def f(a): return a + 2"),
        ("def f(a): return len(a)", "def f(a): return sum(a)"),
        ("def f(a): return a.strip()", "def f(a): return a.split()"),
        ("def f(a): return a and 1 or 2", "def f(a): return a and (1 or 2)"),
        ("import heapq", "import bisect"),
    ],
)
def test_programs_that_do_other_things_have_other_forms(one, other):
    assert python(one).form != python(other).form


def test_a_tree_is_counted():
    tree = python("""
        import heapq
        def f(xs):
            for x in xs:
                if x and x > 1 or not xs:
                    heapq.heappush(xs, x)
                    xs.sort()
            return heapq.heappop(xs)
    """).tree
    assert tree is not None
    assert (tree.complexity, tree.imports, tree.calls) == (5, 1, 3)


@pytest.mark.parametrize(
    "text",
    ["def f(:", "(" * 60 + ")" * 60, "x = 1\n" * MAX_PARSED_CHARS, "a\0b"],
    ids=["broken", "deep", "long", "nul"],
)
def test_text_that_is_no_program_or_too_much_to_parse_is_described_as_text(text):
    shape = shape_of(text, "python")
    assert shape.tree is None
    assert shape.features


def test_another_language_is_described_as_text_whose_layout_does_not_count():
    assert shape_of("puts  1\n", "ruby") == shape_of("puts 1", "ruby")
    assert shape_of("puts 1", "ruby").tree is None


@given(
    text=st.text(st.characters(exclude_categories=()), max_size=60), language=st.sampled_from(["python", ""])
)
def test_any_text_has_a_shape_that_is_the_same_every_time(text, language):
    shape = shape_of(text, language)
    assert shape == shape_of(text, language)
    assert all(0 <= position < DIMENSIONS and count > 0 for position, count in shape.features.items())
