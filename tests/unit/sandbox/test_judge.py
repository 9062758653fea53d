from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from monitor.sandbox.inside import codec, wire
from monitor.sandbox.inside.judge import Judge, Verdict

TEST = "def check(candidate):\n    assert candidate(2, 3) == 5\n"
READY = ("ready",)
LOADED = ("loaded",)

Script = Callable[[socket.socket], None]


def job(**changes: Any) -> dict[str, Any]:
    fields = {"mode": "split", "source": "…", "test": TEST, "entry_point": "add", "output_bytes": 1000}
    return {**fields, **changes}


def judged(script: Script, **changes: Any) -> Verdict:
    """The verdict on a candidate's process that behaves as scripted."""
    ours, theirs = socket.socketpair()

    def live() -> None:
        with theirs:
            try:
                script(theirs)
            except wire.Ended:
                return

    thread = threading.Thread(target=live)
    thread.start()
    try:
        with ours:
            return Judge().judge(job(**changes), ours)
    finally:
        thread.join()


def saying(*messages: Any) -> Script:
    """Says these, one after each thing it hears, but the first two at once."""

    def script(channel: socket.socket) -> None:
        for number, message in enumerate(messages):
            if number > 0:
                wire.receive(channel)
            wire.send(channel, message if isinstance(message, bytes) else codec.encode(message))

    return script


def returning(value: Any, printed: str = "", after: bytes | None = None) -> tuple[Any, ...]:
    return ("returned", codec.encode(value), printed, after)


def test_a_right_answer_passes() -> None:
    assert judged(saying(READY, LOADED, returning(5))).kind == "passed"


SENDING_TO_NOBODY = """
import signal, socket
from monitor.sandbox.inside import wire
ours, theirs = socket.socketpair()
theirs.close()
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
try:
    wire.send(ours, b"next")
except wire.Ended:
    print("ended")
"""


def test_a_candidate_that_is_gone_does_not_take_the_judge_with_it() -> None:
    # SIGPIPE is as the supervisor leaves it for its children, whose programs expect it so.
    told = subprocess.run([sys.executable, "-c", SENDING_TO_NOBODY], stdout=subprocess.PIPE, check=True)
    assert told.stdout == b"ended\n"


def test_a_wrong_answer_fails_with_the_assertion() -> None:
    verdict = judged(saying(READY, LOADED, returning(6)))
    assert (verdict.kind, verdict.detail) == ("failed", "AssertionError in: assert candidate(2, 3) == 5")


def test_nothing_of_the_tests_is_told_to_the_candidate() -> None:
    heard: list[bytes] = []

    def script(channel: socket.socket) -> None:
        wire.send(channel, codec.encode(READY))
        heard.append(wire.receive(channel))
        wire.send(channel, codec.encode(LOADED))
        heard.append(wire.receive(channel))

    judged(script, test=TEST + "SECRET = 'sesame'\n")
    assert heard[0] == codec.encode(
        {"mode": "split", "source": "…", "entry_point": "add", "output_bytes": 1000}
    )
    assert heard[1] == b"(" + codec.encode(([2, 3], {}))
    assert b"sesame" not in b"".join(heard)


def test_a_child_that_could_not_be_set_up_is_ours() -> None:
    assert judged(saying(("unfit", "no uid"))).kind == "unfit"
    assert judged(lambda channel: None).kind == "unfit"


def test_a_child_that_goes_away_later_is_lost() -> None:
    assert judged(saying(READY)).kind == "lost"
    assert judged(saying(READY, LOADED)).kind == "lost"


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage",
        ("passed",),
        ("returned",),
        ("returned", 5, "", None),
        ("returned", b"?", "", None),
        ("returned", codec.encode(5), 7, None),
        ("returned", codec.encode(5), "", b"l"),
        ("returned", codec.encode(5), "", codec.encode(([1], "x"))),
        ("raised", codec.encode("x"), "", None),
        ("raised", codec.encode(((1,), "x")), "", None),
        5,
        (),
    ],
)
def test_what_is_no_answer_is_malformed(answer: Any) -> None:
    assert judged(saying(READY, LOADED, answer)).kind == "malformed"


@pytest.mark.parametrize("swallowed", ["Exception", "BaseException"])
def test_a_test_that_swallows_exceptions_does_not_swallow_the_end(swallowed: str) -> None:
    test = f"def check(candidate):\n    try:\n        candidate(1)\n    except {swallowed}:\n        pass\n"
    assert judged(saying(READY, LOADED, b"garbage"), test=test).kind == "malformed"
    assert judged(saying(READY, LOADED), test=test).kind == "lost"
    raised = ("raised", codec.encode((("ValueError",), "ValueError: x")), "", None)
    assert judged(saying(READY, LOADED, raised), test=test).kind == "passed"


