"""The whole path with nothing fake in it: real checkpoints, vLLM, Docker engine, Prometheus, gate.

One daemon does all the work; the tests look at it from every side its users do.
"""

from __future__ import annotations

import time

import pytest

SERIES = (
    "tailwatch_checkpoint_info",
    "tailwatch_pass_ratio",
    "tailwatch_pass_low_ratio",
    "tailwatch_pass_high_ratio",
    "tailwatch_delta_ratio",
    "tailwatch_delta_low_ratio",
    "tailwatch_delta_high_ratio",
    "tailwatch_minimum_detectable_delta_ratio",
    "tailwatch_samples",
    "tailwatch_finding",
    "tailwatch_decision",
    "tailwatch_last_success_timestamp_seconds",
    "tailwatch_stage_duration_seconds",
    "tailwatch_queue_checkpoints",
    "tailwatch_generated_tokens_total",
    "tailwatch_programs_executed_total",
)


def test_a_generation_trained_on_its_own_output_is_rejected_for_its_tail(judged):
    answer = judged.deployment.run("gate", "gen3", "--json").expect(1).document
    assert answer["decision"] == "reject"
    assert ("stratum_regressed", "tail") in {(r["code"], r["stratum"]) for r in answer["reasons"]}
    tail = answer["strata"]["tail"]
    assert tail["finding"] == "regressed"
    assert tail["confirmation"] == "confirmed"
    assert tail["delta_high"] < 0


def test_a_control_trained_on_real_data_is_promoted(judged):
    answer = judged.deployment.run("gate", "control1", "--json").expect(0).document
    assert answer["decision"] == "promote"
    assert {stratum["finding"] for stratum in answer["strata"].values()} <= {"steady", "improved"}


def test_the_baseline_itself_passes_and_an_unknown_checkpoint_holds(judged):
    judged.deployment.run("gate", "gen0", "--json").expect(0)
    held = judged.deployment.run("gate", "gen99", "--json").expect(2).document
    assert held["decision"] == "hold"
    assert [reason["code"] for reason in held["reasons"]] == ["checkpoint_unknown"]


def test_a_digest_names_a_checkpoint_as_its_name_does(judged):
    digest = judged.deployment.run("status", "--json").expect(0).document["checkpoints"]
    gen3 = next(row["digest"] for row in digest if row["name"] == "gen3")
    judged.deployment.run("gate", gen3[:12]).expect(1)


def test_no_sample_of_either_checkpoint_went_unscored(judged):
    for answer in (judged.deployment.run("gate", name, "--json").document for name in ("gen3", "control1")):
        assert [stratum["unscored"] for stratum in answer["strata"].values()] == [0] * len(answer["strata"])


def test_real_components_did_the_work(judged):
    rows = judged.deployment.run("status", "--json").expect(0).document["checkpoints"]
    environment = next(row["evaluation"]["environment"] for row in rows if row["name"] == "gen3")
    assert environment["engine"].startswith("vllm-managed")
    assert environment["sandbox"]


def test_rollout_controllers_get_the_same_answer_over_http(judged):
    rejected = judged.daemon.get("/gate/gen3")
    assert rejected.status_code == 200
    assert rejected.json()["data"]["verdict"] == "fail"
    promoted = judged.daemon.get("/gate/control1").json()["data"]
    assert (promoted["verdict"], promoted["ok"]) == ("pass", True)


def test_the_daemon_is_ready(judged):
    answer = judged.daemon.get("/health")
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("series", SERIES)
def test_prometheus_holds_the_series(judged, series):
    assert judged.prometheus.series(series)


def test_prometheus_tells_the_rejected_from_the_promoted_by_name(judged):
    joined = (
        "(tailwatch_decision == 1) * on (model, checkpoint) group_left (name) "
        'max by (model, checkpoint, name) (tailwatch_checkpoint_info{role="candidate"})'
    )
    decisions = {labels["name"]: labels["decision"] for labels, _ in judged.prometheus.series(joined)}
    assert decisions["gen3"] == "reject"
    assert decisions["control1"] == "promote"


def test_prometheus_shows_the_tail_falling_and_the_scrape_healthy(judged):
    tail = {
        labels["checkpoint"]: value
        for labels, value in judged.prometheus.series('tailwatch_delta_ratio{stratum="tail"}')
    }
    rows = judged.deployment.run("status", "--json").expect(0).document["checkpoints"]
    digests = {row["name"]: row["digest"][:12] for row in rows}
    assert tail[digests["gen3"]] < -0.10 < tail[digests["control1"]]
    assert judged.prometheus.value('up{job="tailwatch"}') == 1


def test_an_evaluation_that_is_done_is_not_done_again(judged):
    drawn = judged.deployment.query("SELECT count(*) FROM samples")
    began = time.monotonic()
    again = judged.deployment.run("evaluate", "gen3", "--json").expect(0).document
    assert again["decision"]["decision"] == "reject"
    assert time.monotonic() - began < 30, "no engine has to start for an answer that is stored"
    assert judged.deployment.query("SELECT count(*) FROM samples") == drawn


def test_a_person_gets_a_page_that_names_the_decision(judged):
    page = judged.daemon.get("/")
    assert page.status_code == 200
    assert "text/html" in page.headers["content-type"]
    assert "gen3" in page.text
    assert "reject" in page.text.lower()


def test_status_lists_roles_and_an_empty_queue(judged):
    status = judged.deployment.run("status", "--json").expect(0).document
    roles = {row["name"]: set(row["roles"]) for row in status["checkpoints"]}
    assert roles["gen0"] >= {"baseline", "promoted", "anchor"}
    assert not roles["gen3"]
    assert not status["queue"].get("queued")
    assert not status["queue"].get("running")
