from __future__ import annotations

import os
from pathlib import Path

import pytest

from monitor.weights.files import open_regular, read_start, read_whole, state_of


def test_a_file_is_read_as_far_as_asked(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    assert read_start(file, 4) == b"0123"
    assert read_start(file, 40) == b"0123456789"
    assert read_whole(file, most_bytes=10) == b"0123456789"
    with pytest.raises(OSError, match="larger than 9 bytes"):
        read_whole(file, most_bytes=9)
    assert state_of(file).size == 10


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        for read in (open_regular, state_of):
            with pytest.raises(OSError, match="it is a named pipe, not a regular file"):
                read(tmp_path / name)
    with pytest.raises(OSError, match="it is a folder"):
        open_regular(tmp_path)
    with pytest.raises(OSError, match="it is a device"):
        open_regular(Path("/dev/zero"))
