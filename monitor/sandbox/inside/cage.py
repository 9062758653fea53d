"""Builds namespaces and a bare root directory around the supervisor, where no container engine does.

Three processes: this one maps uids for the second, which makes the namespaces and forks the third,
their PID 1, which becomes the supervisor. Each ends when the one before it does.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

from . import accounting, kernel, supervisor

_NEW_USER, _NEW_OTHERS = 0x10000000, 0x00020000 | 0x20000000 | 0x08000000 | 0x40000000 | 0x04000000
"""CLONE_NEWUSER; CLONE_NEW mount, pid, ipc, net, uts."""
_READ_ONLY, _NO_SUID, _NO_DEV, _NO_EXEC, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = (
    1, 2, 4, 8, 32, 4096, 16384, 1 << 18,
)  # fmt: skip
_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_STAGE = "/sys"
"""Where the new root is put together: a directory that exists everywhere and that no program needs."""
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/etc")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_UIDS = 65536
_FIRST_HOST_UID = 0x70000000
"""Above every range that distributions give to users or containers."""

_libc = ctypes.CDLL(None, use_errno=True)


def enclose(options: dict[str, Any]) -> None:
    """Entry point of the namespace sandbox: never returns before the supervisor has ended."""
    kernel.die_with_parent()
    # While we may: in a namespace of its own, even root is an ordinary user.
    counter = accounting.start_inherited()
    mapped_read, mapped_write = os.pipe()
    made_read, made_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(mapped_write)
        kernel.die_with_parent()
        # From here on the interpreter's own directory may be out of reach by name, but not as ".".
        os.chdir(options["prefix"])
        _unshare(_NEW_USER)
        os.write(made_write, b"m")
        if os.read(mapped_read, 1) != b"m":
            os._exit(1)
        _inner(options, counter)
    os.close(made_write)
    if os.read(made_read, 1) == b"m":
        _map_uids(pid, fresh_uids=options["fresh_uids"])
        os.write(mapped_write, b"m")
    _, status = os.waitpid(pid, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def adopt(options: dict[str, Any]) -> None:
    """Entry point of the weakest mode: a plain process that only adopts what its programs leave behind."""
    kernel.die_with_parent()
    kernel.adopt_orphans()
    counter = accounting.start_inherited()
    os.chdir(options["root"])
    supervisor.main(counter)


def _inner(options: dict[str, Any], counter: int | None) -> None:
    if options["fresh_uids"]:
        os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    # Changing the uid has cleared it.
    kernel.die_with_parent()
    _unshare(_NEW_OTHERS)
    pid = os.fork()
    if pid == 0:
        kernel.die_with_parent()
        _build_root(options["prefix"], options["place_bytes"], options["place_inodes"])
        kernel.show_memory()
        supervisor.main(counter)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _map_uids(pid: int, *, fresh_uids: bool) -> None:
    """Give the new user namespace its uids: a range where we may, else our own alone."""
    if not fresh_uids:
        _write(f"/proc/{pid}/setgroups", "deny")
        _write(f"/proc/{pid}/uid_map", f"0 {os.geteuid()} 1")
        _write(f"/proc/{pid}/gid_map", f"0 {os.getegid()} 1")
    elif os.geteuid() == 0:
        _write(f"/proc/{pid}/uid_map", f"0 {_FIRST_HOST_UID} {_UIDS}")
        _write(f"/proc/{pid}/gid_map", f"0 {_FIRST_HOST_UID} {_UIDS}")
    else:
        # Imported where needed, since the programs' processes are forked from this one's child.
        import shutil  # noqa: PLC0415
        import subprocess  # noqa: PLC0415

        for tool, own, first in (
            ("newuidmap", os.geteuid(), "subuid"),
            ("newgidmap", os.getegid(), "subgid"),
        ):
            start, count = _sub_range(f"/etc/{first}")
            arguments = ["0", str(own), "1", "1", str(start), str(count)]
            subprocess.run([shutil.which(tool) or tool, str(pid), *arguments], check=True)


def _sub_range(path: str) -> tuple[int, int]:
    import getpass  # noqa: PLC0415

    names = (getpass.getuser(), str(os.geteuid()))
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, _, rest = line.strip().partition(":")
            if name in names:
                start, _, count = rest.partition(":")
                return int(start), int(count)
    raise LookupError(f"{path} gives {names[0]} no range")


def _build_root(prefix: str, place_bytes: int, place_inodes: int) -> None:
    """Make a root that shows programs and libraries, read-only, and nothing of anybody's data."""
    _mount("", "/", "", _RECURSIVE | _PRIVATE)
    _mount("tmpfs", _STAGE, "tmpfs", _NO_SUID | _NO_DEV, "mode=755,size=1m")
    _show(".", prefix)
    for path in _SYSTEM:
        if os.path.lexists(path) and not os.path.lexists(_STAGE + path):
            _show(path, path)
    os.mkdir(f"{_STAGE}/dev")
    for name in _DEVICES:
        _write(f"{_STAGE}/dev/{name}", "")
        _mount(f"/dev/{name}", f"{_STAGE}/dev/{name}", "", _BIND)
    os.symlink("/proc/self/fd", f"{_STAGE}/dev/fd")
    place = f"mode=1777,size={place_bytes},nr_inodes={place_inodes}"
    for name in ("/tmp", "/dev/shm"):  # noqa: S108
        os.mkdir(_STAGE + name)
        _mount("tmpfs", _STAGE + name, "tmpfs", _NO_SUID | _NO_DEV | _NO_EXEC, place)
    os.mkdir(f"{_STAGE}/proc")
    _mount("proc", f"{_STAGE}/proc", "proc", _NO_SUID | _NO_DEV | _NO_EXEC)
    os.chdir(_STAGE)
    number = _PIVOT_ROOT[os.uname().machine]
    _check(_libc.syscall(number, b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", _DETACH), "umount2")
    os.chdir("/")
    _mount("", "/", "", _REMOUNT | _BIND | _READ_ONLY | _NO_SUID | _NO_DEV)


def _show(source: str, path: str) -> None:
    """Make a directory of the host visible at its own place, read-only."""
    os.makedirs(os.path.dirname(_STAGE + path), mode=0o755, exist_ok=True)
    if os.path.islink(source):
        os.symlink(os.readlink(source), _STAGE + path)
        return
    os.mkdir(_STAGE + path, 0o755)
    _mount(source, _STAGE + path, "", _BIND | _RECURSIVE)
    # Flags of the original mount are locked for us: they have to be repeated.
    flags = os.statvfs(source).f_flag
    kept = _KEEP_TIMES & flags
    locked = sum(flag for flag in (_NO_DEV, _NO_EXEC) if flags & flag)
    _mount("", _STAGE + path, "", _REMOUNT | _BIND | _READ_ONLY | _NO_SUID | locked | kept)


_KEEP_TIMES = os.ST_NOATIME | os.ST_NODIRATIME | os.ST_RELATIME


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    given = [text.encode() if text else None for text in (source, target, kind)]
    result = _libc.mount(*given, ctypes.c_ulong(flags), data.encode() if data else None)
    _check(result, f"mount {kind or source} on {target}")


def _unshare(flags: int) -> None:
    _check(_libc.unshare(flags), "unshare")


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        print(f"{what}: {os.strerror(code)}", file=sys.stderr, flush=True)  # noqa: T201
        os._exit(1)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
