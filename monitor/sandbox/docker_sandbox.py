"""The Docker adapter: one warm, hardened container per slot."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Self

import docker
import docker.errors
from docker.constants import DEFAULT_UNIX_SOCKET

from monitor.domain.errors import SandboxTrouble
from monitor.domain.identity import content_digest
from monitor.domain.samples import Execution, Program
from monitor.processes import identify, is_gone
from monitor.sandbox import bundle
from monitor.sandbox.booting import boot
from monitor.sandbox.links import Link, LinkLost, Unframing, framed
from monitor.sandbox.pool import RECYCLE_AFTER, Pool, Tell, ignore_event
from monitor.sandbox.settings import inside_settings

DEFAULT_IMAGE = "tailwatch-sandbox:latest"
OWNER_LABEL = "io.tailwatch.sandbox.owner"
"""On every container: which process it serves, so that those of dead ones can be swept."""
_PLACES = ("/tmp", "/dev/shm")  # noqa: S108
_CAPABILITIES = ["SETUID", "SETGID", "KILL"]
"""What PID 1 needs to become a program's uid and to kill it; programs themselves have none."""
_END_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardening:
    """What a container may use, whatever the programs in it do."""

    memory_bytes: int = 768 * 2**20
    """Memory of all its processes and of its writable places; there is no swap beyond it."""
    processes: int = 128
    """Processes and threads of the whole container."""
    place_bytes: int = 64 * 2**20
    """Size of each writable place."""
    place_inodes: int = 4096


