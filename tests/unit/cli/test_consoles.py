"""Consoles keep what they print whole."""

from __future__ import annotations

import pytest

from monitor.cli.consoles import open_console

COMMAND = "Build one with `tailwatch baseline build models/acme-coder/v12 --samples 166 -c ours.yaml`."


def test_a_command_stays_on_one_line_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    open_console().print(COMMAND)
    assert capsys.readouterr().out == f"{COMMAND}\n"


def test_a_width_that_was_asked_for_is_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    open_console().print(COMMAND)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60
