"""Runs generated bodies in forked children with limits; the lab's models are ours, this is no sandbox."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import resource
import signal
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

SECONDS = 2
MEMORY_BYTES = 1 << 30


def judge(programs: Sequence[str], processes: int = 1) -> list[bool]:
    """Return for every program whether it ran to its end; equal programs run once."""
    distinct = list(dict.fromkeys(programs))
    chunks = [distinct[i : i + 64] for i in range(0, len(distinct), 64)]
    # A fork per chunk keeps a program that spoils its process from spoiling more than its neighbours' time.
    with multiprocessing.get_context("fork").Pool(processes, _limit, maxtasksperchild=16) as pool:
        passed = dict(zip(distinct, _joined(pool.imap(_judge_chunk, chunks)), strict=True))
    return [passed[program] for program in programs]


def _joined(chunks: Iterable[list[bool]]) -> list[bool]:
    return [passed for chunk in chunks for passed in chunk]


def _limit() -> None:
    # The parent's address space is inherited (torch maps gigabytes): the limit is what comes on top of it.
    mapped = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY_BYTES, mapped + MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    signal.signal(signal.SIGALRM, _too_slow)
    # Generated code warns when it is compiled; what counts is whether it runs.
    warnings.simplefilter("ignore")


class _TooSlow(BaseException):
    """The time of one program is up; a BaseException, so that ``except Exception`` cannot hide it."""


def _too_slow(_signal: int, _frame: object) -> None:
    raise _TooSlow


def _judge_chunk(programs: Sequence[str]) -> list[bool]:
    return [_runs(program) for program in programs]


def _runs(program: str) -> bool:
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(program, "<generated>", "exec"), {"__name__": "generated"})  # noqa: S102 - see module
    except BaseException:  # noqa: BLE001 - whatever generated code raises is its failure
        return False
    else:
        return True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
