"""The processes that run candidates: a zygote forked before any test arrives, and its children.

The zygote holds no job, ever: a child of it gets its program over its own channel from the judge.
In split mode that is the source alone; the tests stay with the judge.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import resource
import socket
import sys
import types
from collections.abc import Callable
from typing import Any, NoReturn

from . import codec, kernel, raising, seccomp, wire, wording
from .lending import CALLED, NEXT, NUMBER, PLAIN, Lender, ends_iteration

PROGRAM_FILE = "<program>"
TEST_FILE = "<test>"
CALL = "call"
"""What the judge asks of the program's function, whose number is 0, rather than of an object that it lent."""
NOT_COMPILED_STATUS = 97
"""Exit status of a child whose program did not compile."""

_PRELOADED = (
    *("abc", "bisect", "cmath", "collections", "copy", "dataclasses", "datetime", "decimal", "enum"),
    *("fractions", "functools", "hashlib", "heapq", "itertools", "json", "math", "operator", "re"),
    *("string", "textwrap", "time", "typing"),
)
"""What programs import most: paid for once, not once per program. Not random and not threading (nor what
imports them): they hook into every fork, which costs more than it saves."""
_FIXED_LIMITS = (
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_NOFILE, 256),
    (resource.RLIMIT_FSIZE, 32 * 2**20),
    (resource.RLIMIT_MEMLOCK, 0),
    (resource.RLIMIT_MSGQUEUE, 0),
)
_REHEARSALS = 20
"""Enough for the interpreter to specialise what it runs."""
_OWN_BYTES = 32 * 2**20
"""What the interpreter itself needs beside a program's memory limit."""
_ADDRESS_SPACE_SLACK = 4 * 2**30
"""Address space beyond the memory limit: runtimes reserve far more than they use."""


# ---------------------------------------------------------------------------------------------- zygote


def serve(control: socket.socket, settings: dict[str, Any]) -> None:
    """Fork one child per order and report how it ended, until the supervisor closes."""
    filtered = _settle(settings)
    wire.send_message(control, {"ready": True, "seccomp": filtered})
    while True:
        try:
            order, channel = wire.receive_message(control)
        except wire.Ended:
            return
        assert channel is not None
        kernel.stay_in_lane(order["lane"])
        pid = os.fork()
        if pid == 0:
            control.close()
            _live(order, channel, settings)
        os.close(channel)
        _, status, usage = os.wait4(pid, 0)
        wire.send_message(
            control,
            {
                "status": status,
                "cpu_s": usage.ru_utime + usage.ru_stime,
                "peak_bytes": usage.ru_maxrss * 1024,
            },
        )


def _settle(settings: dict[str, Any]) -> bool:
    """Everything that all children share is done once, here: imports, limits, filter."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    for name in (*_PRELOADED, *settings["preload"]):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    os.environ.clear()
    os.environ.update(settings["environment"])
    os.environ.update(HOME=settings["work"], TMPDIR=settings["work"])
    os.nice(settings["niceness"])
    for kind, value in _FIXED_LIMITS:
        _lower(kind, value)
    filtered = seccomp.install()
    if not settings["fresh_uids"]:
        # Programs share our uid: they inherit the preference, and must not write to our memory.
        kernel.prefer_in_memory_shortage()
        kernel.hide_memory()
    _rehearse()
    gc.collect()
    gc.freeze()
    return filtered


def _rehearse() -> None:
    """Do what every child does: they inherit warm code, instead of each warming a copy of its own."""
    judge, channel = socket.socketpair()
    with judge, channel:
        for _ in range(_REHEARSALS):
            function = _load("def rehearse(*values, **named):\n    return [*values, named]\n")["rehearse"]
            payload = codec.encode((("text", 1, 1.5, None, True, [1, (2,)], {"key": {3}}), {"named": b""}))
            wire.send(judge, CALLED + payload)
            _answer(channel, function, _Output(_OWN_BYTES), Lender())
            wire.receive(judge)
    del sys.modules["candidate"]


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


def _live(limits: dict[str, Any], channel: int, settings: dict[str, Any]) -> NoReturn:
    """The whole life of one child: what it says before it is ready is ours, all after is the program's."""
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, channel)
    try:
        try:
            _become_nobody(limits, settings)
        except BaseException as exc:  # noqa: BLE001
            _reply(link, "unfit", wording.describe(exc))
            os._exit(1)
        _reply(link, "ready")
        order = codec.decode(wire.receive(link))
        _MODES[order["mode"]](link, order)
    except BaseException:  # noqa: BLE001
        os._exit(1)
    os._exit(0)


