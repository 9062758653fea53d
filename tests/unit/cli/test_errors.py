"""How a command that cannot go on says so."""

from __future__ import annotations

import errno
import json

import pytest

from monitor.cli import app


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/state/vllm.log"), "disk of /state/vllm.log"),
        (OSError(errno.ENOSPC, "No space left on device"), "`df -h` shows which"),
        (PermissionError(errno.EACCES, "Permission denied", "/state"), "/state cannot be used"),
    ],
)
def test_a_full_or_forbidden_disk_is_told_with_its_path_and_the_next_step(error, told, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["tailwatch", "serve"])
    app._report(error)
    said = capsys.readouterr().err
    assert told in said
    assert "did not expect" not in said


def test_what_no_reader_can_mend_is_called_unexpected(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["tailwatch", "serve"])
    app._report(OSError(errno.EBADF, "Bad file descriptor"))
    assert "did not expect" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["gate"], ["gate", "--no-such-option"], ["no-such-command"]])
def test_whoever_asked_for_json_gets_a_wrong_call_as_json_too(arguments, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["tailwatch", *arguments, "--json"])
    with pytest.raises(SystemExit) as ended:
        app.main()
    said = capsys.readouterr()
    assert ended.value.code == app.ERROR
    told = json.loads(said.out)["error"]
    assert told["kind"] == "invalid"
    assert told["message"] in said.err
    assert "--help" in told["next_step"]
