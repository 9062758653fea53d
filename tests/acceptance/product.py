"""The installed `tailwatch` command, run the way its user runs it: as a program, never in-process."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHECKPOINTS = ROOT / "benchmarks" / "lab" / "checkpoints"
TAILWATCH = Path(sys.executable).with_name("tailwatch")

ENGINE_READY_S = 240.0
"""vLLM takes 40 s on two idle cores; a busy machine gets several times that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A command that has ended."""

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float

    @property
    def document(self) -> Any:
        """What ``--json`` printed."""
        return json.loads(self.out)

    def expect(self, code: int) -> Finished:
        """Fail with everything it said unless it ended with this code."""
        assert self.code == code, (
            f"tailwatch {' '.join(self.arguments)} ended with {self.code}, expected {code}\n"
            f"--- stdout\n{self.out}\n--- stderr\n{self.err}"
        )
        return self


@dataclass(slots=True, kw_only=True)
class Daemon:
    """`tailwatch serve`, running."""

    process: subprocess.Popen[bytes]
    address: str
    log: Path

    def said(self) -> str:
        """Everything it has logged."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str) -> httpx.Response:
        """One HTTP request."""
        return httpx.get(self.address + path, timeout=30)

    def decision_of(self, name: str) -> str | None:
        """The decision of a checkpoint's last evaluation; None while there is none."""
        for row in self.get("/api/checkpoints").json()["data"]:
            if row["name"] == name and row["last_evaluation"] is not None:
                return row["last_evaluation"]["decision"]["decision"]
        return None

    def wait_until(
        self, what: str, condition: Callable[[], bool], *, timeout_s: float, pause_s: float = 0.5
    ) -> None:
        """Wait for a condition while the daemon lives; fail with its log when it never holds."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert self.process.poll() is None, f"serve ended with {self.process.returncode}\n{self.said()}"
            assert time.monotonic() < deadline, f"not after {timeout_s:.0f} s: {what}\n{self.said()}"
            time.sleep(pause_s)

    def answers(self) -> bool:
        """Whether it answers HTTP."""
        with contextlib.suppress(httpx.HTTPError):
            return self.get("/health/live").status_code == 200
        return False

    def kill(self) -> None:
        """``kill -9`` of the process alone, as the kernel's out-of-memory killer does it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=10)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.terminate()
        return self.process.wait(timeout=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A folder with tailwatch.yaml, the watched folder and the store."""

    folder: Path
    port: int
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def arrivals(self) -> Path:
        """The watched folder."""
        return self.folder / "checkpoints"

    @property
    def store(self) -> Path:
        """The SQLite file."""
        return self.folder / "tailwatch.db"

    def configure(self, **changes: Any) -> None:
        """Write tailwatch.yaml: the lab's settings with top-level changes."""
        self.arrivals.mkdir(parents=True, exist_ok=True)
        content = {**lab_configuration(self.port), **changes}
        text = yaml.safe_dump(content, sort_keys=False)
        (self.folder / "tailwatch.yaml").write_text(text, encoding="utf-8")

    def copy_to(self, folder: Path) -> Deployment:
        """The same deployment, store included, somewhere else and on a port of its own."""
        shutil.copytree(self.folder, folder)
        copied = Deployment(folder=folder, port=free_port(), environment=self.environment)
        copied.configure()
        return copied

    def receive(self, name: str) -> None:
        """A lab checkpoint arrives in the watched folder."""
        shutil.copytree(CHECKPOINTS / name, self.arrivals / name)

    def run(self, *arguments: str, timeout_s: float = 90.0, **environment: str) -> Finished:
        """Run a command to its end."""
        began = time.monotonic()
        with subprocess.Popen(
            [str(TAILWATCH), *arguments],
            cwd=self.folder,
            env=self._environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                out, err = process.communicate()
                err += f"\n(killed by the test after {timeout_s:.0f} s)"
        return Finished(
            arguments=arguments,
            code=process.returncode,
            out=out,
            err=err,
            seconds=time.monotonic() - began,
        )

    @contextlib.contextmanager
    def serving(self, **environment: str):
        """`tailwatch serve` until the end of the block."""
        log = self.folder / "serve.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [str(TAILWATCH), "serve", "-c", "tailwatch.yaml"],
                cwd=self.folder,
                env=self._environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        daemon = Daemon(process=process, address=f"http://127.0.0.1:{self.port}", log=log)
        try:
            daemon.wait_until("it answers HTTP", daemon.answers, timeout_s=60)
            yield daemon
        finally:
            if process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=60)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Read the store from outside while others may write it."""
        with contextlib.closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=30)) as store:
            return store.execute(statement, values).fetchall()

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("TAILWATCH_")}
        return {**inherited, "NO_COLOR": "1", "COLUMNS": "160", **self.environment, **more}


def lab_configuration(port: int) -> dict[str, Any]:
    """tailwatch.yaml for the lab's checkpoints, with short waits."""
    return {
        "model": "lab",
        "checkpoints": {"source": "folder", "path": "checkpoints", "settle_s": 0.5},
        "engine": {
            "kind": "managed",
            "args": ["--max-model-len", "256", "--dtype", "float32", "--enforce-eager"],
            "concurrency": 96,
        },
        "suite": "lab",
        "sampling": {"samples_per_task": 16, "temperature": 1.0, "max_tokens": 128},
        "policy": {"margin": {"tail": 0.10, "torso": 0.10, "head": 0.05}},
        "schedule": {"poll": "1s", "recheck_promoted": "24h"},
        "store": "sqlite:///tailwatch.db",
        "serve": {"host": "127.0.0.1", "port": port},
    }


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
