"""`tailwatch serve`: the daemon; one process, one asyncio loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from socket import socket
from typing import Any, TypeVar

import click
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from prometheus_client.registry import Collector

from monitor.cli.app import asynchronous, cli, config_option
from monitor.cli.logs import start_logging
from monitor.cli.progress import logged
from monitor.cli.reloading import Judges, Live, reload_when
from monitor.config import ScheduleOptions, load_options
from monitor.disks import try_writing
from monitor.domain.errors import MonitorError, Trouble
from monitor.domain.evaluation import Evaluation
from monitor.domain.evidence import Decision
from monitor.export.collector import StoreCollector, new_registry
from monitor.export.health import Health, PartHealth, Trial, part_health, store_health
from monitor.export.process import Polls, Sampling
from monitor.export.remembered import remembered
from monitor.ports import Check, Store
from monitor.processes import identify
from monitor.rounds.banks import Banks
from monitor.rounds.clock_steps import ClockSteps
from monitor.rounds.drifting import ask_bank_again
from monitor.rounds.gate import Gate
from monitor.rounds.run import log_fields
from monitor.rounds.watching import poll, recheck
from monitor.rounds.worker import recover, work
from monitor.web.app import Sources, create_app
from monitor.web.server import listen
from monitor.web.server import serve as serve_http
from monitor.weights.digests import HashingInterrupted
from monitor.wiring import (
    Deployment,
    diagnose_engine,
    drift_page,
    now,
    open_bench,
    open_deployment,
    open_source,
)

log = logging.getLogger("tailwatch")
Result = TypeVar("Result")

LOOK_READING_S = 5.0
"""Longest that one look reads weights before those that were read are told."""
CLOCK_CHECK_S = 1.0
"""How often it is asked whether the wall clock was set."""
IDLE_S = 1.0
"""How often the worker asks the queue when nothing waits."""


@cli.command()
@config_option
@click.option("--log-format", type=click.Choice(["auto", "text", "json"]), default="auto", show_default=True)
@asynchronous
async def serve(config: Path | None, log_format: str) -> None:
    """Watch the checkpoints folder, evaluate what arrives, serve /metrics, /health and the gate.

    After kill -9 it goes on with what it was doing when it is started again.
    """
    start_logging(log_format)
    # From the first moment on: what the signal does by itself is to end the process.
    reload_asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload_asked.set)
    options = load_options(config)
    with open_deployment(options) as deployment:
        polls, judges = Polls(options.model, every_s=options.schedule.poll), judges_of(deployment)
        sampling = Sampling(options.model, lambda: deployment.condition.last_sample_at)
        listener = listen(options.serve.host, options.serve.port)
        deployment.condition.sandbox = "It is being started."
        async with (
            answering(deployment, listener, polls, sampling, judges=judges) as address,
            open_bench(deployment, watcher=logged()) as bench,
        ):
            deployment.condition.worked()
            recovered = recover(deployment.store)
            ask_bank_again(deployment.watch, bench.gauges)
            log.info("serving", extra={"address": address, "model": options.model, "recovered": recovered})
            lookout = Lookout(deployment, polls)
            live = Live(deployment, judges, bench, lookout)
            await _until_stopped(
                watch(lookout, options.schedule.poll),
                work(lambda: live.bench, worker=identify(), idle_s=IDLE_S, done=_tell),
                reload_when(reload_asked, live, config),
                ending=deployment.hashes.stop,
            )
    log.info("stopped")


def judges_of(deployment: Deployment) -> Judges:
    """Those who answer by the policy; what they read of the store is kept until it changes."""
    watch = replace(deployment.watch, store=remembered(deployment.store))
    return Judges(gate=Gate(watch, deployment.policy), banks=Banks(watch, deployment.policy))


@asynccontextmanager
async def answering(
    deployment: Deployment, listener: socket, *beside: Collector, judges: Judges | None = None
) -> AsyncIterator[str]:
    """Serve metrics, health and the gate on a socket while the context is open.

    Args:
        deployment: what is served.
        listener: where requests arrive.
        beside: collectors of figures that the store does not hold.
        judges: answer by a policy that may change; None for ones of the deployment's own.

    Yields:
        The address, for example ``http://127.0.0.1:9817``.
    """
    options, store, watch = deployment.options, remembered(deployment.store), deployment.watch
    judges = judges or judges_of(deployment)
    decision_for, bank = partial(_answer, judges.gate), judges.banks.of_baseline
    collector = StoreCollector(
        store,
        model=watch.model,
        decision_for=decision_for,
        suite_names={watch.suite.digest: watch.suite.name},
        bank=bank,
    )
    app = create_app(
        Sources(
            store=store,
            model=watch.model,
            decision_for=decision_for,
            health=partial(_health, deployment, _Probes(deployment, store), diagnose_engine(options)),
            registry=new_registry(collector, *beside),
            now=now,
            bank=bank,
            report_of=partial(drift_page, deployment),
            hosts=options.serve.hosts(),
        )
    )
    task = asyncio.create_task(serve_http(app, listener))
    try:
        yield "http://{}:{}".format(*listener.getsockname()[:2])
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _answer(gate: Gate, reference: str) -> Decision:
    return gate.decision_for(reference, now=now())


class _Probes:
    """What health finds out by trying."""

    def __init__(self, deployment: Deployment, store: Store) -> None:
        self.store = store
        self.store_writing = Trial(store.try_writing)
        self.state_writing = Trial(partial(try_writing, deployment.options.state))


def _health(deployment: Deployment, probes: _Probes, engine: Check) -> Health:
    """What can be told at once: engine and sandbox are as the last evaluation found them."""
    part, last_success_at = store_health(probes.store, deployment.watch.model, probes.store_writing)
    folder, condition = deployment.options.checkpoints.path, deployment.condition
    found = condition.engine or f"{engine.detail} {engine.next_step}".strip()
    parts = (
        part,
        part_health("state", probes.state_writing, detail=str(deployment.options.state)),
        PartHealth(name="checkpoints", ok=folder.is_dir(), detail=str(folder)),
        PartHealth(name="engine", ok=engine.ok and not condition.engine, detail=found),
        PartHealth(name="sandbox", ok=not condition.sandbox, detail=condition.sandbox),
    )
    return Health(parts=parts, last_success_at=last_success_at)


class Lookout:
    """Polls the source and tells what it led to, each remark once and not at every poll."""

    def __init__(self, deployment: Deployment, polls: Polls) -> None:
        self._deployment = deployment
        self._polls = polls
        self._source = open_source(deployment.options, deployment.hashes, reading_s=LOOK_READING_S)
        self._told: set[tuple[str, str]] = set()
        self.schedule = deployment.options.schedule
        """What is kept to; whoever calls looks here for how often."""

    def reschedule(self, schedule: ScheduleOptions) -> None:
        """Keep to another schedule from now on."""
        self.schedule = schedule
        self._polls.expect_every(schedule.poll)

    def look(self) -> bool:
        """Queue what has arrived, and the promoted checkpoint when it is time; blocking.

        Returns:
            Whether weights are left to be read on at once.
        """
        watch, every_s = self._deployment.watch, self.schedule.recheck_promoted
        try:
            result = poll(watch, self._source, now())
            again = recheck(watch, every_s=every_s, now=now())
        except HashingInterrupted:  # The daemon is being stopped.
            return False
        except Exception:
            self._polls.failed()
            raise
        self._polls.succeeded(unusable=len(result.unusable))
        for evaluation in result.queued:
            log.info("queued", extra=log_fields(evaluation))
        for problem in (*result.unusable, *result.doubts):
            self._remark(f"checkpoint {problem.name}", problem.problem)
        if result.baseline is None:
            self._remark("no baseline", "Build one with `tailwatch baseline build CHECKPOINT`.")
        if again is not None:
            log.info("queued", extra=log_fields(again))
        return bool(result.unread)

    def _remark(self, subject: str, problem: str) -> None:
        if (subject, problem) not in self._told:
            self._told.add((subject, problem))
            log.warning(subject, extra={"problem": problem})

    async def first(self) -> None:
        """Look from the event loop; trouble is told, and the next tick tries again.

        Raises:
            InvalidConfig: there is nothing to watch.
        """
        try:
            while await in_daemon_thread(self.look):
                pass
        except Trouble as error:
            log.error("poll failed", extra={"problem": str(error)})  # noqa: TRY400 - the message says it all

    async def tick(self) -> None:
        """Look again; a folder that has vanished is told, and may come back."""
        try:
            await self.first()
        except MonitorError as error:
            log.error("poll failed", extra={"problem": str(error)})  # noqa: TRY400 - likewise


async def watch(lookout: Lookout, poll_s: float) -> None:
    """Look for arrivals until cancelled; the work itself waits in the store's queue.

    Raises:
        InvalidConfig: the first look finds nothing to watch.
    """
    schedule = lookout.schedule
    # It reads every checkpoint whole, which can take minutes; the daemon answers and works meanwhile.
    await lookout.first()
    scheduler = AsyncIOScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    job = scheduler.add_job(lookout.tick, "interval", seconds=poll_s)
    scheduler.start()
    clock = ClockSteps()
    try:
        while True:
            await asyncio.sleep(CLOCK_CHECK_S)
            if step_s := clock.step_s():
                # The next look is due at a time of day, which a clock that was set back reaches much later.
                log.warning("the clock was set", extra={"seconds": round(step_s)})
                job.reschedule("interval", seconds=poll_s)
            if lookout.schedule.poll != schedule.poll:
                schedule = lookout.schedule
                poll_s = schedule.poll
                job.reschedule("interval", seconds=poll_s)
    finally:
        scheduler.shutdown(wait=False)


async def in_daemon_thread(work: Callable[[], Result]) -> Result:
    """Wait for blocking work that may never return, and must then not keep the process from ending.

    Raises:
        Exception: what the work raised.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Result] = loop.create_future()

    def settle(tell: Callable[[], None]) -> None:
        # Whoever waited may be gone by now, and the loop with it.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: None if done.done() else tell())

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            settle(partial(done.set_exception, error))
        else:
            settle(partial(done.set_result, result))

    threading.Thread(target=run, daemon=True).start()
    return await done


async def _tell(evaluation: Evaluation) -> None:
    decision = evaluation.decision
    log.info(
        evaluation.state.value,
        extra={
            **log_fields(evaluation),
            "decision": decision.kind.value if decision else None,
            "reason": decision.reasons[0].text if decision else evaluation.trouble or None,
        },
    )


async def _until_stopped(*duties: Coroutine[Any, Any, None], ending: Callable[[], None]) -> None:
    """Do all duties until SIGINT or SIGTERM, and end them; raise what ended one of them.

    Args:
        duties: done at the same time.
        ending: called when they are told to end; stops what they do in threads.
    """
    tasks = [asyncio.create_task(duty) for duty in duties]
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    waiting = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {waiting}:
            task.result()
    finally:
        for task in (waiting, *tasks):
            task.cancel()
        ending()
        await asyncio.gather(waiting, *tasks, return_exceptions=True)
