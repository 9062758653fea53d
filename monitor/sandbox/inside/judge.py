"""The process that holds the tests: it calls the candidate and believes nothing but plain values.

Of the candidate it only ever sees bytes, which :mod:`.codec` turns into values of exactly known
types. It runs under its own uid, which no candidate shares.
"""

from __future__ import annotations

import builtins
import contextlib
import os
import re
import resource
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import codec, kernel, wire, wording
from .candidate import TEST_FILE
from .undisturbed import undisturbed

MAX_CALLS = 200_000
"""Most calls of one program's tests."""
_MEMORY_BYTES = 2**30
_COMPILED_KEPT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the judge can say about one program; how its process ended is the supervisor's part."""

    kind: str
    """passed, failed, rejected, malformed, lost, finished, flooded, out_of_memory, task_error, or unfit."""
    detail: str = ""


class _Over(BaseException):
    """Ends a test when no answer can come any more; not an Exception, so that few tests swallow it."""


def serve(control: socket.socket, settings: dict[str, Any]) -> None:
    """Judge one program per job until the supervisor closes."""
    _settle(settings)
    judge = Judge()
    wire.send_message(control, {"ready": True})
    while True:
        try:
            job, descriptor = wire.receive_message(control)
        except wire.Ended:
            return
        kernel.stay_in_lane(job["lane"])
        channel = None if descriptor is None else socket.socket(fileno=descriptor)
        with channel or contextlib.nullcontext():
            verdict = judge.judge(job, channel)
        wire.send_message(control, {"verdict": verdict.kind, "detail": wording.printable(verdict.detail)})


def _settle(settings: dict[str, Any]) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    os.environ.clear()
    os.environ.update(settings["environment"])
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(hard, _MEMORY_BYTES)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    uid = settings["judge_uid"]
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    kernel.die_with_parent()
    kernel.hide_memory()


class Judge:
    """Keeps the compiled tests of the tasks it has seen."""

    def __init__(self) -> None:
        self._compiled: dict[str, Any] = {}

    def judge(self, job: dict[str, Any], channel: socket.socket | None) -> Verdict:
        """Judge one program over its channel; an answer-kind job has none."""
        if channel is None:
            return self._run_check(job, job["source"], None)
        try:
            _greet(channel)
        except (wire.Ended, codec.Malformed) as exc:
            return Verdict(kind="unfit", detail=str(exc))
        try:
            return self._converse(job, channel)
        except wire.Ended:
            return Verdict(kind="lost")
        except codec.Malformed as exc:
            return Verdict(kind="malformed", detail=f"sent a malformed message: {exc}")

    def _converse(self, job: dict[str, Any], channel: socket.socket) -> Verdict:
        if job["mode"] == "split":
            return self._split(job, channel)
        return _beside(job, channel) if job["mode"] == "beside" else _command(job, channel)

    def _split(self, job: dict[str, Any], channel: socket.socket) -> Verdict:
        wire.send(channel, codec.encode(_order(job, "source", "entry_point", "output_bytes")))
        reply = _received(channel)
        if reply[0] == "rejected":
            return Verdict(kind="rejected", detail=_text(reply[1:]))
        if reply[0] == "raised":
            return Verdict(kind="failed", detail=_described(reply[1])[1])
        candidate = Candidate(channel)
        return self._run_check(job, candidate, candidate)

    def _run_check(self, job: dict[str, Any], subject: Any, candidate: Candidate | None) -> Verdict:
        verdict = self._checked(job, subject, candidate)
        # A test may swallow whatever a call raised; what ended the conversation stands nevertheless.
        return (candidate.ended_with if candidate else None) or verdict

    def _checked(self, job: dict[str, Any], subject: Any, candidate: Candidate | None) -> Verdict:
        test = job["test"]
        names: dict[str, Any] = {"__name__": "tests"}
        if candidate is not None:
            names[job["entry_point"]] = candidate
        check: Callable[[Any], object] | None = None
        try:
            with undisturbed():
                exec(self._code(test), names)  # noqa: S102
                check = names["check"]
                check(subject)
        except BaseException as exc:  # noqa: BLE001
            if check is None and (candidate is None or not candidate.calls):
                detail = f"the task's test cannot be loaded: {wording.describe(exc)}"
                return Verdict(kind="task_error", detail=detail)
            return _failed(exc, test)
        return Verdict(kind="passed")

    def _code(self, test: str) -> Any:
        code = self._compiled.get(test)
        if code is None:
            if len(self._compiled) >= _COMPILED_KEPT:
                self._compiled.clear()
            code = self._compiled[test] = compile(test, TEST_FILE, "exec", dont_inherit=True)
        return code


