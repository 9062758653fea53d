"""The demo's last screen: what was decided, what an average would have said, what to type next."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from monitor.cli.demo.ending import Played, conclude, document, draw
from monitor.cli.demo.story import Arrival
from monitor.domain.errors import InvalidInput
from monitor.domain.tasks import Stratum
from monitor.verdicts.average import Average, Shares
from tests.unit.export.story import BEGIN, CONTROL1, GEN3, PROMOTE, REJECT, evaluation

PLAYED = Played(
    arrivals=(
        Arrival(
            name="control1",
            evaluation=evaluation(CONTROL1, begun=BEGIN, decision=PROMOTE),
            seconds=10.0,
            average=Average(change=-0.021, error=0.013),
        ),
        Arrival(
            name="gen3",
            evaluation=evaluation(GEN3, begun=BEGIN, decision=REJECT),
            seconds=14.0,
            average=Average(change=-0.019, error=0.012),
        ),
    ),
    sandbox="docker",
    shares=Shares(of={Stratum.HEAD: 0.7, Stratum.TORSO: 0.2, Stratum.TAIL: 0.1}, measured=True),
    folder=Path("my demo"),
    address="http://127.0.0.1:9817",
    seconds=200.0,
)


def told(played: Played) -> str:
    out = io.StringIO()
    conclude(Console(file=out, width=200), played)
    return out.getvalue()


def test_the_average_stands_beside_the_decision_with_its_error_whatever_it_says():
    rows = {line.split("│")[1].strip(): line for line in told(PLAYED).splitlines() if line.startswith("│")}
    assert "PROMOTE" in rows["control1"]
    assert "-2.1 ±1.3 REJECT" in rows["control1"]
    assert "-1.9 ±1.2 PROMOTE" in rows["gen3"]


def test_samples_of_a_confirmation_count_as_spent():
    (gen3,) = (line for line in told(PLAYED).splitlines() if line.startswith("│ gen3"))
    assert gen3.split("│")[5].strip() == str(3 * 40 + 40)


def test_the_average_says_what_it_weighs_by():
    assert "measured shares of traffic: head 70.0 %, torso 20.0 %, tail 10.0 %" in told(PLAYED)
    counted = replace(PLAYED, shares=replace(PLAYED.shares, measured=False))
    assert "shares of the suite's tasks: head 70.0 %" in told(counted)


def test_commands_begin_with_the_program_as_it_was_started(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "argv", [".venv/bin/tailwatch", "demo"])
    assert "\n  .venv/bin/tailwatch serve -c 'my demo/tailwatch.yaml'\n" in told(PLAYED)


def test_a_program_that_path_leads_to_goes_by_its_name(monkeypatch, tmp_path):
    program = tmp_path / "tailwatch"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [str(program), "demo"])
    assert "\n  tailwatch gate gen2 -c 'my demo/tailwatch.yaml'; echo $?\n" in told(PLAYED)


def test_without_a_sandbox_no_command_is_shown_that_would_need_one():
    shown = told(replace(PLAYED, sandbox="rlimits"))
    assert " serve -c" not in shown
    assert " compare " not in shown
    assert " status -c" in shown


def test_the_document_is_json_with_both_decisions():
    checkpoints = json.loads(json.dumps(document(PLAYED), allow_nan=False))["checkpoints"]
    assert [(each["decision"], each["average_only_decision"]) for each in checkpoints] == [
        ("PROMOTE", "REJECT"),
        ("REJECT", "PROMOTE"),
    ]
    assert checkpoints[0]["average"] == {"delta": -0.021, "error": 0.013}


def test_the_picture_shows_the_last_screen(tmp_path):
    draw(tmp_path / "demo.svg", PLAYED)
    picture = (tmp_path / "demo.svg").read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    assert "control1" in picture
    with pytest.raises(InvalidInput, match="--picture"):
        draw(tmp_path / "nowhere" / "demo.svg", PLAYED)
