"""What the baseline's bank is worth, on pages."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.verdicts.bank_health import StratumHealth
from monitor.web.figures import MISSING, ratio
from monitor.web.markup import Markup, element, join, table

_HEADINGS = ("stratum", "tasks", "samples", "passed", "invalid", "unscored", "drop that matters", "bank")


def bank_problems(bank: Sequence[StratumHealth]) -> Markup:
    """Why every candidate is held, and what can be done; empty where the bank is good."""
    problems = [
        element("p", element("strong", f"Baseline, {each.stratum.value}: "), each.problem)
        for each in bank
        if each.problem
    ]
    return join(*problems)


def bank_section(bank: Sequence[StratumHealth]) -> Markup:
    """The section of a baseline's page about its bank; empty where it has none."""
    if not bank:
        return Markup("")
    rows = [_row(each) for each in bank]
    return join(element("h2", "Bank"), table(_HEADINGS, rows), bank_problems(bank))


def _row(each: StratumHealth) -> tuple[str, ...]:
    plan = each.plan
    return (
        each.stratum.value,
        MISSING if plan is None else str(plan.tasks),
        str(each.samples),
        ratio(each.pass_ratio),
        ratio(each.invalid_ratio),
        str(each.unscored),
        ratio(None if plan is None else plan.margin),
        each.standing.value,
    )
