"""Every query of every panel, variable and mark is answered by a real Prometheus over the real exporter."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.integration.export.night import LATER
from tests.unit.export import story

BOARDS = Path(__file__).parents[3] / "grafana" / "boards"
VARIABLES = {
    "job": "tailwatch",
    "instance": ".+",
    "model": story.MODEL,
    "checkpoint": LATER.short_digest,
    "__rate_interval": "10s",
}


def filled(text):
    for name, value in VARIABLES.items():
        text = re.sub(rf"\$\{{?{name}\b\}}?", value, text)
    return text


def queries():
    for file in sorted(BOARDS.glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel.get("targets", ()):
                name = f"{file.stem}: {panel['title']} {target['refId']}"
                yield pytest.param(target["expr"], id=name)


def marks():
    for file in sorted(BOARDS.glob("*.json")):
        for mark in json.loads(file.read_text()).get("annotations", {}).get("list", ()):
            yield pytest.param(mark["expr"], id=f"{file.stem}: {mark['name']}")


def variables():
    for file in sorted(BOARDS.glob("*.json")):
        for variable in json.loads(file.read_text())["templating"]["list"]:
            if variable["type"] == "query":
                yield pytest.param(
                    variable["query"]["query"], variable.get("regex"), id=f"{file.stem}: {variable['name']}"
                )


@pytest.mark.parametrize("expression", list(queries()))
def test_a_panels_query_returns_series(asked, expression):
    assert asked.series(filled(expression))


@pytest.mark.parametrize("expression", list(marks()))
def test_a_mark_is_set_when_it_happened(asked, expression):
    assert asked.series(f"count_over_time(({filled(expression)})[5m:1s])")


KEYS = f'job="tailwatch", instance="m:1", model="{story.MODEL}", checkpoint="{LATER.short_digest}"'
INFO = f'tailwatch_checkpoint_info{{{KEYS}, name="gen4", role="%s", engine="%s"}}'
DECISION = f'tailwatch_decision{{{KEYS}, decision="reject"}}'


def marked(mark, tmp_path, moments, *series):
    """Whether promtool finds the mark set at each moment, over series of one value a minute."""
    board = json.loads((BOARDS / "tailwatch-model.json").read_text())
    (expression,) = (each["expr"] for each in board["annotations"]["list"] if each["name"] == mark)
    found = {}
    for moment in moments:
        asked = {"expr": f"count({filled(expression)}) or vector(0)", "eval_time": moment}
        asked["exp_samples"] = [{"labels": "{}", "value": 1}]
        test = {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series],
            "promql_expr_test": [asked],
        }
        file = tmp_path / f"{moment}.yml"
        file.write_text(yaml.safe_dump({"rule_files": [], "tests": [test]}))
        done = subprocess.run(
            ["promtool", "test", "rules", file], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 or "got" in done.stderr, done.stderr
        found[moment] = done.returncode == 0
    return found


def test_an_outage_of_hours_does_not_mark_old_rejections_again(tmp_path):
    found = marked(
        "Rejected",
        tmp_path,
        ("11m", "30m", "2h32m"),
        (INFO % ("candidate", "vllm"), "1x30 _x120 1x60"),
        (DECISION, "0x10 1x20 _x120 1x60"),
    )
    assert found == {"11m": True, "30m": False, "2h32m": False}


def test_another_engine_is_no_new_promotion(tmp_path):
    found = marked(
        "Promoted",
        tmp_path,
        ("10m", "31m"),
        (INFO % ("promoted", "vllm 0.32"), "_x10 1x20"),
        (INFO % ("promoted", "vllm 0.33"), "_x31 1x60"),
    )
    assert found == {"10m": True, "31m": False}


@pytest.mark.parametrize(("query", "regex"), list(variables()))
def test_a_variable_offers_values(asked, query, regex):
    listed = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
    if listed:
        selector, label = listed.groups()
        assert asked.get(f"label/{label}/values", **{"match[]": filled(selector)})
    else:
        found = asked.query(filled(re.fullmatch(r"query_result\((.+)\)", query)[1]))
        told = [
            "{" + ",".join(f'{key}="{value}"' for key, value in each["metric"].items()) + "}"
            for each in found
        ]
        pattern = regex.strip("/").replace("(?<", "(?P<")
        offered = {match["text"]: match["value"] for text in told if (match := re.search(pattern, text))}
        assert offered["gen4"] == LATER.short_digest


def panel_values(server, board, title):
    for panel in json.loads((BOARDS / f"{board}.json").read_text())["panels"]:
        if panel["title"] == title:
            return [each for target in panel["targets"] for each in server.series(filled(target["expr"]))]
    raise LookupError(title)


def test_the_verdict_on_the_boards_is_the_gates(asked):
    for board in ("tailwatch-model", "tailwatch-checkpoint"):
        assert [metric["decision"] for metric, _ in panel_values(asked, board, "Decision")] == ["hold"]
    fleet = panel_values(asked, "tailwatch-fleet", "Newest candidates and promoted checkpoints")
    assert {(metric["name"], metric["role"]) for metric, _ in fleet} == {
        ("gen4", "candidate"),
        ("gen0", "promoted"),
    }


def test_the_map_of_strata_shows_who_lost_what(asked):
    shown = {
        (metric["name"], metric["stratum"]): value
        for metric, value in panel_values(asked, "tailwatch-model", "Stratum by checkpoint")
    }
    assert shown["gen3", "tail"] == pytest.approx(-0.2)
    assert shown["gen3", "head"] == shown["control1", "tail"] == 0
    assert not [name for name, _ in shown if name == "gen0"], "the baseline differs from itself in nothing"


def test_the_interval_of_a_checkpoint_comes_with_its_margin(asked):
    shown = {
        (metric["stratum"], metric["bound"]): value
        for metric, value in panel_values(
            asked, "tailwatch-checkpoint", "Difference, its interval and the margin"
        )
    }
    assert shown["tail", "margin"] == pytest.approx(-0.1)
    assert shown["tail", "lower bound"] < shown["tail", "difference"] < shown["tail", "upper bound"]
