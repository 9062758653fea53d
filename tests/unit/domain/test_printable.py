from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.printable import escape_name, printable, unescape_name

NAMES = st.binary(min_size=1).map(lambda name: name.decode("utf-8", "surrogateescape"))


@given(name=NAMES)
def test_an_escaped_name_can_be_shown_everywhere_and_undone(name: str) -> None:
    escaped = escape_name(name)
    assert escaped.isprintable()
    escaped.encode()
    assert unescape_name(escaped) == name


@given(text=st.text(st.characters()))
def test_any_text_becomes_printable_and_a_printable_one_stays(text: str) -> None:
    assert printable(text).isprintable()
    printable(text).encode()
    assert printable(printable(text)) == printable(text)


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ("step 100 (best) é", "-dash", "模型"):
        assert escape_name(name) == name


def test_a_checkpoint_never_holds_a_name_that_cannot_be_encoded() -> None:
    checkpoint = Checkpoint(digest="0" * 64, name="a\udce9\x1b[2J", location="/w/a\udce9")
    assert (checkpoint.name, checkpoint.location) == (r"a\xe9\x1b[2J", r"/w/a\xe9")
    assert checkpoint.path == "/w/a\udce9"
