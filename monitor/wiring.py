"""The one place where adapters are chosen and put together."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.config import DriftOptions, EngineOptions, Options, SandboxBackend, SandboxOptions
from monitor.discovery.checkpoints import confirm
from monitor.discovery.folder import FolderSource
from monitor.domain.errors import InvalidConfig, InvalidInput, MonitorError, SandboxTrouble
from monitor.domain.samples import Completion, Execution, Program, Sample, SampleRequest, SamplingPlan, Style
from monitor.domain.tasks import Suite, Task, TaskKind
from monitor.drift.pages import KEPT, Pages
from monitor.ports import Check, CheckpointSource, Count, Engine, Probe, Sandbox, SandboxEvent, Store
from monitor.programs.assembly import assemble, reference_program
from monitor.programs.prompts import sample_request
from monitor.rounds.bench import Asking, Bench, Gauges, Progress, Watcher
from monitor.rounds.condition import Condition
from monitor.rounds.tally import Tally
from monitor.rounds.watching import Watch
from monitor.sandbox.diagnosis import diagnose
from monitor.sandbox.docker_sandbox import DEFAULT_IMAGE, DockerSandbox
from monitor.sandbox.process_sandbox import NamespaceSandbox, RlimitSandbox
from monitor.store import open_store
from monitor.suites.loading import load_suite
from monitor.verdicts.policy import Policy
from monitor.weights.digests import FileHashes

if TYPE_CHECKING:
    from monitor.drift.comparing import ColumnComparison
    from monitor.drift.descriptors import Rarity
    from monitor.drift.matching import Reader
    from monitor.generation.refusals import Route

_log = logging.getLogger(__name__)


def now() -> datetime:
    """The time, in UTC: the only clock that is passed inwards."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What a configuration describes, with its store open and nothing running."""

    options: Options
    watch: Watch
    policy: Policy
    store: Store
    hashes: FileHashes = field(default_factory=FileHashes)
    """Of the files that were read so far, for all who ask whether a checkpoint still is what it was."""
    condition: Condition = field(default_factory=Condition)
    """What engine and sandbox were like when they were last needed."""


@contextmanager
def open_deployment(options: Options) -> Iterator[Deployment]:
    """Open the store and load the suite.

    Raises:
        InvalidSuite, StoreTrouble: with the reader's next step.
    """
    suite = load_suite(options.suite)
    store = open_store(options.store)
    try:
        watch = Watch(
            model=options.model,
            suite=suite,
            plan=options.sampling.plan(),
            baseline=options.baseline,
            store=store,
        )
        yield Deployment(options=options, watch=watch, policy=options.policy.policy(), store=store)
    finally:
        store.close()


def open_source(
    options: Options, hashes: FileHashes | None = None, *, reading_s: float = inf
) -> CheckpointSource:
    """Where the configuration says that checkpoints arrive.

    Args:
        options: the configuration.
        hashes: of the files that were read so far.
        reading_s: how long one look may read weights.
    """
    return FolderSource(
        options.checkpoints.path, settle_s=options.checkpoints.settle_s, hashes=hashes, reading_s=reading_s
    )


def _engine(deployment: Deployment) -> Engine:
    options, engine = deployment.options, deployment.options.engine
    if engine.kind == "remote":
        from monitor.generation.client import Patience  # noqa: PLC0415 - loaded where it is used
        from monitor.generation.remote import RemoteEngine  # noqa: PLC0415 - likewise

        return RemoteEngine(
            _route(engine),
            served_model=engine.served_model,
            concurrency=engine.concurrency,
            patience=Patience(stall_s=engine.stall_s),
            recall=deployment.store.fingerprint,
        )
    from monitor.generation.launch import ServerPlan  # noqa: PLC0415 - likewise
    from monitor.generation.managed import ManagedEngine  # noqa: PLC0415 - likewise

    plan = ServerPlan(
        folder=options.state / "engine", args=engine.args, ready_s=engine.ready_s, stall_s=engine.stall_s
    )
    unchanged = partial(confirm, hashes=deployment.hashes)
    return ManagedEngine(plan, concurrency=engine.concurrency, confirm=unchanged)


