"""What a sandbox needs of this machine, whether it is here, and how to mend what is not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import docker

from monitor.domain.errors import SandboxTrouble
from monitor.domain.samples import Limits, Outcome, Program
from monitor.ports import Check, Sandbox
from monitor.sandbox import docker_sandbox
from monitor.sandbox.docker_sandbox import DEFAULT_IMAGE, DockerSandbox
from monitor.sandbox.process_sandbox import NAMESPACE_WARNING, NamespaceSandbox, can_map_uids

_TROUBLE = "See docs/sandbox.md, `Trouble`."
_ALLOW_NAMESPACES = (
    "As root: sysctl user.max_user_namespaces=10000 kernel.apparmor_restrict_unprivileged_userns=0."
)
_PROBE = Program(
    language="python",
    source="def probe(values):\n    values.sort()\n    return sum(values)\n",
    test="def check(candidate):\n    v = [3, 1]\n    assert candidate(v) == 4 and v == [1, 3]\n",
    entry_point="probe",
)
_STUCK = Program(
    language="python",
    source="def probe(_):\n    while True:\n        pass\n",
    test=_PROBE.test,
    entry_point="probe",
    limits=Limits(cpu_s=0.2),
)


async def diagnose(
    *, backend: str = "docker", image: str = DEFAULT_IMAGE, runtime: str | None = None
) -> list[Check]:
    """Check everything that the chosen backend needs, down to programs that must pass or time out.

    Args:
        backend: ``docker`` or ``namespace``.
        image: name or id of the Docker image.
        runtime: OCI runtime; None for the engine's default.
    """
    if backend == "namespace":
        return [*_namespaces(), *await _trial(lambda: NamespaceSandbox.open(slots=1))]
    try:
        client = await asyncio.to_thread(docker_sandbox.connect)
    except SandboxTrouble as exc:
        return [_bad("docker engine", exc)]
    try:
        checks = await asyncio.to_thread(_engine, client, image, runtime)
    finally:
        client.close()
    if all(check.ok for check in checks):
        checks += await _trial(lambda: DockerSandbox.open(slots=1, image=image, runtime=runtime))
    return checks


def _bad(name: str, trouble: SandboxTrouble) -> Check:
    return Check(name=name, ok=False, detail=trouble.message, next_step=trouble.next_step)


def _engine(client: docker.DockerClient, image: str, runtime: str | None) -> list[Check]:
    info: Mapping[str, Any] = client.info()
    return [
        Check(
            name="docker engine",
            ok=True,
            detail=f"{info['ServerVersion']}, cgroup v{info.get('CgroupVersion', '1')}, "
            f"{info['NCPU']} CPUs, {int(info['MemTotal']) // 2**20} MiB",
            next_step="",
        ),
        _image(client, image),
        _limits(info),
        _seccomp(info),
        _runtime(info, runtime),
    ]


def _image(client: docker.DockerClient, image: str) -> Check:
    try:
        return Check(
            name="image",
            ok=True,
            detail=f"{image} is {docker_sandbox.find_image(client, image)[:19]}",
            next_step="",
        )
    except SandboxTrouble as exc:
        return _bad("image", exc)


def _limits(info: Mapping[str, Any]) -> Check:
    missing = [name for name in ("MemoryLimit", "SwapLimit", "PidsLimit") if not info.get(name, False)]
    return Check(
        name="control groups",
        ok="MemoryLimit" not in missing and "PidsLimit" not in missing,
        detail=f"the engine cannot set {', '.join(missing)}"
        if missing
        else "memory, swap and process limits work",
        next_step="Boot with the kernel options cgroup_enable=memory swapaccount=1." if missing else "",
    )


def _seccomp(info: Mapping[str, Any]) -> Check:
    there = any("seccomp" in option for option in info.get("SecurityOptions") or ())
    return Check(
        name="seccomp",
        ok=there,
        detail="the engine's profile and ours are both applied"
        if there
        else "the engine was built without seccomp",
        next_step="" if there else "Use an engine and a kernel with seccomp.",
    )


def _runtime(info: Mapping[str, Any], runtime: str | None) -> Check:
    known = sorted(info.get("Runtimes") or {})
    ok = runtime is None or runtime in known
    return Check(
        name="runtime",
        ok=ok,
        detail=f"{runtime or info.get('DefaultRuntime', 'default')} of {', '.join(known)}",
        next_step="" if ok else f"Register {runtime} with the engine (`dockerd --add-runtime`).",
    )


def _namespaces() -> list[Check]:
    allowed = _number("/proc/sys/user/max_user_namespaces") != 0
    apparmor = _number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1 and os.geteuid() != 0
    ok = allowed and not apparmor
    uids = can_map_uids()
    return [
        Check(
            name="isolation",
            ok=True,
            detail=NAMESPACE_WARNING,
            next_step="Install a Docker engine and set `sandbox: {backend: docker}` for more.",
        ),
        Check(
            name="user namespaces",
            ok=ok,
            detail="allowed" if ok else "the system keeps this user from making them",
            next_step="" if ok else _ALLOW_NAMESPACES,
        ),
        Check(
            name="own uids",
            # Weaker without, not broken: programs then share the judge's uid.
            ok=True,
            detail="each program gets a uid of its own"
            if uids
            else "programs share one uid, which is weaker",
            next_step=""
            if uids
            else "Install uidmap and give this user a range in /etc/subuid and /etc/subgid.",
        ),
    ]


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text("ascii"))
    except (OSError, ValueError):
        return None


async def _trial(open_sandbox: Callable[[], Awaitable[Sandbox]]) -> list[Check]:
    """Run a program that must pass and one that must be stopped."""
    try:
        sandbox = await open_sandbox()
    except SandboxTrouble as exc:
        return [_bad("sandbox starts", exc)]
    try:
        passed, stopped = await asyncio.gather(sandbox.execute(_PROBE), sandbox.execute(_STUCK))
    except SandboxTrouble as exc:
        return [_bad("programs run", exc)]
    finally:
        await sandbox.close()
    return [
        Check(
            name="programs run",
            ok=passed.outcome is Outcome.PASSED,
            detail=f"{passed.outcome.value} {passed.detail}".strip(),
            next_step="" if passed.outcome is Outcome.PASSED else _TROUBLE,
        ),
        Check(
            name="loops are stopped",
            ok=stopped.outcome is Outcome.TIMED_OUT,
            detail=f"after {stopped.cpu_s:.2f} s of CPU"
            if stopped.outcome is Outcome.TIMED_OUT
            else stopped.detail,
            next_step="" if stopped.outcome is Outcome.TIMED_OUT else _TROUBLE,
        ),
    ]
