"""The process that holds the tests: it calls the candidate and believes nothing but plain values.

Of the candidate it only ever sees bytes, which :mod:`.codec` turns into values of exactly known
types. It runs under its own uid, which no candidate shares.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import codec, kernel, raising, standins, wire, wording
from .candidate import CALL, TEST_FILE
from .lending import CALLED, NEXT, NUMBER, PLAIN, RESUMING, Borrower
from .undisturbed import undisturbed

MAX_CALLS = 200_000
"""Most calls of one program's tests."""
_MEMORY_BYTES = 2**30
_COMPILED_KEPT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the judge can say about one program; how its process ended is the supervisor's part."""

    kind: str
    """passed, failed, untested, rejected, malformed, lost, finished, flooded, out_of_memory, task_error, or
    unfit."""
    detail: str = ""


class _ResultTooLarge(Exception):
    """The candidate could not send what came of a request."""


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
            if candidate is not None and not candidate.calls:
                # Perhaps it needs more of the program than its entry point, which it has beside it.
                return Verdict(kind="untested", detail=f"{wording.UNRUNNABLE}: {wording.describe(exc)}")
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
        self._borrower = Borrower(self._ask)
        # Here, so that only the judge has it: see candidate._PRELOADED.
        import threading  # noqa: PLC0415

        self._turn = threading.RLock()
        """Tests may have threads."""
        self._busy = False
        """This thread is in the middle of a request."""
        self.calls = 0
        self.ended_with: Verdict | None = None
        """Why no further request can be made; None while the conversation goes on."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the program's function with these arguments; raises what it raises."""
        self.calls += 1
        return self._ask(0, CALL, arguments, named)

    def _ask(self, number: int, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Make one request; raises what comes of it."""
        with self._turn:
            if self._busy:
                # A generator that is collected now would be closed: that comes when it is dropped.
                raise _Over
            return self._asked(number, name, arguments, named)

    def _asked(self, number: int, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        try:
            return self._exchange(number, name, arguments, named)
        except wire.Ended:
            self.ended_with = self.ended_with or Verdict(kind="lost")
        except codec.Malformed as exc:
            self.ended_with = Verdict(kind="malformed", detail=f"sent a malformed message: {exc}")
        except codec.TooLarge as exc:
            self.ended_with = Verdict(kind="failed", detail=f"its tests met what is {exc}")
        except _ResultTooLarge as exc:
            self.ended_with = Verdict(kind="failed", detail=f"result too large: {exc}")
        raise _Over

    def _exchange(self, number: int, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if self.calls > MAX_CALLS:
            raise codec.TooLarge(f"too much: more than {MAX_CALLS} calls")
        payload = None
        if arguments or named or name == CALL:
            payload = codec.encode((list(arguments), named), self._borrower.lend)
        outcome, result, printed, after = self._conversed(number, name, payload)
        if printed:
            print(printed, end="")  # noqa: T201
        if after is not None:
            _write_back(arguments, named, *after)
        if outcome == "raised":
            raise result
        if outcome == "ended":
            raise StopIteration(result)
        return result

    def _conversed(self, number: int, name: str, payload: bytes | None) -> tuple[str, Any, str, Any]:
        """What came of a request, what that is, what was printed, and the arguments if they have changed."""
        if self.ended_with is not None:
            raise wire.Ended
        request = _request(number, name, payload, self._borrower.dropped())
        if len(request) > wire.MAX_FRAME:
            raise codec.TooLarge(f"too large to be sent: {len(request)} bytes")
        self._busy = True
        try:
            wire.send(self._channel, request)
            return self._understood(wire.receive(self._channel), iterating=name in RESUMING)
        finally:
            self._busy = False

    def _understood(self, message: bytes, *, iterating: bool) -> tuple[str, Any, str, Any]:
        if message.startswith(PLAIN):
            return "returned", codec.decode(message[1:], self._borrower.borrow), "", None
        reply = _unpacked(message)
        if len(reply) == 4 and reply[0] == "too_large":
            raise _ResultTooLarge(_text(reply[1:]))
        if len(reply) != 4 or type(reply[1]) is not bytes or type(reply[2]) is not str:
            raise codec.Malformed("wrong shape")
        outcome, content, printed, after = reply
        if outcome == "raised":
            result: Any = _raised(codec.decode(content))
        elif outcome == "returned" or (outcome == "ended" and iterating):
            result = codec.decode(content, self._borrower.borrow)
        else:
            raise codec.Malformed("wrong shape")
        return outcome, result, printed, None if after is None else self._changed(after)

    def _changed(self, after: Any) -> tuple[list[Any], dict[Any, Any]]:
        """Positional and keyword arguments as they are after a request."""
        decoded = codec.decode(after, self._borrower.borrow) if type(after) is bytes else None
        if type(decoded) is not tuple or len(decoded) != 2:
            raise codec.Malformed("wrong shape")
        positional, keywords = decoded
        if type(positional) is not list or type(keywords) is not dict:
            raise codec.Malformed("wrong shape")
        return positional, keywords


def _order(job: dict[str, Any], *fields: str) -> dict[str, Any]:
    """What the candidate's process is told of a job: these fields, and nothing else of it."""
    return {field: job[field] for field in ("mode", *fields)}


def _greet(channel: socket.socket) -> None:
    """Hear that the child is in place: it says so before anything of the program runs in it."""
    greeting = _received(channel)
    if greeting != ("ready",):
        raise codec.Malformed(_text(greeting[1:]))


def _request(number: int, name: str, payload: bytes | None, dropped: list[int]) -> bytes:
    if name == CALL and payload is not None and not dropped:
        return CALLED + payload
    if name == "__next__" and payload is None and not dropped:
        return NEXT + NUMBER.pack(number)
    return codec.encode((name, number, payload, dropped))


def _received(channel: socket.socket) -> tuple[Any, ...]:
    return _unpacked(wire.receive(channel))


def _unpacked(message: bytes) -> tuple[Any, ...]:
    reply = codec.decode(message)
    if type(reply) is not tuple or not reply:
        raise codec.Malformed("wrong shape")
    return reply


def _text(parts: tuple[Any, ...]) -> str:
    return wording.printable(parts[0]) if parts and type(parts[0]) is str else ""


def _failed(error: BaseException, test: str) -> Verdict:
    line = wording.failing_line(error, TEST_FILE, test)
    detail = wording.describe(error)
    # Of this type no program can raise anything here: see _raised.
    skipped = (type(error).__module__, type(error).__name__) == ("unittest.case", "SkipTest")
    return Verdict(
        kind="untested" if skipped else "failed", detail=f"{detail} in: {line}" if line else detail
    )


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
    kind = raising.nearest(kinds)
    if kind is None or kind is BaseException or issubclass(kind, _NEVER_RAISED_AS_IS):
        return RuntimeError(detail)
    return raising.built(kind, detail.partition(": ")[2], detail)


# --------------------------------------------------------------------------------- mutated arguments


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
    elif isinstance(original, standins.Record):
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