class Candidate:
    """What the tests call: each call is one exchange of plain values with the candidate's process."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self.calls = 0
        self.ended_with: Verdict | None = None
        """Why no further call can be made; None while the conversation goes on."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the program's function with these arguments; raises what it raises."""
        self.calls += 1
        try:
            return self._exchange(arguments, named)
        except wire.Ended:
            self.ended_with = self.ended_with or Verdict(kind="lost")
        except codec.Malformed as exc:
            self.ended_with = Verdict(kind="malformed", detail=f"sent a malformed message: {exc}")
        except codec.TooLarge as exc:
            self.ended_with = Verdict(kind="failed", detail=f"its tests met what is {exc}")
        raise _Over

    def _exchange(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if self.calls > MAX_CALLS:
            raise codec.TooLarge(f"too much: more than {MAX_CALLS} calls")
        if self.ended_with is not None:
            raise wire.Ended
        wire.send(self._channel, codec.encode((list(arguments), named)))
        reply = _received(self._channel)
        if len(reply) != 4 or type(reply[1]) is not bytes or type(reply[2]) is not str:
            raise codec.Malformed("wrong shape")
        kind, payload, printed, after = reply
        result = _raised(codec.decode(payload)) if kind == "raised" else codec.decode(payload)
        changed = None if after is None else _changed(after)
        if printed:
            print(printed, end="")  # noqa: T201
        if changed is not None:
            _write_back(arguments, named, *changed)
        if kind == "raised":
            raise result
        return result


def _order(job: dict[str, Any], *fields: str) -> dict[str, Any]:
    """What the candidate's process is told of a job: these fields, and nothing else of it."""
    return {field: job[field] for field in ("mode", *fields)}


def _greet(channel: socket.socket) -> None:
    """Hear that the child is in place: it says so before anything of the program runs in it."""
    greeting = _received(channel)
    if greeting != ("ready",):
        raise codec.Malformed(_text(greeting[1:]))


def _received(channel: socket.socket) -> tuple[Any, ...]:
    reply = codec.decode(wire.receive(channel))
    if type(reply) is not tuple or not reply:
        raise codec.Malformed("wrong shape")
    return reply


def _text(parts: tuple[Any, ...]) -> str:
    return wording.printable(parts[0]) if parts and type(parts[0]) is str else ""


def _failed(error: BaseException, test: str) -> Verdict:
    line = wording.failing_line(error, TEST_FILE, test)
    detail = wording.describe(error)
    return Verdict(kind="failed", detail=f"{detail} in: {line}" if line else detail)


# ------------------------------------------------------------------------------------------ exceptions


_NEVER_RAISED_AS_IS = (StopIteration, StopAsyncIteration, GeneratorExit, SystemExit, KeyboardInterrupt)
"""In a test's own generator or loop these would end it early and pass for success."""


def _described(description: Any) -> tuple[tuple[str, ...], str]:
    """The built-in types of an exception, nearest first, and its text."""
    if type(description) is not tuple or len(description) != 2 or type(description[1]) is not str:
        raise codec.Malformed("wrong shape")
    kinds, detail = description
    if type(kinds) is not tuple or not all(type(kind) is str for kind in kinds):
        raise codec.Malformed("wrong shape")
    return kinds, wording.printable(detail)


def _raised(description: Any) -> BaseException:
    """The exception a test sees: of the nearest built-in type of what the candidate raised."""
    kinds, detail = _described(description)
    for name in kinds:
        kind = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            if issubclass(kind, _NEVER_RAISED_AS_IS) or kind is BaseException:
                return RuntimeError(detail)
            return _built(kind, detail)
    return RuntimeError(detail)


def _built(kind: type[BaseException], detail: str) -> BaseException:
    message = detail.partition(": ")[2]
    try:
        error = kind(message)
    except TypeError:
        # UnicodeDecodeError and its like want five arguments.
        error = RuntimeError(detail)
    return error


# --------------------------------------------------------------------------------- mutated arguments


def _changed(after: Any) -> tuple[list[Any], dict[Any, Any]]:
    """Positional and keyword arguments as they are after a call."""
    decoded = codec.decode(after) if type(after) is bytes else None
    if type(decoded) is not tuple or len(decoded) != 2:
        raise codec.Malformed("wrong shape")
    positional, keywords = decoded
    if type(positional) is not list or type(keywords) is not dict:
        raise codec.Malformed("wrong shape")
    return positional, keywords


def _write_back(
    arguments: tuple[Any, ...], named: dict[str, Any], positional: list[Any], keywords: dict[Any, Any]
) -> None:
    """Give the test's own arguments the contents they have after the call."""
    for original, changed in zip(arguments, positional, strict=False):
        _renew(original, changed)
    for name, changed in keywords.items():
        _renew(named.get(name), changed)


def _renew(original: Any, changed: Any) -> Any:
    """The original object with new contents when it is mutable and of the same type, else the new one."""
    if type(original) is not type(changed):
        return changed
    if isinstance(original, list):
        kept = [_renew(old, new) for old, new in zip(original, changed, strict=False)]
        original[:] = kept + changed[len(kept) :]
    elif isinstance(original, dict):
        contents = {key: _renew(original.get(key), new) for key, new in changed.items()}
        original.clear()
        original.update(contents)
    elif isinstance(original, set):
        original.intersection_update(changed)
        original.update(changed)
    elif isinstance(original, bytearray):
        original[:] = changed
    elif hasattr(original, "extend") and hasattr(original, "clear"):
        original.clear()
        original.extend(changed)
    elif isinstance(original, codec.Record):
        original.__dict__.update(changed.__dict__)
    else:
        return changed
    return original


# ---------------------------------------------------------------------------------- beside and command


def _beside(job: dict[str, Any], channel: socket.socket) -> Verdict:
    nonce = os.urandom(16).hex()
    order = _order(job, "source", "test", "entry_point", "output_bytes")
    wire.send(channel, codec.encode(order | {"nonce": nonce}))
    reply = _received(channel)
    if reply[0] == "passed":
        genuine = len(reply) == 2 and type(reply[1]) is str and reply[1] == nonce
        return (
            Verdict(kind="passed")
            if genuine
            else Verdict(kind="malformed", detail="claimed a pass it did not earn")
        )
    if reply[0] == "rejected":
        return Verdict(kind="rejected", detail=_text(reply[1:]))
    if reply[0] != "failed":
        raise codec.Malformed("wrong shape")
    detail, line = _text(reply[1:]), _text(reply[2:])
    return Verdict(kind="failed", detail=f"{detail} in: {line}" if line else detail)


def _command(job: dict[str, Any], channel: socket.socket) -> Verdict:
    """Collect a child process's output, in which only the file's last line can print a nonce by itself.

    More may follow it: what a program has asked for is done once it has come to its end.
    """
    nonce = os.urandom(16).hex()
    language = job["command"]
    text = f"{job['source']}\n{job['test']}\n{language['finish'].replace('NONCE', nonce)}\n"
    wire.send(channel, codec.encode({**language, "mode": "command", "text": text}))
    first = _received(channel)
    if first != ("present",):
        return Verdict(kind="task_error", detail=f"this sandbox has no {_text(first[1:])}")
    output, complete = _collect(channel, job["output_bytes"])
    if not complete:
        return Verdict(kind="flooded", detail=f"wrote more than {job['output_bytes']} bytes")
    shown = output.decode("utf-8", "backslashreplace")
    if language["finish"] and nonce in shown.splitlines():
        return Verdict(kind="finished")
    exhausted = re.search(f"^.*(?:{language['out_of_memory']}).*$", shown, re.MULTILINE)
    if exhausted:
        return Verdict(kind="out_of_memory", detail=exhausted.group().strip())
    return Verdict(kind="failed", detail=wording.first_line(shown))


def _collect(channel: socket.socket, limit: int) -> tuple[bytes, bool]:
    collected = bytearray()
    while len(collected) <= limit:
        try:
            data = channel.recv(65536)
        except OSError:
            data = b""
        if not data:
            return bytes(collected), True
        collected += data
    return bytes(collected), False
