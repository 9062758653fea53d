"""`tailwatch gate`, `tailwatch promote`, `tailwatch status`: answers from the store alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.cli.app import cli, config_option, json_option, terminal
from monitor.cli.bank_report import bank_table, print_problems
from monitor.cli.outcomes import decide_on_files
from monitor.cli.tables import by_stratum, decided, decision_view, evidence_cell
from monitor.config import load_options, load_policy
from monitor.domain.checkpoint import Checkpoint
from monitor.domain.drift import NOTHING
from monitor.domain.errors import InvalidInput
from monitor.domain.evaluation import Evaluation
from monitor.domain.evidence import Decision, DecisionKind
from monitor.domain.tasks import RAREST_FIRST
from monitor.export.documents import (
    bank_document,
    checkpoint_document,
    decision_document,
    evaluation_document,
    trends_document,
)
from monitor.export.pass_at_k import pass_at_k_document
from monitor.rounds.banks import Banks
from monitor.rounds.gate import Gate, latest_evaluation
from monitor.rounds.watching import Watch, bank, baseline_of, find
from monitor.rounds.watching import promote as promote_checkpoint
from monitor.verdicts.policy import Policy
from monitor.verdicts.rules import rules_for
from monitor.wiring import Deployment, now, open_deployment

_FILE = click.Path(path_type=Path, dir_okay=False)


@cli.command()
@click.argument("candidate", required=False)
@click.option("--policy", type=_FILE, help="Weigh by this file's policy instead of the configured one.")
@click.option("--baseline-outcomes", type=_FILE, help="Decide on recorded outcomes: the baseline's …")
@click.option("--candidate-outcomes", type=_FILE, help="… and the candidate's, one JSON object per line.")
@click.option("--greedy", is_flag=True, help="The recorded outcomes were generated at temperature 0.")
@click.option("--in-order", is_flag=True, help="The candidate's lines stand in random order: read them so.")
@config_option
@json_option
def gate(
    candidate: str | None,
    policy: Path | None,
    baseline_outcomes: Path | None,
    candidate_outcomes: Path | None,
    greedy: bool,
    in_order: bool,
    config: Path | None,
    as_json: bool,
) -> None:
    """Answer whether CANDIDATE (a name or digest) may be promoted.

    Exit code 0 PROMOTE, 1 REJECT, 2 HOLD, 3 error. Answers from what is stored, or from two files of
    outcomes; evaluates nothing.
    """
    if baseline_outcomes and candidate_outcomes and candidate is None:
        name = candidate_outcomes.name
        rules = rules_for(_policy_for_files(policy, config), greedy=greedy)
        decision = decide_on_files(baseline_outcomes, candidate_outcomes, rules, in_order=in_order)
    elif candidate is None or baseline_outcomes or candidate_outcomes:
        raise click.UsageError(
            "Give a CANDIDATE, or both --baseline-outcomes and --candidate-outcomes and no CANDIDATE."
        )
    elif greedy or in_order:
        raise click.UsageError("--greedy and --in-order say how files of outcomes are read; give both files.")
    else:
        name = candidate
        decision = _stored_decision(candidate, policy, config)
    terminal(as_json=as_json).answer(
        {"candidate": name, **decision_document(decision)},
        lambda out: out.print(decision_view(name, decision)),
    )
    sys.exit(decision.kind.exit_code)


def _policy_for_files(policy: Path | None, config: Path | None) -> Policy:
    """The policy that was asked for; where none was, the defaults, since files need no configuration."""
    if policy is not None:
        return load_policy(policy)
    return Policy() if config is None else load_options(config).policy.policy()


def _stored_decision(candidate: str, policy: Path | None, config: Path | None) -> Decision:
    with open_deployment(load_options(config)) as deployment:
        rules = load_policy(policy) if policy else deployment.policy
        return Gate(deployment.watch, rules).decision_for(candidate, now=now())


@cli.command()
@click.argument("checkpoint")
@click.option("--force", is_flag=True, help="Also when the gate does not say PROMOTE.")
@config_option
@json_option
def promote(checkpoint: str, force: bool, config: Path | None, as_json: bool) -> None:
    """Record that CHECKPOINT was promoted.

    With `baseline: promoted` it becomes the baseline of the checkpoints that come after it.
    """
    with open_deployment(load_options(config)) as deployment:
        watch = deployment.watch
        known = find(watch, checkpoint)
        decision = Gate(watch, deployment.policy).decision_for(checkpoint, now=now())
        if known is None or (decision.kind is not DecisionKind.PROMOTE and not force):
            raise InvalidInput(
                f"The gate says {decision.kind.value.upper()} for {checkpoint}: {decision.reasons[0].text}",
                next_step="Evaluate it first." if known is None else "Promote it all the same with --force.",
            )
        promote_checkpoint(watch, known, now=now())
    terminal(as_json=as_json).answer(
        {"promoted": checkpoint_document(known)},
        lambda out: out.print(f"{known.name} ({known.short_digest}) is promoted.", highlight=False),
    )


@cli.command()
@config_option
@json_option
def status(config: Path | None, as_json: bool) -> None:
    """Show every checkpoint, its role, its evaluation and the gate's answer."""
    with open_deployment(load_options(config)) as deployment:
        rows = _rows(deployment)
        health = Banks(deployment.watch, deployment.policy).of_baseline()
        queue = dict(deployment.store.depth(deployment.watch.model))
    document = {
        "model": deployment.watch.model,
        "suite": deployment.watch.suite.name,
        "queue": queue,
        "bank": bank_document(health),
        "checkpoints": [row.document for row in rows],
    }

    def render(out: Console) -> None:
        _print_status(out, deployment, rows, queue)
        if health:
            out.print("The baseline's bank:")
            out.print(bank_table(health))
            print_problems(out, health)

    terminal(as_json=as_json).answer(document, render)


