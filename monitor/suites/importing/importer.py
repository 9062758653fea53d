"""One import: files of tasks in, a suite's folder out, every task left out named."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.calibration import calibrate
from monitor.domain.errors import InvalidSuite
from monitor.domain.samples import Outcome
from monitor.ports import Sandbox
from monitor.programs.assembly import reference_program
from monitor.suites.format import NAME_PATTERN, SuiteFile, TaskFile, Unranked
from monitor.suites.importing.conversion import Conversion, LeftOut, LeftOutBecause, NotImportable, Origin
from monitor.suites.importing.formats import BENCHMARKS, Benchmark, Format
from monitor.suites.loading import build_task
from monitor.suites.records import Record, read_records
from monitor.suites.running import in_order
from monitor.suites.writing import new_suite

IN_FLIGHT = 32
"""Reference solutions being checked at once; the sandbox's own slots limit what really runs."""

MAX_TASK_BYTES = 2 * 2**20
"""A task larger than this carries data that does not belong into a task file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """What is to be imported, and what the suite is to be called."""

    format: Format
    files: Sequence[Path]
    """JSON Lines, ``.gz`` or not."""
    out: Path
    """A new folder."""
    name: str
    licence: str | None = None
    """SPDX expression, with ``source`` in place of what is known of the format's benchmark; needed for both
    where the format has none."""
    source: str | None = None
    """Where the tasks come from."""
    version: str = "1"
    seed: int = 0
    time_limit_s: float = 5.0
    """CPU seconds for every task; none of the formats states one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of an import."""

    folder: Path
    imported: int
    left_out: tuple[LeftOut, ...]
    own_stops: int
    """Imported tasks with stops of their own: the format's, or since the usual ones cut the reference."""
    references_checked: bool
    """Whether reference solutions were run."""


async def import_suite(order: ImportOrder, sandbox: Sandbox | None) -> ImportReport:
    """Write a suite from files of tasks.

    Args:
        order: what to import.
        sandbox: runs the reference solutions, so that tasks whose own solution does not pass here
            are left out; None takes them on trust.

    Raises:
        InvalidSuite: a file is not JSON Lines, the folder is not empty, the name cannot be a suite's, no
            task is left, or licence and source are not known.
        SandboxTrouble: no sandbox can be had.
    """
    left_out: list[LeftOut] = []
    own_stops = 0
    taken: set[str] = set()

    async def check(converted: TaskFile | LeftOut) -> TaskFile | LeftOut:
        if sandbox is None or isinstance(converted, LeftOut):
            return converted
        return await _checked(converted, sandbox)

    with new_suite(order.out, _header(order)) as writer:
        async for result in in_order(_converted(order, taken), check, in_flight=IN_FLIGHT):
            if isinstance(result, LeftOut):
                left_out.append(result)
            else:
                writer.add(result)
                own_stops += bool(result.stop)
        if not writer.count:
            raise _nothing_left(order, left_out)
    return ImportReport(
        folder=order.out,
        imported=writer.count,
        left_out=tuple(left_out),
        own_stops=own_stops,
        references_checked=sandbox is not None,
    )


def _nothing_left(order: ImportOrder, left_out: Sequence[LeftOut]) -> InvalidSuite:
    first = f" The first: {left_out[0].task_id}, {left_out[0].detail}." if left_out else ""
    return InvalidSuite(
        f"None of the {len(left_out)} tasks could be imported.{first}",
        next_step=f"Check that the files are of the format {order.format.value}.",
    )


def _origin(order: ImportOrder) -> Origin:
    """Where the tasks come from: as the reader says, else as is known of the format's benchmark."""
    if order.licence and order.source:
        return Origin(title="Tasks", licence=order.licence, source=order.source)
    published = BENCHMARKS[order.format].origin
    if published is None or order.licence or order.source:
        raise InvalidSuite(
            "Licence and source of the tasks are not both known.",
            next_step="Give --licence (SPDX) and --source (an address, or original).",
        )
    return published


def _header(order: ImportOrder) -> SuiteFile:
    origin = _origin(order)
    canary = uuid.uuid5(uuid.NAMESPACE_URL, f"tailwatch:{order.name}:{order.version}:{origin.source}")
    if not re.fullmatch(NAME_PATTERN, order.name):
        fitting = re.sub(r"[^a-z0-9._-]+", "-", order.name.lower()).strip("._-")[:64]
        raise InvalidSuite(
            f"A suite cannot be called {order.name!r}: its name is small letters, digits and `._-`.",
            next_step=f"Name it yourself: --name {fitting or order.format.value}.",
        )
    return SuiteFile(
        name=order.name,
        version=order.version,
        licence=origin.licence,
        seed=order.seed,
        description=f"{origin.title}, imported from {origin.source}.",
        rarity=Unranked(method="unranked"),
        contamination_canary=f"{order.name} {order.version}, do not train on this: {canary}",
    )


def _converted(order: ImportOrder, taken: set[str]) -> Iterator[TaskFile | LeftOut]:
    benchmark = BENCHMARKS[order.format]
    conversion = Conversion(origin=_origin(order), time_limit_s=order.time_limit_s)
    for path in order.files:
        for record in read_records(path, InvalidSuite):
            try:
                if conversion.origin is benchmark.origin:
                    _refuse_unpublished(benchmark, record)
                task = benchmark.read(record.value, conversion)
                _refuse_odd(task, taken)
            except NotImportable as exc:
                yield LeftOut(task_id=_name(record), because=exc.because, detail=exc.detail)
                continue
            taken.add(task.task_id)
            yield task


def _refuse_unpublished(benchmark: Benchmark, record: Record) -> None:
    """See that a task is the benchmark's own, whose licence and source it would be given."""
    task_id = record.value.get(benchmark.id_field)
    if benchmark.origin and isinstance(task_id, str) and not benchmark.published.fullmatch(task_id):
        raise NotImportable(
            LeftOutBecause.MALFORMED,
            f"{task_id!r} is none of {benchmark.origin.title}'s tasks: give its --licence and --source",
        )


def _refuse_odd(task: TaskFile, taken: set[str]) -> None:
    if task.task_id in taken:
        raise NotImportable(LeftOutBecause.MALFORMED, f"another task has the id {task.task_id!r} already")
    text = task.prompt + task.canonical_solution + task.test
    try:
        size = len(text.encode())
    except UnicodeEncodeError as exc:
        raise NotImportable(LeftOutBecause.MALFORMED, "it holds text that is not Unicode") from exc
    if size > MAX_TASK_BYTES:
        raise NotImportable(LeftOutBecause.MALFORMED, f"it is larger than {MAX_TASK_BYTES} bytes")


def _name(record: Record) -> str:
    for field in ("task_id", "name"):
        if isinstance(record.value.get(field), str):
            return str(record.value[field])
    return f"{record.path.name}, line {record.line}"


async def _checked(task: TaskFile, sandbox: Sandbox) -> TaskFile | LeftOut:
    execution = (await calibrate(reference_program(build_task(task)), sandbox)).reference
    if execution.outcome is Outcome.PASSED:
        return task
    unscored = execution.outcome is Outcome.UNSCORED
    return LeftOut(
        task_id=task.task_id,
        because=LeftOutBecause.NOT_RUN if unscored else LeftOutBecause.REFERENCE_FAILED,
        detail=f"{execution.outcome.value}: {execution.detail}"
        if execution.detail
        else execution.outcome.value,
    )
