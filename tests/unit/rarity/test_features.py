import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rarity.features import MAX_CHARS, features_of


def features(source: str) -> set[str]:
    return set(features_of(textwrap.dedent(source)))


@pytest.mark.parametrize(
    ("source", "feature"),
    [
        ("import os.path as p\np.join('a')", "os.path.join"),
        ("import os\nos.path.join('a')", "os.path.join"),
        ("from os import path\npath.join('a')", "os.path.join"),
        ("from functools import reduce as fold\nfold(f, xs)", "functools.reduce"),
        ("import enum\nclass A(enum.Flag): pass", "enum.Flag"),
        ("import functools\n@functools.cache\ndef f(): pass", "functools.cache"),
        ("import asyncio\nasync def f():\n    await asyncio.sleep(1)", "asyncio.sleep"),
    ],
)
def test_calls_and_attributes_are_named_by_what_was_imported(source, feature):
    assert feature in features(source)


def test_a_chain_of_attributes_is_one_feature():
    found = features("import os\nos.path.join('a')")
    assert "os.path" not in found
    assert "os" not in found


@pytest.mark.parametrize(
    ("source", "feature"),
    [
        ("','.join(xs)", "str.join"),
        ("f'{x}'.upper()", "str.upper"),
        ("b'x'.hex()", "bytes.hex"),
        ("d = {}\nd.pop(1)", "dict.pop"),
        ("def f():\n    d = dict(a=1)\n    return d.pop('a')", "dict.pop"),
        ("def f(xs: list[int]):\n    xs.pop()", "list.pop"),
        ("def f(xs: 'list[int]'):\n    xs.pop()", "list.pop"),
        ("def f(**options):\n    options.pop('a')", "dict.pop"),
        ("' a b '.strip().split().pop()", "list.pop"),
        ("xs = sorted(ys)\nxs.pop()", "list.pop"),
        ("(1).to_bytes(2, 'big').hex()", "bytes.hex"),
        ("xs = [1] * 3\nxs.pop()", "list.pop"),
        ("with open('a') as file:\n    file.truncate(3)", "file.truncate"),
        ("from collections import deque\nq = deque()\nq.rotate(1)", "collections.deque.rotate"),
        ("import re\nif m := re.match('a', s):\n    m.groupdict()", "re.Match.groupdict"),
        ("import ipaddress\nipaddress.ip_network(x).hosts()", "ipaddress.ip_network().hosts"),
        ("import decimal\ndef f(d: decimal.Decimal):\n    d.quantize(1)", "decimal.Decimal.quantize"),
    ],
)
def test_a_method_is_named_by_its_receiver_where_that_can_be_told(source, feature):
    assert feature in features(source)


@pytest.mark.parametrize(
    ("source", "feature"),
    [
        ("def f(x):\n    return x.casefold()", "str.casefold"),
        ("def f(x):\n    return x.setdefault(1, 2)", "dict.setdefault"),
        ("def f(x):\n    return x.pop()", ".pop"),
        ("def f(x):\n    return x.__dict__", "attribute:__dict__"),
    ],
)
def test_on_an_unknown_receiver_a_builtin_methods_name_is_credited_or_left_open(source, feature):
    assert feature in features(source)


def test_names_of_the_programs_own_are_no_features():
    source = """
    class Stack:
        def pop(self):
            return self.items_left.frobnicate()

        def drain(self):
            return self.pop()

    def helper(stack):
        return Stack().drain()

    helper(1)
    """
    assert features(source) == {"syntax:class"}


def test_a_name_that_is_assigned_twice_to_different_things_is_unknown():
    assert "dict.pop" not in features("x = {}\nx = []\nx.pop()")
    assert ".pop" in features("x = {}\nx = []\nx.pop()")


def test_a_builtin_is_one_only_where_the_program_does_not_bind_it():
    assert "sum" in features("def f(xs):\n    return sum(xs)")
    assert "sum" not in features("def f(sum):\n    return sum(1)")
    assert "sum" in features("def g(sum): return 1\ndef f(xs):\n    return sum(xs)")


def test_names_of_a_class_body_are_not_seen_by_its_methods():
    assert "list" in features("class A:\n    list = 1\n    def f(self):\n        return list()")


def test_relative_imports_are_the_projects_own():
    assert features("from . import codec\nfrom .codec import dump\ncodec.load(dump(1))") == set()


@pytest.mark.parametrize(
    ("source", "feature"),
    [
        ("match x:\n    case [a, *b] if a: pass", "syntax:match"),
        ("match x:\n    case [a, *b] if a: pass", "syntax:match-guard"),
        ("match x:\n    case {'a': 1}: pass", "syntax:match-mapping"),
        ("async def f():\n    async for x in y: pass", "syntax:async-for"),
        ("async def f():\n    return [x async for x in y]", "syntax:async-comprehension"),
        ("for x in y: pass\nelse: pass", "syntax:loop-else"),
        ("try: pass\nexcept* ValueError: pass", "syntax:except-star"),
        ("class A(metaclass=M): pass", "syntax:metaclass"),
        ("def f(a, /, *, b): pass", "syntax:positional-only"),
        ("a, *b = c", "syntax:starred-unpacking"),
        ("x = 1 << 3", "operator:<<"),
        ("x[::2]", "syntax:slice-step"),
        ("1 < x < 3", "syntax:chained-comparison"),
        ("(y := 1)", "syntax:walrus"),
        ("class A:\n    def __set_name__(self, owner, name): pass", "def:__set_name__"),
        ("import heapq", "import:heapq"),
        ("from concurrent.futures import wait", "import:concurrent.futures"),
        ("x = 3j", "syntax:imaginary-literal"),
        ("raise A from b", "syntax:raise-from"),
    ],
)
def test_constructs_and_imports_are_features(source, feature):
    assert feature in features(source)


def test_another_language_is_one_feature():
    assert features_of("puts [1, 2].sum", "ruby") == {"language:ruby": 1}


@pytest.mark.parametrize(
    "source",
    [
        "def f(:",
        "print 'python 2'",
        "a\0b",
        "(" * 100_000,
        "x" * (MAX_CHARS + 1),
        "x = " + "-" * 50_000 + "1",
    ],
)
def test_text_that_cannot_be_parsed_has_no_features(source):
    assert features_of(source) == {}


def test_names_that_feed_each_other_take_no_longer_than_others():
    body = "\n".join(
        f"    a{i % 7} = a{(i + 1) % 7}.join(a{(i + 2) % 7}) + a{(i + 3) % 7}" for i in range(300)
    )
    assert "str.join" in features_of(f"def f():\n{body}")


def test_occurrences_are_counted():
    assert features_of("sum(a) + sum(b)")["sum"] == 2


@given(st.lists(st.sampled_from(["sum(x)", "','.join(y)", "z = 1 << 2", "import heapq", "lambda q: q"])))
def test_the_order_of_independent_statements_does_not_matter(lines):
    assert features_of("\n".join(lines)) == features_of("\n".join(reversed(lines)))


@given(st.text(max_size=200))
def test_any_text_at_all_is_answered(text):
    assert all(count > 0 for count in features_of(text).values())
