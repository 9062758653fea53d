"""`tailwatch forget`, on a deployment with fakes of engine and sandbox."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner

from monitor.cli.app import cli
from monitor.config import load_options
from monitor.domain.checkpoint import Checkpoint, Role
from monitor.domain.drift import DriftReading
from monitor.domain.identity import content_digest
from monitor.store import open_store
from monitor.wiring import now, reports_folder
from tests.unit.cli.deployments import answer, deployment, fake_bench, run


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluated")
    config = deployment(folder)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("monitor.cli.evaluate.open_bench", fake_bench)
        assert run(config, "baseline", "build", "base").exit_code == 0
        assert run(config, "evaluate", "worse").exit_code == 0
    return folder


@pytest.fixture
def judged(evaluated, tmp_path):
    return shutil.copytree(evaluated, tmp_path / "deployment") / "tailwatch.yaml"


def known(config):
    return [each["name"] for each in answer(config, "status")["checkpoints"]]


def test_a_candidate_is_forgotten_with_its_samples_and_the_store_stays_sound(judged):
    document = answer(judged, "forget", "worse", "--yes")
    assert document["evaluations"] == 1
    assert document["samples"] > 0
    assert document["roles"] == {}
    assert document["folder_still_there"] is False
    assert "worse" not in known(judged)
    assert answer(judged, "store", "verify")["differences"] == []
    assert run(judged, "forget", "worse", "--yes").exit_code != 0


def test_it_asks_first_and_a_no_leaves_everything(judged):
    result = CliRunner().invoke(cli, ["forget", "worse", "-c", str(judged)], input="n\n")
    assert result.exit_code == 0
    assert "Forget worse" in result.output
    assert "Nothing was forgotten" in result.output
    assert "worse" in known(judged)
    result = CliRunner().invoke(cli, ["forget", "worse", "-c", str(judged)], input="y\n")
    assert "is forgotten: 1 evaluations" in result.output
    assert "worse" not in known(judged)


def test_with_json_it_does_nothing_without_yes(judged):
    result = run(judged, "forget", "worse", "--json")
    assert "--yes" in result.exception.next_step
    assert "worse" in known(judged)


def test_what_candidates_are_weighed_against_is_refused_unless_forced(judged):
    result = run(judged, "forget", "base", "--yes")
    assert "base" in result.exception.message
    assert "anchor and baseline and promoted" in result.exception.message
    assert "--force" in result.exception.next_step
    document = answer(judged, "forget", "base", "--yes", "--force")
    assert document["roles"] == {"baseline": None, "anchor": None, "promoted": None}
    # What was decided against it can still be told, and the gate holds: there is nothing to weigh against.
    status = answer(judged, "status")
    assert {each["gate"]["decision"] for each in status["checkpoints"]} == {"hold"}
    assert answer(judged, "store", "verify")["differences"] == []


def test_a_forced_role_goes_back_and_it_is_said_to_whom(judged):
    assert run(judged, "promote", "equal", "--force").exit_code == 0
    result = run(judged, "forget", "equal", "--yes", "--force")
    assert "The promoted is base" in result.output
    store = open_store(load_options(judged).store)
    assert store.roles("acme")[Role.PROMOTED] == content_digest("base")
    store.close()


def test_a_forgotten_anchor_is_followed_by_the_baseline_so_that_a_slow_decline_is_still_looked_for(judged):
    assert run(judged, "promote", "equal", "--force").exit_code == 0
    document = answer(judged, "forget", "base", "--yes", "--force")
    assert document["roles"] == {"anchor": content_digest("equal")}
    store = open_store(load_options(judged).store)
    assert store.roles("acme")[Role.ANCHOR] == content_digest("equal")
    store.close()


def test_a_folder_that_is_still_there_is_named(judged, tmp_path):
    store = open_store(load_options(judged).store)
    lying = Checkpoint(digest=content_digest("lying"), name="lying", location=str(tmp_path))
    store.remember("acme", lying, now=now())
    store.close()
    result = run(judged, "forget", "lying", "--yes")
    assert "is still there" in result.output


def test_the_page_about_its_outputs_goes_as_well(judged):
    options = load_options(judged)
    store = open_store(options.store)
    (evaluation,) = store.evaluations("acme", checkpoint=content_digest("worse"))
    page = reports_folder(options) / "worse.html"
    store.keep_drift(evaluation.key.evaluation_id, DriftReading(signals=(), indicators=(), report=page.name))
    store.close()
    page.parent.mkdir(parents=True, exist_ok=True)
    page.touch()
    assert run(judged, "forget", "worse", "--yes").exit_code == 0
    assert not page.exists()


def test_names_and_answers_cannot_send_escape_sequences_to_the_terminal(judged):
    store = open_store(load_options(judged).store)
    for name in ("\x1b[31mred\x07", "[/bold]", ":smile:", "a\udce9"):
        odd = Checkpoint(digest=content_digest(name), name=name, location="/w/\x1b[2J")
        store.remember("acme", odd, now=now())
    store.close()
    shown = run(judged, "status").stdout_bytes
    assert b"\x1b" not in shown
    assert b"\x07" not in shown
    for name in (rb"\x1b[31mred", b"[/bold]", b":smile:", rb"a\xe9"):
        assert name in shown
    assert json.loads(run(judged, "status", "--json").stdout)
