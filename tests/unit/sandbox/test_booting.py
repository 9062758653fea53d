from __future__ import annotations

import asyncio
from typing import Any

import pytest

from monitor.sandbox.booting import Ready, boot
from monitor.sandbox.links import LinkLost


class Starting:
    """A process that answers its settings with this, or with nothing."""

    def __init__(self, answer: dict[str, Any] | None) -> None:
        self._answer = answer
        self.heard: list[dict[str, Any]] = []
        self.ended = False

    async def send(self, *messages: dict[str, Any]) -> None:
        self.heard += messages

    async def receive(self) -> dict[str, Any]:
        if self._answer is None:
            await asyncio.Event().wait()
        assert self._answer is not None
        return self._answer

    async def end(self) -> None:
        self.ended = True


async def test_a_supervisor_is_sent_its_source_then_its_settings_and_says_what_it_is() -> None:
    link = Starting({"ready": True, "python": "3.11.2", "seccomp": False, "accounting": "exact"})
    assert await boot(link, {"uids": 3}, "inside.cage:enclose", {"prefix": "/usr"}) == Ready(
        python="3.11.2", filtered=False, counted=True
    )
    source, settings = link.heard
    assert (source["entry"], source["arguments"]) == ("inside.cage:enclose", [{"prefix": "/usr"}])
    assert settings == {"uids": 3}
    assert not link.ended


async def test_a_process_that_says_something_else_or_nothing_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("monitor.sandbox.booting._READY_TIMEOUT_S", 0.01)
    for answer, why in (({"ready": True}, "python"), (None, "not ready after")):
        link = Starting(answer)
        with pytest.raises(LinkLost, match=why):
            await boot(link, {}, "inside.supervisor:main")
        assert link.ended
