"""A PostgreSQL server of the tests' own, from Debian's binaries."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.requirements import require

OWNER = "postgres"
"""PostgreSQL refuses to run as root, so the server then runs as Debian's user for it."""

_NUMBERS = count()


class PostgresServer:
    """A running server, reached over a loopback port without a password."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._data = folder / "data"
        self._port = _free_port()
        self._user = OWNER if os.geteuid() == 0 else None

    def start(self) -> None:
        self._run("initdb", "-U", OWNER, "--auth=trust", "--no-sync", "--encoding=UTF8")
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._data}"
        log = self._data / "log"
        self._run("pg_ctl", "-w", "-l", str(log), "-o", f"{options} -c fsync=off", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def url(self, database: str = OWNER) -> str:
        return f"postgresql://{OWNER}@127.0.0.1:{self._port}/{database}"

    def make_schema(self) -> str:
        """The URL of an empty schema, which costs a hundredth of what a database costs."""
        name = f"tailwatch{next(_NUMBERS)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"{self.url()}?options=-csearch_path%3D{name}"

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, "-D", self._data, *arguments],
            user=self._user,
            cwd="/",
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=60,
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    require("PostgreSQL", bool(found), "Install it with `apt-get install postgresql`.")
    # Not pytest's own temporary folder: that one is closed to the server's user.
    folder = Path(tempfile.mkdtemp(prefix="tailwatch-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, OWNER)
    server = PostgresServer(found[-1].parent, folder)
    try:
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> str:
    """An empty place in PostgreSQL."""
    return postgres.make_schema()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/tailwatch.db"
    made: str = request.getfixturevalue("postgres_url")
    return made