def _become_nobody(limits: dict[str, Any], settings: dict[str, Any]) -> None:
    os.setsid()
    _lower(resource.RLIMIT_NPROC, settings["processes"])
    memory = limits["memory_bytes"] + _OWN_BYTES
    _lower(resource.RLIMIT_DATA, memory)
    _lower(resource.RLIMIT_AS, memory + _ADDRESS_SPACE_SLACK)
    # The supervisor measures; this is the kernel's own stop behind it.
    _lower(resource.RLIMIT_CPU, int(limits["cpu_s"]) + 2)
    uid = limits["uid"]
    if uid is not None:
        kernel.prefer_in_memory_shortage()
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    else:
        # The judge has our uid: its memory is hidden, and neither power nor signals nor limits may reach it.
        kernel.drop_capabilities()
        seccomp.guard_neighbours()
    if settings["leashed"]:
        kernel.die_with_parent()
    os.umask(0o077)
    os.mkdir(settings["work"], 0o700)
    os.chdir(settings["work"])


# ------------------------------------------------------------------------------------ the program runs


class _Captured(io.BytesIO):
    """Keeps the first ``limit`` bytes written to it and forgets the rest."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.left = limit

    def write(self, data: Any) -> int:
        kept = bytes(data[: self.left])
        self.left -= len(kept)
        super().write(kept)
        return len(data)


class _Output:
    """Stands in for standard output; what a call printed is sent along with its result."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.captured = _Captured(limit)
        self.text = self._open()

    def _open(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(self.captured, "utf-8", "backslashreplace", write_through=True)

    def take(self) -> str:
        try:
            data = self.captured.getvalue()
        except ValueError:
            # The program has closed it; what it printed is gone.
            data = b""
        if not data and not self.captured.closed:
            return ""
        replaced = sys.stdout is self.text
        self.captured = _Captured(self.limit)
        self.text = self._open()
        if replaced:
            sys.stdout = self.text
        return data.decode("utf-8", "backslashreplace")


def _load(source: str) -> dict[str, Any]:
    """Run the program's source as a module; compile errors are :class:`_NotCompiled`."""
    try:
        code = compile(source, PROGRAM_FILE, "exec", dont_inherit=True)
    except BaseException as exc:
        raise _NotCompiled(wording.describe(exc)) from exc
    module = types.ModuleType("candidate")
    sys.modules["candidate"] = module
    exec(code, module.__dict__)  # noqa: S102
    return module.__dict__


class _NotCompiled(Exception):
    pass


def _exception(error: BaseException) -> tuple[tuple[str, ...], str]:
    return raising.kinds_of(error), wording.describe(error)


def _reply(channel: socket.socket, *message: Any) -> None:
    wire.send(channel, codec.encode(message))


def _split(channel: socket.socket, order: dict[str, Any]) -> None:
    """Load the program, then answer calls until the judge is done."""
    output = _Output(order["output_bytes"])
    sys.stdout = output.text
    entry_point = order["entry_point"]
    try:
        function = _load(order["source"])[entry_point]
    except _NotCompiled as exc:
        _reply(channel, "rejected", str(exc))
        return
    except KeyError as exc:
        missing = NameError(f"name {entry_point!r} is not defined") if exc.args == (entry_point,) else exc
        _reply(channel, "raised", _exception(missing))
        return
    except BaseException as exc:  # noqa: BLE001
        _reply(channel, "raised", _exception(exc))
        return
    _reply(channel, "loaded")
    output.take()
    lender = Lender()
    while True:
        _answer(channel, function, output, lender)


def _answer(channel: socket.socket, function: Callable[..., Any], output: _Output, lender: Lender) -> None:
    """One request: what came of it, what was printed, and the arguments if they have changed."""
    name, number, request, dropped = _request(wire.receive(channel))
    lender.forget(dropped)
    arguments, named = ((), {}) if request is None else codec.decode(request, lender.back)
    outcome: list[Any]
    try:
        asked = function if name == CALL else lender.method(number, name)
        outcome = ["returned", codec.encode(asked(*arguments, **named), lender.lend)]
    except codec.TooLarge as exc:
        outcome = ["too_large", str(exc)]
    except BaseException as exc:  # noqa: BLE001
        outcome = _outcome_of(name, exc, lender)
    after = request and _changed(request, arguments, named, lender=lender)
    printed = output.take()
    if outcome[0] == "returned" and not printed and after is None:
        reply = PLAIN + outcome[1]
    else:
        reply = codec.encode((*outcome, printed, after))
    if len(reply) > wire.MAX_FRAME:
        reply = codec.encode(("too_large", f"{len(reply)} bytes, the limit is {wire.MAX_FRAME}", "", None))
    wire.send(channel, reply)


def _request(message: bytes) -> Any:
    """What to ask, of which object, the encoded arguments if there are any, and what is no longer lent."""
    if message.startswith(CALLED):
        return CALL, 0, message[1:], ()
    if message.startswith(NEXT):
        return "__next__", *NUMBER.unpack_from(message, 1), None, ()
    return codec.decode(message)


def _changed(request: bytes, *arguments: Any, lender: Lender) -> bytes | None:
    """The arguments if they are no longer those of the request."""
    with contextlib.suppress(BaseException):
        after = codec.encode(arguments, lender.lend)
        return None if after == request else after
    return None


def _outcome_of(name: str, error: BaseException, lender: Lender) -> list[Any]:
    """What an exception says: that an iterator has come to its end, or what it is."""
    if ends_iteration(name, error):
        with contextlib.suppress(BaseException):
            return ["ended", codec.encode(getattr(error, "value", None), lender.lend)]
    return ["raised", codec.encode(_exception(error))]


def _beside(channel: socket.socket, order: dict[str, Any]) -> None:
    """Run program and tests in this process: for tasks whose tests cannot run elsewhere."""
    sys.stdout = _Output(order["output_bytes"]).text
    test, nonce = order["test"], order["nonce"]
    try:
        names = _load(order["source"])
        function = names[order["entry_point"]]
        exec(compile(test, TEST_FILE, "exec", dont_inherit=True), names)  # noqa: S102
        names["check"](function)
    except _NotCompiled as exc:
        _reply(channel, "rejected", str(exc))
    except BaseException as exc:  # noqa: BLE001
        line = wording.failing_line(exc, TEST_FILE, test)
        _reply(channel, "failed", wording.describe(exc), line)
    else:
        _reply(channel, "passed", nonce)


def _on_path(program: str) -> bool:
    return any(os.access(f"{folder}/{program}", os.X_OK) for folder in os.get_exec_path())


def _command(channel: socket.socket, order: dict[str, Any]) -> None:
    """Write the program's file and become its interpreter, whose output goes to the judge."""
    for argv in (order["compile"], order["run"]):
        if argv and not _on_path(argv[0]):
            _reply(channel, "absent", argv[0])
            return
    _reply(channel, "present")
    with open(order["file_name"], "wb") as file:
        file.write(order["text"].encode("utf-8", "surrogatepass"))
    environment = {**os.environ, **order["environment"]}
    for descriptor in (1, 2):
        os.dup2(channel.fileno(), descriptor)
    if order["compile"]:
        import subprocess  # noqa: PLC0415 - see _PRELOADED

        check = subprocess.run(
            order["compile"], env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        if check.returncode != 0:
            channel.sendall(check.stderr + check.stdout)
            os._exit(NOT_COMPILED_STATUS)
    run_argv = order["run"]
    os.execvpe(run_argv[0], run_argv, environment)  # noqa: S606


_MODES: dict[str, Callable[[socket.socket, dict[str, Any]], None]] = {
    "split": _split,
    "beside": _beside,
    "command": _command,
}
