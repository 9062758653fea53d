"""Files in the watched folder that no read of would ever end, beside a checkpoint like any other."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.product import Daemon, Deployment

STOP_S = 10.0
ODD_NAME = b"caf\xe9\x1b[31m"
SHOWN_NAME = r"caf\xe9\x1b[31m"
HUGE_BYTES = 200 * 2**30
STRANGE: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "circle": lambda path: path.symlink_to(path.name),
    "nowhere": lambda path: path.symlink_to("gone"),
}


@pytest.fixture
def strange(deployment: Deployment) -> Deployment:
    """Pipes, devices, circles, a socket and 200 GB of nothing where files of checkpoints are expected."""
    deployment.configure(
        engine={"kind": "remote", "url": "http://127.0.0.1:9"}, sandbox={"backend": "namespace", "slots": 1}
    )
    for kind, make in STRANGE.items():
        for file in ("config.json", "model.safetensors", "tailwatch.yaml"):
            make(_without(deployment, f"{kind}-{file}", file))
    _listen_at(_without(deployment, "socket", "merges.txt"))
    os.truncate(deployment.arrivals / "socket" / "tokenizer.json", 0)
    config = _without(deployment, "sparse-config", "config.json")
    config.touch()
    os.truncate(config, HUGE_BYTES)
    _write_huge(_without(deployment, "sparse-weights", "model.safetensors"))
    deployment.receive("gen1")
    deployment.receive("gen2")
    (deployment.arrivals / "gen2").rename(deployment.arrivals / os.fsdecode(ODD_NAME))
    return deployment


def _without(deployment: Deployment, name: str, file: str) -> Path:
    """Where a file was in a checkpoint of this name."""
    deployment.receive("gen0")
    folder = (deployment.arrivals / "gen0").rename(deployment.arrivals / name)
    (folder / file).unlink(missing_ok=True)
    return folder / file


def _listen_at(path: Path) -> None:
    before = Path.cwd()
    os.chdir(path.parent)  # The name of a socket may have 107 bytes, less than the path of a test's folder.
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(before)


def _write_huge(path: Path) -> None:
    """Weights that are whole by their header, and a hole on the disk."""
    tensor = {"dtype": "U8", "shape": [HUGE_BYTES], "data_offsets": [0, HUGE_BYTES]}
    header = json.dumps({"tensor": tensor}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    os.truncate(path, 8 + len(header) + HUGE_BYTES)


def _figure(daemon: Daemon, name: str) -> float:
    lines = daemon.get("/metrics").text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name}{{")), -1.0)


def _names(daemon: Daemon) -> set[str]:
    """Of all checkpoints; every page, the API and the metrics answer."""
    rows = daemon.get("/api/checkpoints").json()["data"]
    digests = {row["name"]: row["digest"] for row in rows}
    for path in ("/", "/metrics", "/health", *(f"/checkpoints/{digest}" for digest in digests.values())):
        answer = daemon.get(path)
        assert answer.status_code in {200, 503}, path
        assert "\x1b" not in answer.text
    return set(digests)


def _forget_the_odd_one(deployment: Deployment, daemon: Daemon) -> None:
    daemon.wait_until("the odd name is known", lambda: SHOWN_NAME in _names(daemon), timeout_s=60)
    shutil.rmtree(deployment.arrivals / os.fsdecode(ODD_NAME))
    deployment.run("forget", SHOWN_NAME, "--yes", "--json").expect(0)
    assert SHOWN_NAME not in _names(daemon)


def test_a_checkpoint_beside_them_settles_and_sigterm_ends_the_daemon(
    strange: Deployment,
) -> None:
    with strange.serving() as daemon:
        daemon.wait_until(
            "gen1 is known", lambda: '"name":"gen1"' in daemon.get("/api/checkpoints").text, timeout_s=60
        )
        daemon.wait_until(
            "each of them is named",
            lambda: _figure(daemon, "tailwatch_unusable_checkpoints") == 3 * len(STRANGE) + 2,
            timeout_s=60,
        )
        seen = _figure(daemon, "tailwatch_last_poll_timestamp_seconds")
        daemon.wait_until(
            "another look ended",
            lambda: _figure(daemon, "tailwatch_last_poll_timestamp_seconds") > seen + 1,
            timeout_s=60,
        )
        _forget_the_odd_one(strange, daemon)
        began = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - began < STOP_S, daemon.said()
    assert "it is a named pipe, not a regular file" in daemon.said()
