from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.suites.documents import DocumentError, parse_document

# YAML's escapes have no surrogate pairs, so JSON's escapes beyond the first plane are not YAML.
CHARACTERS = st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"])
TEXT = st.text(CHARACTERS)
# Nor does YAML take a key of more than 1024 characters on its line; an escape has six.
KEYS = st.text(CHARACTERS, max_size=150)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON)
def test_json_means_the_same_as_it_does_to_json(value: object) -> None:
    assert parse_document(json.dumps(value)).value == value


@pytest.mark.parametrize(
    ("plain", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("2026-01-31", "2026-01-31"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("true", True),
        ("null", None),
        ("-3", -3),
        ("1e-3", 0.001),
        (".5", 0.5),
        (".inf", ".inf"),
        ("'3'", "3"),
        ("9" * 40, float("9" * 40)),
    ],
)
def test_plain_words_are_text_unless_they_are_json(plain: str, value: object) -> None:
    assert parse_document(f"key: {plain}\n").value == {"key": value}


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ("", "empty", 1),
        ("# only a comment\n", "empty", 1),
        ("a: 1\nb: 2\na: 3\n", "the key 'a' stands here and on line 1", 3),
        ("a: 1\nb: *a\n", "aliases", 2),
        ("a: &x 1\n", "anchors", 1),
        ("a:\n  - !!python/name:os.system x\n", "tags", 2),
        ("a: 1\n---\nb: 2\n", "second document", 2),
        ("a: 1\n\tb: 2\n", "not YAML", 2),
        ("a: 'open\n", "not YAML", 1),
        ("a: 1\nb: \x07\n", "not YAML", 2),
        ("[1]: 2\n", "key must be plain text", 1),
        ("- " * 30 + "x", "nested deeper", 1),
    ],
)
def test_what_the_subset_leaves_out_is_an_error_with_its_line(text: str, problem: str, line: int) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(text)
    assert problem in caught.value.problem
    assert abs(caught.value.line - line) <= (1 if "not YAML" in problem else 0)


def test_every_value_has_its_line() -> None:
    document = parse_document("a: 1\nb:\n  c: |\n    text\n  d:\n    - x\n    - y\n")
    assert document.line_of(("a",)) == 1
    assert document.line_of(("b", "c")) == 3
    assert document.line_of(("b", "d", 1)) == 7


def test_a_missing_value_has_the_line_of_what_should_hold_it() -> None:
    document = parse_document("a: 1\nb:\n  c: 2\n")
    assert document.line_of(("b", "missing")) == 2
    assert document.line_of(("missing",)) == 1