class DockerSandbox:
    """A pool of containers without network, capabilities or writable disk.

    Open it with :meth:`open`, close it with :meth:`close` or by ``async with``.
    """

    def __init__(self, client: docker.DockerClient, pool: Pool, identity: str) -> None:
        self._client = client
        self._pool = pool
        self._identity = identity

    @classmethod
    async def open(
        cls,
        *,
        slots: int,
        image: str = DEFAULT_IMAGE,
        runtime: str | None = None,
        hardening: Hardening | None = None,
        recycle_after: int = RECYCLE_AFTER,
        on_event: Tell = ignore_event,
    ) -> DockerSandbox:
        """Start the containers.

        Args:
            slots: programs that run at the same time, each in its own container.
            image: name or id of the image that ``deploy/sandbox`` makes.
            runtime: OCI runtime, for example ``runsc``; None for the engine's own default.
            hardening: limits of each container.
            recycle_after: programs after which a container is replaced.
            on_event: told of noteworthy events.

        Raises:
            SandboxTrouble: no engine answers, it lacks the image, or it cannot start a container.
        """
        client = await asyncio.to_thread(connect)
        hardening = hardening or Hardening()
        async with AsyncExitStack() as undo:
            undo.push_async_callback(asyncio.to_thread, client.close)
            image_id = await asyncio.to_thread(find_image, client, image)
            await asyncio.to_thread(sweep, client)
            starter = _Starter(client, image_id, runtime, hardening, recycle_after)
            pool = Pool(starter.start, slots=slots, recycle_after=recycle_after, on_event=on_event)
            await pool.open()
            undo.push_async_callback(pool.close)
            # Again: a process that was killed a moment ago may have been waiting for a container.
            await asyncio.to_thread(sweep, client)
            undo.pop_all()
        identity = content_digest("docker", image_id, runtime or "", bundle.digest(), repr(hardening))
        return cls(client, pool, identity)

    @property
    def identity(self) -> str:
        """Digest of what can change an outcome: image, runtime, supervisor, limits."""
        return self._identity

    async def execute(self, program: Program, *, fresh: bool = False) -> Execution:
        """Run one program against its tests; waits for a free slot. Raises SandboxTrouble."""
        return await self._pool.execute(program, fresh=fresh)

    async def close(self) -> None:
        """Remove every container."""
        await self._pool.close()
        await asyncio.to_thread(self._client.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def connect() -> docker.DockerClient:
    """The engine of the environment (DOCKER_HOST, or the local socket). Raises SandboxTrouble."""
    try:
        _knock(os.environ.get("DOCKER_HOST") or DEFAULT_UNIX_SOCKET)
        client = docker.from_env(timeout=60)
        client.ping()
    except (docker.errors.DockerException, OSError) as exc:
        next_step = (
            "Start the Docker engine and make sure this user may use it, "
            "or set `sandbox: {backend: namespace}`."
        )
        if "ProxyError" in str(exc):
            next_step = "A proxy of the environment was asked: add the host of DOCKER_HOST to NO_PROXY."
        raise SandboxTrouble(
            f"No Docker engine answers ({type(exc).__name__}: {str(exc)[:200]}).", next_step=next_step
        ) from exc
    return client


def _knock(address: str) -> None:
    """See whether anybody listens at a local address: the SDK leaks the sockets with which it fails."""
    scheme, _, path = address.partition("://")
    if scheme.endswith("unix"):
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.connect("/" + path.lstrip("/"))


def find_image(client: docker.DockerClient, image: str) -> str:
    """The id of an image. Raises SandboxTrouble when the engine does not have it."""
    try:
        return str(client.images.get(image).id)
    except docker.errors.ImageNotFound as exc:
        raise SandboxTrouble(
            f"The Docker engine has no image {image}.",
            next_step="Build it with `deploy/sandbox/build-image`, or with "
            f"`docker build -t {image} deploy/sandbox`.",
        ) from exc
    except docker.errors.APIError as exc:
        raise _trouble("looking for the image", exc) from exc


def sweep(client: docker.DockerClient) -> int:
    """Remove the containers of processes on this machine that are no more; how many there were."""
    removed = 0
    try:
        for container in client.containers.list(
            all=True, filters={"label": OWNER_LABEL}, ignore_removed=True
        ):
            if is_gone(container.labels.get(OWNER_LABEL, "")):
                with contextlib.suppress(docker.errors.APIError):
                    container.remove(force=True)
                    removed += 1
    except docker.errors.APIError as exc:
        raise _trouble("removing what a killed process left", exc) from exc
    return removed


def _trouble(doing: str, exc: Exception) -> SandboxTrouble:
    return SandboxTrouble(
        f"The Docker engine failed while {doing} ({str(exc)[:300]}).",
        next_step="Run `tailwatch doctor` to see what is wrong with it.",
    )


class _Starter:
    """Makes hardened containers of one image."""

    def __init__(
        self,
        client: docker.DockerClient,
        image_id: str,
        runtime: str | None,
        hardening: Hardening,
        recycle_after: int,
    ) -> None:
        self._client = client
        self._image_id = image_id
        self._runtime = runtime
        self._hardening = hardening
        self._recycle_after = recycle_after

    async def start(self) -> Link:
        """A container whose supervisor is ready. Raises SandboxTrouble."""
        try:
            link = await self._attached()
        except (docker.errors.DockerException, OSError) as exc:
            raise _trouble("starting a container", exc) from exc
        settings = inside_settings(
            uids=self._recycle_after + 1,
            places=_PLACES,
            own_places=True,
            fresh_uids=True,
            contained=True,
        )
        try:
            ready = await boot(link, settings, "inside.supervisor:main")
        except LinkLost as exc:
            raise SandboxTrouble(
                f"The supervisor in a container of {self._image_id[:19]} did not start ({exc}).",
                next_step="Rebuild the image with `deploy/sandbox/build-image`, then run `tailwatch doctor`.",
            ) from exc
        if not ready.filtered:
            await link.end()
            raise SandboxTrouble(
                "There is no filter of system calls for the engine's processor.",
                next_step="Run the engine on x86_64 or aarch64.",
            )
        return link

    async def _attached(self) -> AttachedLink:
        container, attached = await asyncio.to_thread(self._create)
        link = AttachedLink(self._client, container, attached)
        try:
            await asyncio.to_thread(self._client.api.start, container)
        except BaseException:
            await link.end()
            raise
        return link

    def _create(self) -> tuple[str, socket.socket]:
        api = self._client.api
        made = api.create_container(
            self._image_id,
            command=["python3", *bundle.INTERPRETER_OPTIONS, bundle.BOOT],
            user="0:0",
            stdin_open=True,
            hostname="sandbox",
            # Beside its mode: the runtime then makes the network's namespace, and not the engine, whose two
            # processes for that cost nearly as much as all the rest of a start.
            network_disabled=True,
            labels={OWNER_LABEL: identify()},
            environment={"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"},
            host_config=api.create_host_config(**self._host_config()),
        )
        container = str(made["Id"])
        try:
            stream = api.attach_socket(container, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
            return container, _plain_socket(stream)
        except BaseException:
            api.remove_container(container, force=True)
            raise

    def _host_config(self) -> dict[str, Any]:
        limits = self._hardening
        place = f"size={limits.place_bytes},nr_inodes={limits.place_inodes},mode=1777,noexec,nosuid,nodev"
        return {
            "network_mode": "none",
            "read_only": True,
            "cap_drop": ["ALL"],
            "cap_add": _CAPABILITIES,
            "security_opt": ["no-new-privileges"],
            "pids_limit": limits.processes,
            "mem_limit": limits.memory_bytes,
            "memswap_limit": limits.memory_bytes,
            "tmpfs": dict.fromkeys(_PLACES, place),
            "ipc_mode": "none",
            "log_config": {"type": "none"},
            "auto_remove": True,
            "runtime": self._runtime,
        }


def _plain_socket(stream: Any) -> socket.socket:
    """The socket under the SDK's stream, ours from here on."""
    plain = getattr(stream, "_sock", None)
    if type(plain) is not socket.socket:
        raise SandboxTrouble(
            "The Docker engine is reached over TLS, which the sandbox does not speak.",
            next_step="Run Tailwatch beside the engine, or forward its socket over ssh.",
        )
    owned = socket.socket(fileno=os.dup(plain.fileno()))
    # The SDK's response and its socket both have to be closed for the descriptor to be given back.
    stream._response.close()  # noqa: SLF001
    plain.close()
    owned.setblocking(False)
    return owned


class AttachedLink:
    """The standard streams of a container, which the engine carries in numbered pieces."""

    def __init__(self, client: docker.DockerClient, container: str, attached: socket.socket) -> None:
        self._client = client
        self._container = container
        self._socket = attached
        self._raw = bytearray()
        self._unframing = Unframing()
        self._last_words = b""

    async def send(self, *messages: dict[str, Any]) -> None:
        """Send messages in one piece."""
        try:
            await asyncio.get_running_loop().sock_sendall(self._socket, framed(*messages))
        except OSError as exc:
            raise LinkLost(self._farewell()) from exc

    async def receive(self) -> dict[str, Any]:
        """The next message."""
        loop = asyncio.get_running_loop()
        while (message := self._unframing.next_message()) is None:
            try:
                data = await loop.sock_recv(self._socket, 65536)
            except OSError as exc:
                raise LinkLost(self._farewell()) from exc
            if not data:
                raise LinkLost(self._farewell())
            self._raw += data
            self._sort()
        return message

    def _sort(self) -> None:
        """Take complete pieces off the raw stream: standard output is messages, the rest last words."""
        while len(self._raw) >= 8:
            end = 8 + int.from_bytes(self._raw[4:8], "big")
            if len(self._raw) < end:
                return
            piece = bytes(self._raw[8:end])
            if self._raw[0] == 1:
                self._unframing.feed(piece)
            else:
                self._last_words = (self._last_words + piece)[-2000:]
            del self._raw[:end]

    def _farewell(self) -> str:
        return self._last_words.decode("utf-8", "replace").strip() or "its container ended"

    async def end(self) -> None:
        """Remove the container; one that is gone already is fine."""
        self._socket.close()
        with contextlib.suppress(docker.errors.APIError, OSError, TimeoutError):
            async with asyncio.timeout(_END_TIMEOUT_S):
                await asyncio.to_thread(self._client.api.remove_container, self._container, force=True)