@pytest.mark.parametrize(
    "kinds", [("StopIteration", "Exception"), ("SystemExit",), ("GeneratorExit",), ("len",), ()]
)
def test_exceptions_that_end_loops_early_arrive_as_plain_errors(kinds: tuple[str, ...]) -> None:
    test = "def check(candidate):\n    assert all(map(candidate, [1]))\n"
    raised = ("raised", codec.encode((kinds, "X: y")), "", None)
    verdict = judged(saying(READY, LOADED, raised), test=test)
    assert (verdict.kind, verdict.detail) == (
        "failed",
        "RuntimeError: X: y in: assert all(map(candidate, [1]))",
    )


def test_an_answer_is_judged_without_any_candidate() -> None:
    test = "def check(answer):\n    assert answer == 'yes'\n"
    assert Judge().judge(job(mode="answer", source="yes", test=test), None).kind == "passed"
    assert Judge().judge(job(mode="answer", source="no", test=test), None).kind == "failed"


def test_a_pass_beside_the_tests_needs_the_nonce() -> None:
    assert judged(saying(READY, ("passed", "0" * 32)), mode="beside").kind == "malformed"

    def genuine(channel: socket.socket) -> None:
        wire.send(channel, codec.encode(READY))
        nonce = codec.decode(wire.receive(channel))["nonce"]
        wire.send(channel, codec.encode(("passed", nonce)))

    assert judged(genuine, mode="beside").kind == "passed"


def command(script: Script, output_bytes: int = 1000) -> Verdict:
    order = {
        "file_name": "p.rb",
        "compile": [],
        "run": ["ruby", "p.rb"],
        "finish": "puts 'NONCE'",
        "out_of_memory": r"^\[FATAL\] no memory",
        "environment": {},
    }
    return judged(script, mode="command", command=order, output_bytes=output_bytes)


def test_another_language_has_finished_when_its_last_line_has_spoken() -> None:
    def finishing(channel: socket.socket) -> None:
        wire.send(channel, codec.encode(READY))
        text = codec.decode(wire.receive(channel))["text"]
        wire.send(channel, codec.encode(("present",)))
        channel.sendall(b"noise\n" + text.split("'")[-2].encode() + b"\n")

    assert command(finishing).kind == "finished"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("noise\n{}\nafterwards\n", "finished"),
        ("noise\n{}\n[FATAL] no memory\n", "finished"),
        ("noise{}\n", "failed"),
        ("puts '{}'\n", "failed"),
        ("noise\n", "failed"),
        ("noise\n[FATAL] no memory\nafterwards\n", "out_of_memory"),
        ("noise [FATAL] no memory\n", "failed"),
    ],
)
def test_what_another_language_says_at_its_end(said: str, kind: str) -> None:
    def speaking(channel: socket.socket) -> None:
        wire.send(channel, codec.encode(READY))
        text = codec.decode(wire.receive(channel))["text"]
        wire.send(channel, codec.encode(("present",)))
        channel.sendall(said.format(text.split("'")[-2]).encode())

    assert command(speaking).kind == kind


def test_another_language_that_stops_early_or_never_has_failed() -> None:
    def stopping(channel: socket.socket) -> None:
        wire.send(channel, codec.encode(READY))
        wire.receive(channel)
        wire.send(channel, codec.encode(("present",)))
        channel.sendall(b"first\nsecond\n" * 100)

    assert command(stopping, output_bytes=10_000) == Verdict(kind="failed", detail="first")
    assert command(stopping, output_bytes=100).kind == "flooded"


def test_a_missing_interpreter_is_ours() -> None:
    verdict = command(saying(READY, ("absent", "ruby")))
    assert (verdict.kind, verdict.detail) == ("task_error", "this sandbox has no ruby")


UNTIDY = {
    "built-in names": ("import builtins\nbuiltins.sorted = None\ndel builtins.len", "sorted([len('ab')])"),
    "new built-in names": ("import builtins\nbuiltins.mine = 1", "'mine' not in dir(__builtins__)"),
    "streams": ("import sys\nsys.stdout = None", "__import__('sys').stdout"),
    "recursion limit": (
        "import sys\nsys.setrecursionlimit(90)",
        "__import__('sys').getrecursionlimit() > 500",
    ),
    "decimal": (
        "import decimal\ndecimal.getcontext().prec = 3",
        "__import__('decimal').getcontext().prec == 28",
    ),
    "environment": ("import os\nos.environ['X'] = '1'", "'X' not in __import__('os').environ"),
    "import path": ("import sys\nsys.path.clear()", "__import__('sys').path"),
    "tracing": ("import sys\nsys.settrace(lambda *_: None)", "not __import__('sys').gettrace()"),
    "chance": ("import random\nrandom.seed(5)", "__import__('random').random() == 0.8444218515250481"),
}