def _route(engine: EngineOptions) -> Route:
    """How a server that somebody else runs is reached, from the configuration and the environment.

    Raises:
        InvalidConfig: there is no address, no key where one is announced, or a proxy that cannot be used.
    """
    from monitor.generation.proxies import proxy_for  # noqa: PLC0415 - loaded where it is used
    from monitor.generation.refusals import Route  # noqa: PLC0415 - likewise

    if engine.url is None:
        raise InvalidConfig(
            "engine.kind is remote, and engine.url is not set.",
            next_step="Set engine.url to the address of your vLLM server, for example http://host:8000.",
        )
    key = _api_key(engine.api_key_env) if engine.api_key_env else None
    return Route(url=engine.url, proxy=proxy_for(engine.url, os.environ), api_key=key)


def _api_key(variable: str) -> str:
    """The key that an environment variable holds, without the line end that a mounted secret brings along.

    Raises:
        InvalidConfig: there is none, or none that a header of HTTP can carry; the message does not hold it.
    """
    key = os.environ.get(variable, "").strip()
    if not key:
        raise InvalidConfig(
            f"engine.api_key_env names the environment variable {variable}, which is not set.",
            next_step=f"Set {variable} to the server's key, or leave engine.api_key_env out.",
        )
    if not (key.isascii() and key.isprintable()):
        raise InvalidConfig(
            f"The environment variable {variable} holds characters that no API key has.",
            next_step=f"Set {variable} to the server's key alone, on one line.",
        )
    return key


async def open_sandbox(chosen: SandboxOptions, on_event: Callable[[SandboxEvent], None]) -> Sandbox:
    """The chosen sandbox; never another one. One that is weaker than containers is warned of.

    Raises:
        SandboxTrouble: it cannot be had here.
    """
    if chosen.backend is SandboxBackend.NAMESPACE:
        namespace = await NamespaceSandbox.open(
            slots=chosen.slots, recycle_after=chosen.recycle_after, on_event=on_event
        )
        _log.warning("%s", namespace.warning)
        return namespace
    return await DockerSandbox.open(
        slots=chosen.slots,
        image=chosen.image or DEFAULT_IMAGE,
        runtime=chosen.runtime,
        recycle_after=chosen.recycle_after,
        on_event=on_event,
    )


def diagnose_engine(options: Options) -> Check:
    """Whether checkpoints can be served here, as far as is known without asking a server."""
    engine = options.engine
    try:
        if engine.kind == "remote":
            detail = f"remote vLLM at {_route(engine).url}"
            return Check(name="engine", ok=True, detail=detail, next_step="")
        from monitor.generation.distribution import installed_vllm  # noqa: PLC0415 - loaded where used

        vllm = installed_vllm()
    except MonitorError as error:
        return Check(name="engine", ok=False, detail=error.message, next_step=error.next_step)
    device = "CPU" if vllm.on_cpu else "GPU"
    return Check(name="engine", ok=True, detail=f"vLLM {vllm.version} for {device}", next_step="")


async def examine_engine(options: Options) -> list[Check]:
    """Whether checkpoints can be served here; a remote server is asked."""
    engine, known = options.engine, diagnose_engine(options)
    if engine.kind != "remote" or not known.ok:
        return [known]
    from monitor.generation.client import Patience, VllmClient  # noqa: PLC0415 - loaded where used
    from monitor.generation.examination import examine  # noqa: PLC0415 - likewise

    names = _checkpoint_names(options)
    client = VllmClient(
        _route(engine),
        concurrency=engine.concurrency,
        patience=Patience(attempts=2, connect_s=5.0, stall_s=60.0),
    )
    try:
        return await examine(client, served_model=engine.served_model, names=names)
    finally:
        await client.close()


def _checkpoint_names(options: Options) -> list[str]:
    """Of all usable checkpoints in the watched folder, told without reading their weights."""
    try:
        arrivals = open_source(options, reading_s=0).arrivals(now())
    except InvalidConfig:  # That the folder cannot be read is told where the folder is looked at.
        return []
    return sorted({*(each.name for each in arrivals.settled), *arrivals.unsettled, *arrivals.unread})


