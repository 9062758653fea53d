from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.sandbox.links import LinkLost, Unframing, framed

messages = st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none()), max_size=5)


@settings(deadline=None)
@given(messages, st.integers(1, 50))
def test_messages_come_out_as_they_went_in_however_the_stream_is_cut(
    sent: list[dict[str, object]], size: int
) -> None:
    stream = b"".join(framed(message) for message in sent)
    unframing, found = Unframing(), []
    for at in range(0, len(stream), size):
        unframing.feed(stream[at : at + size])
        while (message := unframing.next_message()) is not None:
            found.append(message)
    assert found == sent


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x01{", b"\x00\x00\x00\x02[]"])
def test_what_no_supervisor_says_is_a_lost_link(data: bytes) -> None:
    unframing = Unframing()
    unframing.feed(data)
    with pytest.raises(LinkLost):
        unframing.next_message()
