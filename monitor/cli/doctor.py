"""`tailwatch doctor`: is everything here that an evaluation needs?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.text import Text

from monitor.cli.app import ERROR, asynchronous, cli, config_option, json_option, terminal
from monitor.cli.tables import percent
from monitor.config import Options, load_options
from monitor.domain.errors import MonitorError, UselessBank
from monitor.ports import Check
from monitor.rounds.banks import Banks
from monitor.store import open_store
from monitor.suites.loading import doubts, load_suite
from monitor.web.server import listen
from monitor.wiring import diagnose_sandbox, examine_engine, now, open_deployment, open_source

READING_S = 10.0
"""Longest that weights are read: doctor is asked for an answer, not for digests."""


@cli.command()
@config_option
@json_option
@asynchronous
async def doctor(config: Path | None, as_json: bool) -> None:
    """Check configuration, suite, store, checkpoints, bank, engine, sandbox and port; tell how to mend each.

    Exit code 0 when all is well, 3 otherwise.
    """
    options = load_options(config)
    checks = list(_local(options))
    if all(check.ok for check in checks if check.name in {"suite", "store"}):
        checks.append(_try("bank", lambda: _bank(options)))
    checks += [*await examine_engine(options), *await diagnose_sandbox(options)]
    terminal(as_json=as_json).answer(
        {"ok": all(check.ok for check in checks), "checks": [asdict(check) for check in checks]},
        lambda out: _render(out, checks),
    )
    sys.exit(0 if all(check.ok for check in checks) else ERROR)


def _local(options: Options) -> Iterator[Check]:
    yield _try("suite", lambda: _suite(options))
    yield _try("store", lambda: _store(options))
    yield _try("checkpoints", lambda: checkpoints_found(options))
    yield _try("port", lambda: _port(options))


def _try(name: str, examine: Callable[[], str]) -> Check:
    try:
        return Check(name=name, ok=True, detail=examine(), next_step="")
    except MonitorError as error:
        return Check(name=name, ok=False, detail=error.message, next_step=error.next_step)


def _suite(options: Options) -> str:
    suite = load_suite(options.suite)
    counts = ", ".join(f"{len(suite.stratum(stratum))} {stratum.value}" for stratum in suite.strata)
    return "; ".join([f"{suite.name} {suite.version}: {counts} tasks", *doubts(suite)])


def _store(options: Options) -> str:
    with closing(open_store(options.store)) as store:
        return store.name


def _bank(options: Options) -> str:
    """What the baseline's bank passes; one that holds every candidate is wrong."""
    with open_deployment(options) as deployment:
        health = Banks(deployment.watch, deployment.policy).of_baseline()
    problems = [f"{each.stratum.value}: {each.problem}" for each in health if each.problem]
    if problems:
        raise UselessBank(" ".join(problems), next_step="`tailwatch plan` shows what each stratum needs.")
    shares = ", ".join(f"{each.stratum.value} {percent(each.pass_ratio)}" for each in health)
    return f"the baseline passes {shares}" if shares else "there is no baseline with a complete bank yet"


def checkpoints_found(options: Options) -> str:
    """What the watched folder holds, and what is wrong with what it holds.

    Raises:
        InvalidConfig: the folder cannot be read.
    """
    arrivals = open_source(options, reading_s=READING_S).arrivals(now())
    unusable = "; ".join(f"{each.name}: {each.problem}" for each in arrivals.unusable)
    found = f"{len(arrivals.settled)} settled, {len(arrivals.unsettled)} still being written"
    if arrivals.unread:
        found += f", {len(arrivals.unread)} too large to be read in {READING_S:g} s"
    return f"{options.checkpoints.path}: {found}" + (f"; unusable: {unusable}" if unusable else "")


def _port(options: Options) -> str:
    with listen(options.serve.host, options.serve.port) as socket:
        return "{}:{} is free".format(*socket.getsockname()[:2])


def _render(out: Console, checks: list[Check]) -> None:
    for check in checks:
        mark = Text("ok  ", style="green") if check.ok else Text("FAIL", style="bold red")
        out.print(Text.assemble(mark, f" {check.name}: {check.detail}"))
        if not check.ok:
            out.print(Text(f"     {check.next_step}"))
