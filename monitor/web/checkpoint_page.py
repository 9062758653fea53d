"""The page of one checkpoint: the verdict first, then what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.domain.checkpoint import Checkpoint, Lineage
from monitor.domain.drift import DriftReading
from monitor.domain.evaluation import Evaluation
from monitor.domain.evidence import Confirmation, Decision, Evidence, Finding
from monitor.domain.samples import Outcome
from monitor.domain.tasks import RAREST_FIRST, Stratum
from monitor.stats.passk import PassAtK
from monitor.verdicts.bank_health import StratumHealth
from monitor.web.bank import bank_section
from monitor.web.figures import MISSING, badge, interval, moment, ratio
from monitor.web.interval_plot import interval_plot
from monitor.web.markup import Markup, document, element, join, link, table
from monitor.web.outputs import Generation, generations_section, outputs_section


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointView:
    """What the page shows."""

    checkpoint: Checkpoint
    roles: tuple[str, ...]
    decision: Decision
    """The gate's answer now."""
    last: Evaluation | None
    """The last decided evaluation; its figures are shown."""
    evaluations: tuple[Evaluation, ...]
    """The newest, oldest first."""
    tallies: Mapping[tuple[Stratum, Outcome], int]
    """Samples of the last decided evaluation."""
    passing: Mapping[Stratum, tuple[PassAtK, ...]]
    """pass@k of those samples, per stratum, ascending in k."""
    drift: DriftReading | None
    """What its outputs look like beside the bank's; None where they were not compared."""
    generations: tuple[Generation, ...]
    """The newest checkpoints of the model, oldest first, this one among them or not."""


def checkpoint_page(model: str, view: CheckpointView, bank: Sequence[StratumHealth] = ()) -> Markup:
    """The whole page; ``bank`` is what a baseline's bank is worth."""
    checkpoint = view.checkpoint
    return document(
        f"{checkpoint.name}: {view.decision.kind.value}",
        element("p", link(f"Checkpoints of {model}", "/"), class_="soft"),
        element("h1", checkpoint.name, " ", badge(view.decision.kind)),
        element("p", ", ".join(view.roles), " · ", element("code", checkpoint.digest), class_="soft"),
        _reasons(view.decision),
        bank_section(bank),
        _strata(view.last),
        _passing(view.passing),
        _outcomes(view.tallies),
        outputs_section(view.drift, view.last.key.evaluation_id if view.last is not None else ""),
        _stages(view.last),
        _lineage(checkpoint.lineage),
        generations_section(view.generations),
        _evaluations(view.evaluations),
    )


def _reasons(decision: Decision) -> Markup:
    if not decision.reasons:
        return Markup("")
    items = (
        element("li", reason.text, " ", element("code", reason.code.value, class_="soft"))
        for reason in decision.reasons
    )
    return join(element("h2", "Reasons"), element("ul", *items))


def _strata(evaluation: Evaluation | None) -> Markup:
    if evaluation is None or evaluation.decision is None or not evaluation.decision.findings:
        return element("p", "There is no evidence about this checkpoint yet.")
    findings = evaluation.decision.findings
    headings = (
        "stratum",
        "finding",
        "baseline",
        "pass ratio",
        "difference",
        "margin",
        "samples",
        "could show",
    )
    note = "Dashed: the margin, the drop that matters. Intervals stay valid however often one looks."
    return join(
        element("h2", "Evidence"),
        table(headings, [_stratum_row(finding) for finding in findings]),
        interval_plot(findings),
        element("p", note, class_="soft"),
    )


def _stratum_row(finding: Finding) -> tuple[str, ...]:
    evidence = finding.evidence
    confirmed = "" if finding.confirmation is Confirmation.NOT_NEEDED else f" {finding.confirmation.value}"
    return (
        evidence.stratum.value,
        join(badge(finding.kind), confirmed, f" {evidence.problem}" if evidence.problem else ""),
        ratio(evidence.baseline_ratio),
        interval(evidence.pass_ratio, evidence.pass_low, evidence.pass_high),
        interval(evidence.delta, evidence.delta_low, evidence.delta_high, signed=True),
        _margin(evidence),
        f"{evidence.samples} of at most {evidence.max_samples}",
        ratio(evidence.minimum_detectable_delta),
    )


def _margin(evidence: Evidence) -> str:
    """The margin that was tested, and the policy's where the baseline passes too little to lose that."""
    if evidence.stated_margin is None:
        return ratio(evidence.margin)
    return f"{ratio(evidence.margin)} in place of {ratio(evidence.stated_margin)}"


def _passing(passing: Mapping[Stratum, tuple[PassAtK, ...]]) -> Markup:
    if not passing:
        return Markup("")
    rows = [
        (stratum.value, f"pass@{each.k}", f"{ratio(each.ratio)} ± {ratio(each.error)}", str(each.tasks))
        for stratum, figures in passing.items()
        for each in figures
    ]
    note = "The unbiased estimate with its standard error over tasks, from the samples that were drawn."
    return join(
        element("h2", "pass@k"),
        table(("stratum", "figure", "estimate", "tasks"), rows),
        element("p", note, class_="soft"),
    )


def _outcomes(tallies: Mapping[tuple[Stratum, Outcome], int]) -> Markup:
    strata = [stratum for stratum in RAREST_FIRST if any(present is stratum for present, _ in tallies)]
    if not strata:
        return Markup("")
    rows = [
        (stratum.value, *(str(tallies.get((stratum, outcome), 0)) for outcome in Outcome))
        for stratum in strata
    ]
    headings = ("stratum", *(outcome.value.replace("_", " ") for outcome in Outcome))
    return join(element("h2", "Outcomes"), table(headings, rows))


def _stages(evaluation: Evaluation | None) -> Markup:
    if evaluation is None or not evaluation.stage_s:
        return Markup("")
    rows = [(stage.value, f"{seconds:.1f} s") for stage, seconds in evaluation.stage_s.items()]
    rows.append(("all", f"{sum(evaluation.stage_s.values()):.1f} s"))
    return join(
        element("h2", "Where the time went"),
        table(("stage", "wall time"), rows),
        _named("Left out, since their reference failed here", evaluation.excluded_tasks),
        _named("Judged beside the program, which is weaker", evaluation.in_process_tasks),
        _named("Sealed, and not their turn", evaluation.resting_tasks),
    )


def _named(what: str, tasks: tuple[str, ...]) -> Markup:
    return element("p", f"{what}: {', '.join(tasks)}.") if tasks else Markup("")


def _lineage(lineage: Lineage | None) -> Markup:
    if lineage is None:
        return join(element("h2", "Lineage"), element("p", "The checkpoint carries no card."))
    rows = [
        ("trained from", lineage.parent or MISSING),
        ("training data", ", ".join(lineage.training_data) or MISSING),
        ("written by a model", f"{lineage.synthetic_share:.0%}"),
        ("review", lineage.review.value),
    ]
    return join(element("h2", "Lineage"), table(("", ""), rows))


def _evaluations(evaluations: tuple[Evaluation, ...]) -> Markup:
    rows = [
        (
            link(each.key.evaluation_id[:12], f"/api/evaluations/{each.key.evaluation_id}"),
            each.key.purpose.value,
            each.state.value,
            MISSING if each.decision is None else badge(each.decision.kind),
            moment(each.created_at),
            moment(each.finished_at),
            each.trouble,
        )
        for each in reversed(evaluations)
    ]
    headings = ("evaluation", "purpose", "state", "decision", "queued", "finished", "trouble")
    return join(element("h2", "Evaluations"), table(headings, rows)) if rows else Markup("")
