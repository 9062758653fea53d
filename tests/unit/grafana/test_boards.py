"""The committed boards are what the code makes, and keep the rules of the public dashboard linter."""

import importlib.util
import itertools
import json
import re
from pathlib import Path

import pytest
import yaml

from tests.requirements import require

ROOT = Path(__file__).parents[3]
BOARDS = {
    file.stem: json.loads(file.read_text()) for file in sorted((ROOT / "grafana/boards").glob("*.json"))
}
PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, board in BOARDS.items()
    for panel in board["panels"]
    if panel["type"] != "row"
]
EVERY_BOARD = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
EVERY_PANEL = pytest.mark.parametrize("panel", PANELS)

BUILT_IN = {"__rate_interval", "__interval", "__range", "__data", "__value"}
WITHOUT_INSTANCE = {"Alerts that fire"}
"""An alert about a target that does not exist has no instance."""


def selectors(expression):
    """Each metric of an expression with its matchers."""
    return re.findall(r"([a-zA-Z_:][\w:]*)\{([^}]*)\}", expression)


def rules(kind):
    """The shipped rules of Prometheus that make an ``alert``, or that ``record`` a series."""
    return [
        rule
        for path in sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
        if kind in rule
    ]


def expressions(board):
    panels = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    return panels + [mark["expr"] for mark in board["annotations"].get("list", ()) if "expr" in mark]


def test_there_are_three_boards():
    assert set(BOARDS) == {"tailwatch-fleet", "tailwatch-model", "tailwatch-checkpoint"}


def test_the_committed_boards_are_what_the_code_makes():
    available = importlib.util.find_spec("grafana_foundation_sdk") is not None
    require("grafana-foundation-sdk", available, "pip install grafana-foundation-sdk==1769699241")
    from grafana.writing import outdated

    assert outdated() == []


@EVERY_BOARD
def test_a_board_is_not_edited_by_hand_and_has_the_linters_variables(board):
    assert board["editable"] is False
    assert board["uid"] in BOARDS
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    assert variables["datasource"]["label"] == "Data source"
    for name in ("job", "instance"):
        variable = variables[name]
        assert variable["label"] == name.capitalize()
        assert (variable["multi"], variable["includeAll"], variable["allValue"]) == (True, True, ".+")
    for variable in variables.values():
        if variable["type"] == "query":
            assert variable["datasource"]["uid"] == "${datasource}"
            assert variable["refresh"] == 2, "reloaded when the time range changes"


@EVERY_BOARD
def test_no_panel_lies_over_another_or_outside_the_grid(board):
    taken = {}
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        columns = range(place["x"], place["x"] + place["w"])
        for cell in itertools.product(columns, range(place["y"], place["y"] + place["h"])):
            assert cell not in taken, f"{panel['title']} lies over {taken[cell]}"
            taken[cell] = panel["title"]


@EVERY_BOARD
def test_every_variable_that_is_used_is_declared(board):
    declared = {variable["name"] for variable in board["templating"]["list"]} | BUILT_IN
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(board)))
    assert used <= declared


@EVERY_BOARD
def test_titles_are_unique_on_a_board(board):
    titles = [panel["title"] for panel in board["panels"]]
    assert len(titles) == len(set(titles))


@EVERY_PANEL
def test_a_panel_says_what_it_shows_in_which_unit_from_the_chosen_source(panel):
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"]["uid"] == "${datasource}"
    assert panel["targets"]


@EVERY_PANEL
def test_every_selector_of_a_panel_keeps_to_the_chosen_job_and_instances(panel):
    for target in panel["targets"]:
        found = selectors(target["expr"])
        assert found
        for _, matchers in found:
            assert 'job=~"$job"' in matchers
            assert 'instance=~"$instance"' in matchers or panel["title"] in WITHOUT_INSTANCE
        names = set(re.findall(r"\b(?:\w+:)?tailwatch_\w+(?::\w+)?", target["expr"]))
        assert names <= {name for name, _ in found}, "a metric without a selector"


@EVERY_PANEL
def test_counters_are_shown_as_rates_over_the_rate_interval(panel):
    for target in panel["targets"]:
        counted = re.findall(r"(\w+)\(\w+_total\{[^}]*\}\[([^\]]+)\]\)", target["expr"])
        assert len(counted) == len(re.findall(r"_total\{", target["expr"]))
        assert all(name in {"rate", "increase"} and over == "$__rate_interval" for name, over in counted)


def data_links(panel):
    """Pairs of column heading and address."""
    for override in panel["fieldConfig"].get("overrides", ()):
        for told in override["properties"]:
            if told["id"] == "links":
                yield from ((override["matcher"]["options"], link["url"]) for link in told["value"])


def headings(panel):
    """What the columns of a table are called, by the label they show."""
    for step in panel.get("transformations", ()):
        if step["id"] == "organize":
            return step["options"]["renameByName"]
    return {}


@EVERY_PANEL
def test_a_link_stands_in_a_column_of_its_table_and_is_made_of_others(panel):
    shown = set(headings(panel).values())
    for column, url in data_links(panel):
        assert {column, *re.findall(r"__data\.fields\.(\w+)", url)} <= shown


@EVERY_PANEL
def test_a_row_about_a_checkpoint_leads_to_its_board_and_to_the_monitors_page(panel):
    shown = headings(panel)
    if panel["type"] == "table" and "digest" in shown.values():
        urls = [url for _, url in data_links(panel)]
        assert any("/checkpoints/${__data.fields.digest}" in url for url in urls)
        assert shown.get("name") == "name" or any(url.startswith("/d/tailwatch-checkpoint?") for url in urls)


def test_an_alert_leads_to_the_runbook_that_its_rule_names():
    (alerts,) = (each for each in BOARDS["tailwatch-fleet"]["panels"] if each["title"] == "Alerts that fire")
    ((column, url),) = data_links(alerts)
    named = {rule["alert"]: rule["annotations"]["runbook_url"] for rule in rules("alert")}
    assert column == "alert"
    assert {name: url.replace("${__value.text}", name) for name in named} == named


@EVERY_BOARD
def test_a_board_asks_only_for_series_that_exist(board):
    exported = set(re.findall(r"`(tailwatch_\w+)`", (ROOT / "docs/metrics.md").read_text()))
    known = exported | {rule["record"] for rule in rules("record")} | {"up", "ALERTS"}
    for expression in expressions(board):
        assert {name for name, _ in selectors(expression)} <= known


@pytest.mark.parametrize(
    ("file", "key"),
    [("datasources/prometheus.yml", "datasources"), ("dashboards/tailwatch.yml", "providers")],
)
def test_provisioning_files_are_of_grafanas_form(file, key):
    provisioned = yaml.safe_load((ROOT / "grafana/provisioning" / file).read_text())
    assert provisioned["apiVersion"] == 1
    assert [entry["name"] for entry in provisioned[key]]