class _Row:
    """One checkpoint as `status` shows it."""

    def __init__(self, watch: Watch, gate: Gate, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.roles = sorted(
            r.value for r, digest in watch.store.roles(watch.model).items() if digest == checkpoint.digest
        )
        self.decision = gate.decision_for(checkpoint.digest, now=now())
        baseline = baseline_of(watch)
        self.evaluation: Evaluation | None = (
            latest_evaluation(watch, checkpoint.digest, baseline.digest) if baseline else None
        )
        drawn = self.evaluation or bank(watch, checkpoint, now=now())
        self.pass_at_k = pass_at_k_document(watch.store.task_tallies(drawn.key.evaluation_id))
        self.drift = watch.store.drift(drawn.key.evaluation_id) or NOTHING

    @property
    def document(self) -> dict[str, Any]:
        return {
            **checkpoint_document(self.checkpoint),
            "roles": self.roles,
            "gate": decision_document(self.decision),
            "evaluation": evaluation_document(self.evaluation) if self.evaluation else None,
            "pass_at_k": self.pass_at_k,
            "trends": trends_document(self.drift),
        }


def _rows(deployment: Deployment) -> list[_Row]:
    watch = deployment.watch
    gate = Gate(watch, deployment.policy)
    return [_Row(watch, gate, checkpoint) for checkpoint in watch.store.checkpoints(watch.model)]


def _print_status(out: Console, deployment: Deployment, rows: list[_Row], queue: dict[str, int]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("checkpoint", "digest", "role", "gate", *(s.value for s in RAREST_FIRST), "why"):
        table.add_column(heading)
    for row in rows:
        found = by_stratum(row.decision.findings)
        table.add_row(
            row.checkpoint.name,
            row.checkpoint.short_digest,
            ", ".join(row.roles),
            decided(row.decision.kind),
            *(
                evidence_cell(found[s].evidence, found[s].kind) if s in found else evidence_cell(None)
                for s in RAREST_FIRST
            ),
            Text(row.decision.reasons[0].text),
        )
    out.print(f"Model {deployment.watch.model}, suite {deployment.watch.suite.name}", highlight=False)
    if rows:
        out.print(table)
    else:
        out.print("No checkpoint yet. Build a baseline with `tailwatch baseline build CHECKPOINT`.")
    if queue:
        out.print(", ".join(f"{count} {state}" for state, count in sorted(queue.items())), highlight=False)
