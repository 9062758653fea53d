"""The adapters without a container engine: namespaces, and the weakest mode with rlimits alone."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from monitor.domain.errors import SandboxTrouble
from monitor.domain.identity import content_digest
from monitor.domain.samples import Execution, Program
from monitor.sandbox import bundle
from monitor.sandbox.booting import Ready, boot
from monitor.sandbox.inside import uids
from monitor.sandbox.links import Link, LinkLost, ProcessLink
from monitor.sandbox.pool import RECYCLE_AFTER, Pool, Tell, ignore_event
from monitor.sandbox.settings import ENVIRONMENT, inside_settings

NAMESPACE_WARNING = (
    "Programs run in namespaces of this machine's kernel, without a container engine's own checks "
    "and without a memory limit for all their processes together."
)
RLIMIT_WARNING = (
    "Programs run as plain processes of this machine with resource limits only: they see its files "
    "and its network. Use this for models of your own making, never for strangers'."
)
_UNFILTERED_WARNING = (
    " Nor is there a filter of system calls for this processor: programs may ask the kernel for anything."
)
_UNCOUNTED_WARNING = (
    " The CPU time of processes that nobody waits for is estimated, since this user may count no events "
    "(as root: sysctl kernel.perf_event_paranoid=2)."
)
_PLACE_BYTES, _PLACE_INODES = 64 * 2**20, 4096


class NamespaceSandbox:
    """A pool of supervisors in user, pid, mount, ipc, network and uts namespaces of their own."""

    def __init__(self, pool: Pool, identity: str, warning: str) -> None:
        self._pool = pool
        self._identity = identity
        self.warning = warning
        """How it is weaker than containers, in sentences for a reader."""

    @classmethod
    async def open(
        cls,
        *,
        slots: int,
        python: str | None = None,
        recycle_after: int = RECYCLE_AFTER,
        on_event: Tell = ignore_event,
    ) -> NamespaceSandbox:
        """Start the supervisors.

        Args:
            slots: programs that run at the same time, each in its own namespaces.
            python: interpreter for supervisor and programs; None for the one we run on.
            recycle_after: programs after which the namespaces are replaced.
            on_event: told of noteworthy events.

        Raises:
            SandboxTrouble: the kernel does not let this user make namespaces.
        """
        launch = _namespace_launch(python or interpreter())
        starter = _Starter(launch, recycle_after)
        pool = Pool(starter.start, slots=slots, recycle_after=recycle_after, on_event=on_event)
        await pool.open()
        return cls(pool, starter.identify("namespace"), starter.warn(NAMESPACE_WARNING))

    @property
    def identity(self) -> str:
        """Digest of what can change an outcome: interpreter, supervisor, kind of sandbox."""
        return self._identity

    async def execute(self, program: Program, *, fresh: bool = False) -> Execution:
        """Run one program against its tests; waits for a free slot. Raises SandboxTrouble."""
        return await self._pool.execute(program, fresh=fresh)

    async def close(self) -> None:
        """End every supervisor and all that runs under it."""
        await self._pool.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class RlimitSandbox:
    """The weakest mode, for models of one's own making: processes with resource limits and nothing else."""

    def __init__(self, pool: Pool, identity: str, warning: str, root: Path) -> None:
        self._pool = pool
        self._identity = identity
        self.warning = warning
        self._root = root

    @classmethod
    async def open(
        cls,
        *,
        slots: int,
        python: str | None = None,
        recycle_after: int = RECYCLE_AFTER,
        on_event: Tell = ignore_event,
    ) -> RlimitSandbox:
        """Start the supervisors; arguments as for :meth:`NamespaceSandbox.open`. Raises SandboxTrouble."""
        root = _new_root()
        launch = _rlimit_launch(python or interpreter(), root)
        starter = _Starter(launch, recycle_after)
        pool = Pool(starter.start, slots=slots, recycle_after=recycle_after, on_event=on_event)
        try:
            await pool.open()
        except BaseException:
            shutil.rmtree(root, ignore_errors=True)
            raise
        return cls(pool, starter.identify("rlimit"), starter.warn(RLIMIT_WARNING), root)

    @property
    def identity(self) -> str:
        """Digest of what can change an outcome: interpreter, supervisor, kind of sandbox."""
        return self._identity

    async def execute(self, program: Program, *, fresh: bool = False) -> Execution:
        """Run one program against its tests; waits for a free slot. Raises SandboxTrouble."""
        return await self._pool.execute(program, fresh=fresh)

    async def close(self) -> None:
        """End every supervisor and all that runs under it."""
        await self._pool.close()
        shutil.rmtree(self._root, ignore_errors=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Launch:
    """How one kind of supervisor is started."""

    python: str
    entry: str
    """Module and function inside that make the surroundings and then become the supervisor."""
    options: dict[str, Any]
    """Their argument."""
    root: Path | None
    """Where each supervisor gets its writable place on disk; None when it has file systems of its own."""
    fresh_uids: bool
    next_step: str
    """What the reader can do when it does not start."""


def _new_root() -> Path:
    """A directory that programs of any uid may pass through."""
    root = Path(tempfile.mkdtemp(prefix="tailwatch-rlimit-"))
    root.chmod(0o755)
    return root


def interpreter() -> str:
    """The interpreter under the virtual environment we run in, if any: its files can be shown alone."""
    return str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())


