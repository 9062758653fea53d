"""One vLLM server process of ours: started, watched, ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from monitor.domain.errors import EngineTrouble, PortTaken
from monitor.generation import orphans, server_log

_LOOPBACK = "127.0.0.1"
_POLL_S = 0.1
GRACE_S = 5.0
"""How long a server may take to end itself before its leash kills it."""


def free_port(wanted: int | None) -> int:
    """A loopback port nobody listens on.

    Args:
        wanted: the port to take; None for any.

    Raises:
        PortTaken: somebody listens on the wanted one.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, wanted or 0))
        except OSError as exc:
            raise PortTaken(
                f"The vLLM server cannot listen on {_LOOPBACK}:{wanted}: {exc.strerror}.",
                next_step="Leave the port out of the engine's settings to take any free one, "
                "or end the other process.",
            ) from exc
        return int(probe.getsockname()[1])


class ServerProcess:
    """A leashed server process.

    Args:
        process: the leash, with a pipe as standard input.
        url: where the server will answer.
        log: file that the server writes to.
        record: file that remembers the leash until it has ended.
    """

    def __init__(self, process: asyncio.subprocess.Process, *, url: str, log: Path, record: Path) -> None:
        self.url = url
        self.log = log
        self._process = process
        self._record = record

    @classmethod
    async def start(
        cls, command: Sequence[str], environment: Mapping[str, str], *, folder: Path, port: int
    ) -> ServerProcess:
        """Start the command; it does not answer yet.

        Args:
            command: a leash with the server's command.
            environment: all of its environment.
            folder: where its log and its record go.
            port: the loopback port that the command names.
        """
        log = server_log.fresh_log(folder)
        with log.open("wb") as sink:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=sink,
                stderr=asyncio.subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
            )
        record = orphans.record_leash(folder, process.pid)
        return cls(process, url=f"http://{_LOOPBACK}:{port}", log=log, record=record)

    @property
    def alive(self) -> bool:
        """Whether it has not ended, as far as is known by now."""
        return self._process.returncode is None

    async def trouble(self) -> EngineTrouble:
        """Wait until the server ends, and say what its log says."""
        status = await self._process.wait()
        return self._trouble(f"The vLLM server ended with status {status}")

    async def ready(self, *, within_s: float) -> None:
        """Wait until it answers.

        Raises:
            EngineTrouble: it ended, or did not answer in time; it is then ended.
        """
        ended = asyncio.create_task(self.trouble())
        answering = asyncio.create_task(self._answering())
        try:
            done, _ = await asyncio.wait(
                {ended, answering}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED
            )
            if ended in done:
                raise ended.result()
            if not done:
                raise self._trouble(f"The vLLM server was not ready within {within_s:g} s (`engine.ready_s`)")
        finally:
            for task in (ended, answering):
                task.cancel()
            await asyncio.gather(ended, answering, return_exceptions=True)

    async def stop(self) -> None:
        """End the server and everything it started; returns when all of it has ended."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), timeout=GRACE_S + 5)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, 9)
            await self._process.wait()
        await asyncio.to_thread(orphans.end_orphans, self._record.parent)

    async def _answering(self) -> None:
        async with httpx.AsyncClient(
            base_url=self.url,
            timeout=5,
            trust_env=False,
            verify=False,  # noqa: S501 - plain HTTP on loopback; reading certificates takes 0.1 s
        ) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get("/health")).is_success:
                        return
                await asyncio.sleep(_POLL_S)

    def _trouble(self, what: str) -> EngineTrouble:
        blamed = server_log.cause(self.log)
        because = f": {blamed}" if blamed else ""
        lines = "\n  ".join(server_log.last_lines(self.log)) or "(nothing)"
        return EngineTrouble(
            f"{what}{because}. Its last log lines:\n  {lines}\n",
            next_step=f"Read {self.log}; arguments for vLLM go into `engine: {{args: […]}}`.",
        )
