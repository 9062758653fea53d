"""Rules, their cases, runbooks and pages agree with each other and with what is exported."""

import re
from collections import defaultdict
from functools import partial
from pathlib import Path

import pytest
import yaml

from monitor.export.collector import StoreCollector, new_registry
from monitor.export.process import Polls, Sampling
from monitor.testing import MemoryStore
from tests.unit.export import story

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy" / "prometheus" / "rules"
CASES = ROOT / "deploy" / "prometheus" / "tests"
SEVERITIES = {"critical", "warning", "info"}
SECTIONS = ["What it means", "How sure it is", "First commands", "A false alarm?", "Silence"]


def rules(kind):
    return [
        rule
        for path in sorted(RULES.glob("*.yml"))
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
        if kind in rule
    ]


ALERTS = {rule["alert"]: rule for rule in rules("alert")}
RECORDED = {rule["record"] for rule in rules("record")}
EMPTY = MemoryStore()
EXPORTED = {
    f"{family.name}{ {'counter': '_total', 'info': '_info'}.get(family.type, '') }"
    for family in new_registry(
        StoreCollector(EMPTY, model=story.MODEL, decision_for=partial(story.recorded_decision, EMPTY)),
        Polls(story.MODEL),
        Sampling(story.MODEL, lambda: None),
    ).collect()
    if family.name.startswith("tailwatch_")
}


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_how_urgent_it_is_what_happened_and_where_to_read_on(alert):
    rule = ALERTS[alert]
    assert alert.startswith("Tailwatch")
    assert rule["labels"]["severity"] in SEVERITIES
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"https://tailwatch.example/runbooks/{alert}.md"


@pytest.mark.parametrize("path", sorted(RULES.glob("*.yml")), ids=lambda path: path.stem)
def test_a_rule_reads_records_of_its_own_group_only_and_only_earlier_ones(path):
    # Prometheus evaluates the rules of a group in their order, and groups in none.
    for group in yaml.safe_load(path.read_text())["groups"]:
        recorded = set()
        for rule in group["rules"]:
            assert set(re.findall(r"\w+:\w+:\w+", rule["expr"])) <= recorded, rule
            recorded.add(rule.get("record"))


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_a_runbook_with_every_section(alert):
    page = (ROOT / "docs" / "runbooks" / f"{alert}.md").read_text()
    assert page.startswith(f"# {alert}\n")
    assert f"Severity: {ALERTS[alert]['labels']['severity']}." in page
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == SECTIONS
    assert f"alertname={alert}" in page


def expected_alerts():
    """Labels of every alert that a case expects, by name."""
    found = defaultdict(list)
    for path in sorted(CASES.glob("*.yml")):
        for case in yaml.safe_load(path.read_text())["tests"]:
            for expectation in case["alert_rule_test"]:
                found[expectation["alertname"]] += [each["exp_labels"] for each in expectation["exp_alerts"]]
    return found


@pytest.mark.parametrize("alert", ALERTS)
def test_the_silence_of_a_runbook_matches_the_alert_it_is_about(alert):
    page = (ROOT / "docs" / "runbooks" / f"{alert}.md").read_text()
    command = re.search(r"amtool silence add (.+?) --", page)[1]
    matchers = dict(matcher.split("=") for matcher in command.split())
    assert matchers.pop("alertname") == alert
    fixed = {label: value for label, value in matchers.items() if not value.isupper() and ":" not in value}
    assert [
        labels
        for labels in expected_alerts()[alert]
        if matchers.keys() <= labels.keys() and fixed.items() <= labels.items()
    ]


def test_no_runbook_is_about_an_alert_that_does_not_exist():
    assert {page.stem for page in (ROOT / "docs" / "runbooks").glob("*.md")} == set(ALERTS)


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent():
    seen = defaultdict(set)
    for path in sorted(CASES.glob("*.yml")):
        for case in yaml.safe_load(path.read_text())["tests"]:
            for expectation in case["alert_rule_test"]:
                seen[expectation["alertname"]].add(bool(expectation["exp_alerts"]))
    assert seen == {alert: {True, False} for alert in ALERTS}


def test_it_is_tested_that_an_outage_makes_no_other_news_than_that_the_daemon_is_down():
    outage = yaml.safe_load((CASES / "outage_test.yml").read_text())["tests"][0]
    told = {each["alertname"] for each in outage["alert_rule_test"] if each["exp_alerts"]}
    asked = {each["alertname"] for each in outage["alert_rule_test"]}
    assert told == {"TailwatchDown"}
    assert asked == set(ALERTS)


@pytest.mark.parametrize("rule", rules("expr"), ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_asks_only_for_series_that_are_exported_or_recorded(rule):
    asked = set(re.findall(r"\b(?:\w+:)?tailwatch_\w+(?::\w+)?", rule["expr"]))
    assert asked <= EXPORTED | RECORDED


def test_the_page_of_metrics_lists_exactly_what_is_exported():
    page = (ROOT / "docs" / "metrics.md").read_text()
    catalogue = page.partition("## Catalogue")[2].partition("## Prometheus")[0]
    assert set(re.findall(r"`(tailwatch_\w+)`", catalogue)) == EXPORTED


def test_the_page_of_metrics_lists_every_alert_with_its_severity():
    page = (ROOT / "docs" / "metrics.md").read_text()
    listed = dict(re.findall(r"\| \[(Tailwatch\w+)\]\(runbooks/\1\.md\) \| (\w+) \|", page))
    assert listed == {alert: rule["labels"]["severity"] for alert, rule in ALERTS.items()}