@pytest.mark.parametrize("what", UNTIDY)
@pytest.mark.parametrize("form", ["{0}\ndef check(_): pass\n", "def check(_):\n    exec({0!r})\n"])
def test_what_one_task_does_to_the_interpreter_another_does_not_meet(what: str, form: str) -> None:
    change, expectation = UNTIDY[what]
    judge = Judge()
    assert judge.judge(job(mode="answer", test=form.format(change)), None).kind == "passed"
    verdict = judge.judge(job(mode="answer", test=f"def check(_): assert {expectation}\n"), None)
    assert (verdict.kind, verdict.detail) == ("passed", "")


def test_a_test_that_breaks_its_own_surroundings_is_still_described() -> None:
    test = (
        "import builtins\ndef check(_):\n    builtins.isinstance = builtins.type = None\n    assert False\n"
    )
    verdict = Judge().judge(job(mode="answer", test=test), None)
    assert (verdict.kind, verdict.detail) == ("failed", "AssertionError in: assert False")


LENT = b"G" + codec.encode((1, "generator", ("__iter__", "__next__", "send", "throw", "close")))
NO_MORE = "StopIteration in: assert next(candidate(1)) == 5"
MALFORMED = "sent a malformed message: "


@pytest.mark.parametrize(
    ("step", "kind", "detail"),
    [
        (b"=" + codec.encode(5), "passed", ""),
        (("returned", codec.encode(5), "", None), "passed", ""),
        (("ended", codec.encode(None), "", None), "failed", NO_MORE),
        (b"=", "malformed", f"{MALFORMED}cut off"),
        (("ended", b"?", "", None), "malformed", f"{MALFORMED}cut off"),
        (("over", codec.encode(5), "", None), "malformed", f"{MALFORMED}wrong shape"),
        (("too_large", "n\x1b[m bytes", "", None), "failed", "result too large: n\\x1b[m bytes"),
    ],
)
def test_a_step_of_what_is_lent_is_weighed_like_a_call(step: Any, kind: str, detail: str) -> None:
    test = "def check(candidate):\n    assert next(candidate(1)) == 5\n"
    script = saying(READY, LOADED, b"=" + LENT, step, b"=N")
    assert judged(script, test=test) == Verdict(kind=kind, detail=detail)


def test_a_call_has_no_end_like_an_iterator() -> None:
    assert judged(saying(READY, LOADED, ("ended", codec.encode(5), "", None))).kind == "malformed"


def test_tests_with_threads_take_turns() -> None:
    test = (
        "from concurrent.futures import ThreadPoolExecutor\ndef check(candidate):\n"
        "    with ThreadPoolExecutor(4) as pool:\n        found = list(pool.map(candidate, [1] * 9))\n"
        "    assert found == [5] * 9\n"
    )
    assert judged(saying(READY, LOADED, *[returning(5)] * 9), test=test).kind == "passed"


def test_a_test_that_fails_before_it_has_called_the_program_says_so() -> None:
    test = "def check(candidate):\n    expected = oracle\n    assert candidate(2, 3) == expected\n"
    verdict = judged(saying(READY, LOADED), test=test)
    assert verdict.kind == "untested"
    assert verdict.detail == "the task's test cannot be run: NameError: name 'oracle' is not defined"


def test_a_test_that_skips_itself_says_so() -> None:
    test = "import unittest\ndef check(candidate):\n    raise unittest.SkipTest(candidate(2, 3))\n"
    assert judged(saying(READY, LOADED, returning(5)), test=test).kind == "untested"


@pytest.mark.parametrize("kinds", [("Exception",), ("SkipTest", "Exception")])
@pytest.mark.parametrize("detail", ["the task's test cannot be run: x", "SkipTest: x in: y"])
def test_no_program_can_say_it_for_its_test(kinds: tuple[str, ...], detail: str) -> None:
    assert judged(saying(READY, ("raised", (kinds, detail)))).kind == "failed"
    raised = ("raised", codec.encode((kinds, detail)), "", None)
    assert judged(saying(READY, LOADED, raised)).kind == "failed"


def test_a_test_that_fails_on_what_the_program_returned_names_its_line() -> None:
    verdict = judged(saying(READY, LOADED, returning(6)))
    assert verdict == Verdict(kind="failed", detail="AssertionError in: assert candidate(2, 3) == 5")
