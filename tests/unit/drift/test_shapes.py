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
        ("from math import sqrt", "from cmath import sqrt"),
        ("from a import b", "from .a import b"),
        ("import os.path as p\np.join", "import os.path\nos.join"),
        ("x[1:]", "x[:1]"),
        ("if x:\n  a()\nelse:\n  b()", "if x:\n  a()\nb()"),
        ("for i in x:\n  if i: break\nelse:\n  p()", "for i in x:\n  if i: break\np()"),
        ("while a:\n  x()\nelse:\n  y()", "while a:\n  x()\n  y()"),
        ("try:\n  a()\nfinally:\n  b()", "try:\n  a()\nexcept E:\n  b()"),
        ("def f(*a): return a", "def f(a): return a"),
        ("def f(a, *, b): return a", "def f(a, b): return a"),
        ("def f(*, a, b=1): return a", "def f(*, a=1, b): return a"),
        ("f(*a)", "f(a)"),
        ("f(**a)", "f(a=a)"),
        ("{**a, b: c}", "{b: c, **a}"),
        ("{**a, **b}", "{a: b}"),
        ("f'{x!r}'", "f'{x!s}'"),
        ("f'{x:3}'", "f'{x}3'"),
        ("match x:\n  case None: pass", "match x:\n  case True: pass"),
        ("match x:\n  case A(b=1): pass", "match x:\n  case A(c=1): pass"),
        ("match x:\n  case {'a': 1, **b}: pass", "match x:\n  case {'a': 1}: pass"),
        ("[a async for a in b]", "[a for a in b]"),
        ("x = y = 1", "x, y = 1"),
        ("1", "1.0"),
        ("1", "True"),
        ("'1'", "1"),
        ("global a", "nonlocal a"),
        ("def f(a, b): return a\nf(a=1, b=2)", "def f(b, a): return b\nf(a=1, b=2)"),
        ("class P:\n  x = 1\n  y = 2\nP.x", "class P:\n  y = 1\n  x = 2\nP.x"),
        ("0x" + "f" * 4000, "0x" + "e" * 4000),
    ],
)
def test_programs_that_do_other_things_have_other_forms(one, other):
    assert python(one).form != python(other).form


@pytest.mark.parametrize(
    "text",
    [
        "def {a}({b}): return {b}\ndef f({c}): return {a}({c})",
        "class {a}:\n  def m(self, {b}): return {b}\n{c} = {a}().m(1)",
        "async def {a}(*{b}, **{c}): return {b}, {c}",
        "try:\n  f()\nexcept E as {a}:\n  {b} = str({a})\n  del {c}",
        "match x:\n  case [{a}, *{b}]: print({a}, {b})\n  case {{'k': 1, **{c}}}: print({c})",
        "import numpy as {a}\nfrom math import sqrt as {b}\n{a}.array({b}({c}))",
        "def f():\n  global {a}\n  {a} = [{b} for {b} in {c} if {b} > 1]",
        "({a} := lambda {b}, *, {c}=1: {b} + {c})(2)",
    ],
)
@given(names=st.lists(st.sampled_from("pqrstuvw"), unique=True, min_size=3, max_size=3))
def test_renaming_what_a_program_names_itself_keeps_the_form(text, names):
    renamed = text.format(**dict(zip("abc", names, strict=True)))
    assert python(renamed).form == python(text.format(a="a", b="b", c="c")).form


def test_no_two_of_many_kinds_of_statements_have_the_same_form():
    statements = """
        x[1:]; x[:1]; x[::1]; x[1]; f(*x); f(**x); f(x); {**x}; {x}; {x: x}; [x]; (x,); f'{x!r}'; f'{x}'
        f'{x=}'; import a; from . import a; from .. import a; from a import *
        from a import b; from b import a; x: int; x: int = 1; x = 1; x += 1; x -= 1; del x; await x
        yield x; yield from x; lambda: x; def f(*, x=1): pass; def f(x, /): pass; def f(x): pass
        def f(*x): pass; def f(**x): pass; def f() -> x: pass; async def f(): pass
        class A: pass; class A(x): pass; class A(x=x): pass
        if x: f(); while x: f(); for i in x: f(); async for i in x: f(); with x: f(); with x as y: f()
        0x1f; 31.0; 31j; b'31'; True; None; ...; x is x; x == x; not x; -x; ~x; x or x; x and x
        raise; raise x; raise x from x; return; return x; assert x; assert x, x; x if x else x
    """
    texts = [each.strip() for line in statements.strip().splitlines() for each in line.split("; ")]
    assert len({python(text).form for text in texts}) == len(texts)


@pytest.mark.parametrize("text", ["0x" + "f" * 4000, "0b" + "1" * 20_000], ids=["hex", "binary"])
def test_a_number_too_long_for_decimal_digits_is_no_obstacle(text):
    assert python(f"x = {text}").tree is not None


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