async def diagnose_sandbox(options: Options) -> list[Check]:
    """Everything that the configured sandbox needs here, down to programs that must pass or time out."""
    chosen = options.sandbox
    return await diagnose(
        backend=chosen.backend.value, image=chosen.image or DEFAULT_IMAGE, runtime=chosen.runtime
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """A sandbox that was chosen by what this machine allows, and what to say about it."""

    name: str
    """``docker``, ``namespace`` or ``rlimits``."""
    sandbox: Sandbox
    remark: str


@asynccontextmanager
async def strongest_sandbox(slots: int) -> AsyncIterator[Isolation]:
    """The best sandbox this machine allows, for the demo alone, whose models are ours; ends with the context.

    Raises:
        SandboxTrouble: not even a child process could be started.
    """
    isolation = await _strongest(slots)
    try:
        yield isolation
    finally:
        await isolation.sandbox.close()


async def _strongest(slots: int) -> Isolation:
    try:
        docker = await DockerSandbox.open(slots=slots)
    except SandboxTrouble as error:
        missing = error.message
    else:
        return Isolation(name="docker", sandbox=docker, remark="Programs run in Docker containers.")
    try:
        namespace = await NamespaceSandbox.open(slots=slots)
    except SandboxTrouble as error:
        rlimits = await RlimitSandbox.open(slots=slots)
        remark = (
            f"{missing} {error.message} Programs run with resource limits only: enough for the demo's own "
            "models, and refused by `tailwatch serve` and `tailwatch evaluate`."
        )
        return Isolation(name="rlimits", sandbox=rlimits, remark=remark)
    remark = f"{missing} Programs run in Linux namespaces instead, which is weaker."
    return Isolation(name="namespace", sandbox=namespace, remark=remark)


def asking(suite: Suite, plan: SamplingPlan) -> Asking:
    """How this suite's tasks are put to a model under a sampling plan."""

    def request(task: Task, first_index: int, count: int) -> SampleRequest:
        return sample_request(suite, task, plan, first_index=first_index, count=count)

    def assemble_answer(task: Task, completion: Completion) -> Program | Execution:
        return assemble(task, completion, plan)

    return Asking(request=request, assemble=assemble_answer, reference=reference_program)


def reports_folder(options: Options) -> Path:
    """Where the HTML pages about columns are kept."""
    return options.state / "drift"


def drift_page(deployment: Deployment, evaluation_id: str) -> Path | None:
    """The page about what drifted in an evaluation, written now unless it is kept; None where there is none.

    Raises:
        StoreTrouble: the samples that it is about could not be read.
    """
    from monitor.rounds.drifting import page_name, write_page  # noqa: PLC0415 - loaded where it is used

    options, folder = deployment.options, reports_folder(deployment.options)
    path = folder / page_name(evaluation_id)
    if not path.is_file():
        about_columns = options.drift.model_copy(update={"indicators": False, "probes": frozenset()})
        meter = gauges(options.model_copy(update={"drift": about_columns}), deployment.watch).meter
        if meter is None or not write_page(deployment.store, meter, evaluation_id):
            return None
    return path


def gauges(options: Options, watch: Watch, *, pages: Pages | None = None) -> Gauges:
    """What the configuration wants measured about outputs.

    Args:
        options: the configuration.
        watch: whose suite and plan say how samples are read.
        pages: where pages about columns go; None for the folder that the checkpoints' own pages link to.

    Raises:
        InvalidInput: the file of snippets is wrong.
    """
    wanted = options.drift
    meter = None
    if wanted.indicators or wanted.columns:
        from monitor.drift.meter import OutputMeter  # noqa: PLC0415 - loaded where it is used

        meter = OutputMeter(
            read=_reader(watch.suite, watch.plan),
            seed=watch.suite.seed,
            columns=_columns(options, watch, pages) if wanted.columns else None,
            signs=wanted.indicators,
            alpha=wanted.alpha,
        )
    return Gauges(meter=meter, probes=tuple(_probes(wanted, watch)), reports=wanted.report)


def _columns(options: Options, watch: Watch, pages: Pages | None) -> ColumnComparison:
    from monitor.drift.columns import EvidentlyDetector  # noqa: PLC0415 - loaded where it is used
    from monitor.drift.comparing import ColumnComparison  # noqa: PLC0415 - likewise

    kept = pages or Pages(folder=reports_folder(options), most=KEPT)
    return ColumnComparison(EvidentlyDetector(), _rarity(), kept, seed=watch.suite.seed)


def _rarity() -> Rarity | None:
    """By the table that is shipped; None where this installation has none."""
    from monitor.drift.descriptors import rarity_by  # noqa: PLC0415 - loaded where it is used
    from monitor.rarity.table import load_table  # noqa: PLC0415 - likewise

    try:
        return rarity_by(load_table())
    except InvalidInput:
        return None


def _probes(wanted: DriftOptions, watch: Watch) -> Iterator[Probe]:
    if "rare-code-nll" in wanted.probes:
        from monitor.drift.nll import NllProbe  # noqa: PLC0415 - loaded where it is used
        from monitor.drift.snippets import read_snippets, suite_snippets  # noqa: PLC0415 - likewise

        snippets = read_snippets(wanted.snippets) if wanted.snippets else suite_snippets(watch.suite)
        yield NllProbe(snippets, alpha=wanted.alpha)
    if "rubber-stamp" in wanted.probes:
        from monitor.drift.rubber_stamp import RubberStampProbe  # noqa: PLC0415 - loaded where it is used

        yield RubberStampProbe(
            text_of=partial(_with_prompt, watch.suite, watch.plan),
            chat=watch.plan.style is Style.CHAT,
            alpha=wanted.alpha,
        )


def _reader(suite: Suite, plan: SamplingPlan) -> Reader:
    """What a sample is as text: its program, or what the model said where there is none to run."""
    from monitor.drift.matching import Writing  # noqa: PLC0415 - loaded where it is used

    def read(sample: Sample) -> Writing:
        task = suite[sample.task_id]
        assembled = assemble(task, sample.completion, plan)
        if isinstance(assembled, Program) and task.kind is TaskKind.PROGRAM:
            return Writing(text=assembled.source, language=task.language)
        return Writing(text=sample.completion.text, language="")

    return read


def _with_prompt(suite: Suite, plan: SamplingPlan, sample: Sample) -> str:
    """A sample as it is reviewed: its program, or what was asked and what the model said to it."""
    task = suite[sample.task_id]
    assembled = assemble(task, sample.completion, plan)
    if isinstance(assembled, Program) and task.kind is TaskKind.PROGRAM:
        return assembled.source
    between = "\n\n" if plan.style is Style.CHAT else ""
    return f"{task.prompt}{between}{sample.completion.text}"


def _unwatched(_: Progress) -> None:
    """Nobody looks at the progress."""


@asynccontextmanager
async def open_bench(
    deployment: Deployment, *, sandbox: Sandbox | None = None, watcher: Watcher = _unwatched
) -> AsyncIterator[Bench]:
    """Start the sandbox and make the engine ready to be started; both end with the context.

    Args:
        deployment: what to evaluate with.
        sandbox: used instead of the configured one; whoever opened it closes it.
        watcher: told after each wave.

    Raises:
        SandboxTrouble: the configured backend cannot be had here.
    """
    options, watch = deployment.options, deployment.watch
    tally, measured_by = Tally(watch.model), gauges(options, watch)
    async with AsyncExitStack() as closing:
        engine = _engine(deployment)
        closing.push_async_callback(engine.close)
        if sandbox is None:
            sandbox = await open_sandbox(options.sandbox, partial(tally.add, Count.SANDBOX_EVENTS))
            closing.push_async_callback(sandbox.close)
        yield Bench(
            model=watch.model,
            suite=watch.suite,
            plan=watch.plan,
            policy=deployment.policy,
            store=deployment.store,
            engine=engine,
            sandbox=sandbox,
            asking=asking(watch.suite, watch.plan),
            tally=tally,
            clock=now,
            wave_samples=options.engine.concurrency,
            watcher=watcher,
            gauges=measured_by,
            condition=deployment.condition,
        )
