"""How the demo ends: its last screen, as text, as a picture and as JSON."""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.text import Text

from monitor.atomic_files import write_file
from monitor.cli.demo.board import arrivals_table
from monitor.cli.demo.story import BASELINE, Arrival
from monitor.cli.tables import decided
from monitor.config import FILE_NAME
from monitor.domain.errors import InvalidInput
from monitor.domain.evaluation import Stage
from monitor.domain.tasks import Stratum
from monitor.export.documents import reason_document
from monitor.verdicts.average import LIMIT, Shares

PICTURE_COLUMNS = 170


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A demo that has come to its end."""

    arrivals: tuple[Arrival, ...]
    sandbox: str
    """``docker``, ``namespace`` or ``rlimits``."""
    shares: Shares
    """Of the strata in the average."""
    folder: Path
    address: str
    """Where metrics were served."""
    seconds: float
    """In all."""

    @property
    def stage_medians_s(self) -> dict[str, float]:
        """Median seconds of each stage of an evaluation."""
        return {
            stage.value: median(arrival.evaluation.stage_s.get(stage, 0.0) for arrival in self.arrivals)
            for stage in Stage
        }

    @property
    def median_s(self) -> float:
        """Median seconds from settled to decided."""
        return median(arrival.seconds for arrival in self.arrivals)


def conclude(out: Console, played: Played) -> None:
    """The last screen."""
    out.print(arrivals_table(played.arrivals))
    _tell_average(out, played.shares)
    for arrival in played.arrivals:
        decision = arrival.decision
        out.print(
            Text.assemble(f"{arrival.name:>9}  ", decided(decision.kind), f"  {decision.reasons[0].text}")
        )
    stages = ", ".join(f"{name} {value:.1f} s" for name, value in played.stage_medians_s.items())
    out.print(
        f"\nFrom settled to decided: median {played.median_s:.1f} s ({stages}); "
        f"{played.seconds:.0f} s in all, the bank and starting vLLM included.",
        highlight=False,
    )
    _tell_commands(out, played)


def _tell_average(out: Console, shares: Shares) -> None:
    weights = ", ".join(f"{s.value} {100 * shares.of.get(s, 0.0):.1f} %" for s in Stratum)
    origin = "measured shares of traffic" if shares.measured else "shares of the suite's tasks"
    out.print(
        f"\nAverage only: the same samples as one average ({origin}: {weights}); its change in points ± "
        f"standard error, and what a gate would say that rejects a fall by more than {100 * LIMIT:.0f}.\n",
        highlight=False,
    )


def _tell_commands(out: Console, played: Played) -> None:
    """How to look further, by commands that run as they stand."""
    program, config = shlex.quote(_program()), shlex.quote(str(played.folder / FILE_NAME))
    commands = [
        f"status -c {config}",
        f"gate gen2 -c {config}; echo $?",
        f"drift gen0 gen3 -c {config} --html gen3.html",
    ]
    if played.sandbox == "rlimits":
        out.print(f"Metrics were served at {played.address}/metrics. Without a sandbox, these can be asked:")
    else:
        commands = [f"serve -c {config}", *commands, f"compare control1 gen1 -c {config}"]
        out.print(f"Metrics were served at {played.address}/metrics and are again with the first of these:")
    for command in commands:
        out.print(f"  {program} {command}", highlight=False, soft_wrap=True)


def _program() -> str:
    """What the reader types to start this program again: its name, or its path where PATH has another."""
    started = Path(sys.argv[0])
    found = shutil.which(started.name)
    return started.name if found and Path(found).absolute() == started.absolute() else str(started)


def draw(picture: Path, played: Played) -> None:
    """Draw the last screen into an SVG file.

    Raises:
        InvalidInput: it cannot be written.
    """
    console = Console(record=True, file=StringIO(), width=PICTURE_COLUMNS)
    conclude(console, played)
    try:
        write_file(picture, console.export_svg(title="tailwatch demo"))
    except OSError as exc:
        raise InvalidInput(
            f"The picture cannot be written to {picture}: {exc.strerror or exc}.",
            next_step="Name another file with --picture.",
        ) from exc


def document(played: Played) -> dict[str, Any]:
    """Everything as JSON."""
    return {
        "baseline": BASELINE,
        "sandbox": played.sandbox,
        "average_only": {
            "limit": LIMIT,
            "shares": dict(played.shares.of),
            "shares_measured": played.shares.measured,
        },
        "checkpoints": [_arrival_document(arrival) for arrival in played.arrivals],
        "median_seconds": played.median_s,
        "median_stage_seconds": played.stage_medians_s,
        "seconds": played.seconds,
    }


def _arrival_document(arrival: Arrival) -> dict[str, Any]:
    decision = arrival.decision
    return {
        "name": arrival.name,
        "digest": arrival.evaluation.checkpoint.digest,
        "decision": decision.kind.value.upper(),
        "reasons": [reason_document(reason) for reason in decision.reasons],
        "average_only_decision": arrival.average.decision.value.upper(),
        "average": {"delta": arrival.average.change, "error": arrival.average.error},
        "strata": {
            finding.evidence.stratum.value: {
                "baseline": finding.evidence.baseline_ratio,
                "pass_ratio": finding.evidence.pass_ratio,
                "low": finding.evidence.pass_low,
                "high": finding.evidence.pass_high,
                "delta": finding.evidence.delta,
                "samples": finding.evidence.samples,
                "finding": finding.kind.value,
            }
            for finding in decision.findings
        },
        "seconds": arrival.seconds,
        "stage_seconds": {stage.value: seconds for stage, seconds in arrival.evaluation.stage_s.items()},
    }