def can_map_uids() -> bool:
    """Whether a user namespace of ours can have more than one uid."""
    return os.geteuid() == 0 or (shutil.which("newuidmap") is not None and _has_sub_range())


def _has_sub_range() -> bool:
    import getpass  # noqa: PLC0415

    try:
        lines = Path("/etc/subuid").read_text("utf-8").splitlines()
    except OSError:
        return False
    return any(line.partition(":")[0] in (getpass.getuser(), str(os.geteuid())) for line in lines)


def _namespace_launch(python: str) -> _Launch:
    fresh_uids = can_map_uids()
    options = {
        "fresh_uids": fresh_uids,
        "prefix": str(Path(python).parent.parent),
        "place_bytes": _PLACE_BYTES,
        "place_inodes": _PLACE_INODES,
    }
    return _Launch(
        python=python,
        entry="inside.cage:enclose",
        options=options,
        root=None,
        fresh_uids=fresh_uids,
        next_step="Allow user namespaces for this user (see `tailwatch doctor`), run as root, or use Docker.",
    )


def _rlimit_launch(python: str, root: Path) -> _Launch:
    return _Launch(
        python=python,
        entry="inside.cage:adopt",
        options={"root": str(root)},
        root=root,
        # Root of a namespace in which only root is mapped can become nobody else.
        fresh_uids=os.geteuid() == 0 and len(uids.free()) > 0,
        next_step="See the message for what the system refused.",
    )


class _Starter:
    """Starts supervisors as child processes."""

    def __init__(self, launch: _Launch, recycle_after: int) -> None:
        self._launch = launch
        self._recycle_after = recycle_after
        self._ready = Ready(python="", filtered=False, counted=False)

    async def start(self) -> Link:
        """A supervisor that is ready. Raises SandboxTrouble."""
        launch = self._launch
        try:
            settings = self._settings()
            link = await self._launched()
            self._ready = await boot(link, settings, launch.entry, launch.options)
        except (LinkLost, OSError) as exc:
            raise SandboxTrouble(
                f"The sandbox's supervisor did not start ({str(exc)[-300:]}).", next_step=launch.next_step
            ) from exc
        return link

    def identify(self, kind: str) -> str:
        """Digest of what can change an outcome, once one has started."""
        launch = self._launch
        # Where the weakest mode puts its files changes nothing, and is new each time.
        options = sorted(item for item in launch.options.items() if item[0] != "root")
        return content_digest(kind, launch.python, self._ready.python, bundle.digest(), repr(options))

    def warn(self, warning: str) -> str:
        """The warning of this kind of sandbox, and of what one that has started lacks."""
        if not self._ready.filtered:
            warning += _UNFILTERED_WARNING
        return warning if self._ready.counted else warning + _UNCOUNTED_WARNING

    async def _launched(self) -> ProcessLink:
        process = await asyncio.create_subprocess_exec(
            self._launch.python,
            *bundle.INTERPRETER_OPTIONS,
            bundle.BOOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=ENVIRONMENT,
            cwd="/",
        )
        return ProcessLink(process)

    def _settings(self) -> dict[str, Any]:
        launch = self._launch
        places = ["/tmp", "/dev/shm"]  # noqa: S108
        if launch.root is not None:
            place = Path(tempfile.mkdtemp(dir=launch.root))
            place.chmod(0o1777)
            places = [str(place)]
        return inside_settings(
            uids=self._recycle_after + 1,
            places=places,
            own_places=launch.root is None,
            fresh_uids=launch.fresh_uids,
            contained=False,
        )
