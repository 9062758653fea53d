"""What `tailwatch baseline build` says of the bank it has drawn, and when it refuses it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.cli.app import ERROR, Terminal, error_document
from monitor.cli.tables import percent
from monitor.domain.checkpoint import Checkpoint
from monitor.domain.errors import UselessBank
from monitor.domain.evaluation import Evaluation
from monitor.export.documents import bank_document, checkpoint_document
from monitor.rounds.bank_diagnosis import likely_reasons
from monitor.rounds.banks import Banks, Health
from monitor.verdicts.bank_health import Standing
from monitor.weights.contents import has_chat_template
from monitor.wiring import Deployment

_STYLE = {
    Standing.GOOD: "green",
    Standing.ADVISORY: "",
    Standing.TOO_SMALL: "yellow",
    Standing.PASSES_TOO_LITTLE: "red",
    Standing.PASSES_NOTHING: "bold red",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltBank:
    """A bank that was just completed."""

    record: Evaluation
    tasks: int
    """Drawn of the suite."""
    health: Health
    refusal: UselessBank | None
    """Why its checkpoint was not made the baseline; None where it was."""

    @property
    def samples(self) -> int:
        """All that it holds, those without a result included."""
        return sum(each.samples + each.unscored for each in self.health)


def refusal_of(deployment: Deployment, subject: Checkpoint, record: Evaluation) -> UselessBank | None:
    """Why a checkpoint cannot be the baseline: a critical stratum passes nothing; None where it can."""
    health = Banks(deployment.watch, deployment.policy).of(subject)
    barren = [each.stratum for each in health if each.passes_nothing]
    if not barren:
        return None
    unasked = " ".join(each.problem for each in health if each.passes_nothing and not each.samples)
    samples = [s for s in deployment.store.samples(record.key.evaluation_id) if s.stratum in barren]
    scored = sum(each.samples for each in health if each.passes_nothing)
    template = has_chat_template(Path(subject.path))
    reasons = likely_reasons(samples, deployment.watch.plan, chat_template=template)
    listed = ", ".join(stratum.value for stratum in barren)
    return UselessBank(
        f"{subject.name} passes nothing of {listed} (0 of {scored} samples), which cannot be seen to "
        f"get worse: it was not made the baseline. {' '.join([*reasons, unasked]).strip()}",
        next_step=f"Repair that and draw it again with `tailwatch baseline build {subject.name} --again`, or "
        f"declare what it cannot pass advisory: `policy: {{advisory: [{listed}]}}`.",
    )


def show_bank(speak: Terminal, built: BuiltBank) -> None:
    """Print the bank, stratum by stratum; end the command with an error where it was refused."""
    subject, record, refusal = built.record.checkpoint, built.record, built.refusal
    document = {
        "baseline": checkpoint_document(subject),
        "samples": built.samples,
        "excluded_tasks": list(record.excluded_tasks),
        "strata": bank_document(built.health),
    }
    if refusal is not None:
        told = error_document("invalid", refusal.message, refusal.next_step)
        document |= {"baseline": None, "refused": checkpoint_document(subject), "error": told}
    speak.answer(document, lambda out: _render(out, built))
    if refusal is not None:
        click.echo(f"tailwatch: {refusal.message}\n  {refusal.next_step}", err=True)
        sys.exit(ERROR)


def _render(out: Console, built: BuiltBank) -> None:
    subject, excluded = built.record.checkpoint, ", ".join(built.record.excluded_tasks)
    if built.refusal is None:
        name = f"{subject.name} ({subject.short_digest})"
        out.print(f"{name} is the baseline: {built.samples} samples of {built.tasks} tasks.", highlight=False)
    out.print(bank_table(built.health))
    if built.refusal is None:
        print_problems(out, built.health)
    if excluded:
        out.print(f"Left out, since their reference fails here: {excluded}", highlight=False)


def bank_table(health: Health) -> Table:
    """One row per stratum: what the bank passes, and what can be shown with it."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("stratum", "samples", "passed", "invalid", "unscored", "drop that matters", "bank"):
        table.add_column(heading, justify="left" if heading in {"stratum", "bank"} else "right")
    for each in health:
        table.add_row(
            each.stratum.value,
            str(each.samples),
            percent(each.pass_ratio),
            percent(each.invalid_ratio),
            str(each.unscored),
            "-" if each.plan is None else f"{100 * each.plan.margin:.2g}",
            Text(each.standing.value, style=_STYLE[each.standing]),
        )
    return table


def print_problems(out: Console, health: Health) -> None:
    """What holds every candidate, and what can be done about it."""
    for each in health:
        if each.problem:
            out.print(Text(f"{each.stratum.value}: {each.problem}"))
