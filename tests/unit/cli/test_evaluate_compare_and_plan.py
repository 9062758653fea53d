"""From a baseline to an answer, by the commands that a user types."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from monitor.cli.evaluate import resolve
from monitor.config import load_options
from monitor.wiring import open_deployment
from tests.unit.discovery.checkpoint_files import write_checkpoint

from .deployments import answer, deployment, fake_bench, run


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment with a baseline and two evaluated checkpoints."""
    made = deployment(tmp_path_factory.mktemp("deployment"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("monitor.cli.evaluate.open_bench", fake_bench)
        answer(made, "baseline", "build", "base")
        for name in ("equal", "worse"):
            answer(made, "evaluate", name)
    return made


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that evaluate do so with fakes."""
    monkeypatch.setattr("monitor.cli.evaluate.open_bench", fake_bench)


def test_the_gate_answers_by_exit_code_what_evaluate_found(config):
    assert run(config, "gate", "equal").exit_code == 0
    assert run(config, "gate", "worse").exit_code == 1
    decisions = {row["name"]: row["gate"]["decision"] for row in answer(config, "status")["checkpoints"]}
    assert decisions == {"base": "promote", "equal": "promote", "worse": "reject", "worse2": "hold"}


def test_another_policy_is_weighed_on_what_is_stored(config, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text("margin: {tail: 0.06}\n", encoding="utf-8")
    assert run(config, "gate", "equal", "--policy", str(policy)).exit_code == 2
    stored = answer(config, "gate", "equal")
    assert {stratum["margin"] for stratum in stored["strata"].values()} == {0.25}


def test_evaluate_takes_up_what_another_policy_decided(config, engine):
    stricter = config.with_name("stricter.yaml")
    stricter.write_text(config.read_text(encoding="utf-8").replace("0.25", "0.15"), encoding="utf-8")
    before = answer(config, "evaluate", "equal")
    after = answer(stricter, "evaluate", "equal")
    assert after["evaluation_id"] == before["evaluation_id"]
    assert after["policy"] != before["policy"]
    strata = after["decision"]["strata"]
    assert {each["margin"] for each in strata.values()} == {0.15}
    assert all(
        each["samples"] > before["decision"]["strata"][name]["samples"] for name, each in strata.items()
    )
    assert answer(stricter, "gate", "equal")["strata"] == strata


def test_compare_weighs_any_two_and_names_the_tasks_that_moved(config, engine):
    found = answer(config, "compare", "worse", "equal")
    assert found["a"]["name"] == "worse"
    assert found["decision"] == "promote"
    assert all(stratum["delta"] > 0 for stratum in found["strata"].values())
    same = answer(config, "compare", "worse", "worse2")
    assert same["decision"] == "promote"
    assert same["flips"] == []
    text = run(config, "compare", "worse", "equal").stdout
    assert "equal against worse" in text
    assert "tail" in text
    # Neither is an evaluation against the baseline.
    assert run(config, "gate", "worse2").exit_code == 2


def test_compare_with_the_baseline_answers_from_the_evaluation(config):
    assert answer(config, "compare", "base", "worse")["decision"] == "reject"


def test_pass_at_k_is_told_of_baseline_and_candidate(config):
    compared = answer(config, "compare", "base", "worse")["pass_at_k"]
    one, eight = compared["a"]["tail"]
    assert (one["k"], eight["k"], one["tasks"], eight["tasks"]) == (1, 8, 133, 133)
    assert one["ratio"] < eight["ratio"]
    assert compared["b"]["tail"][0]["ratio"] < one["ratio"] - 0.1
    row = next(each for each in answer(config, "status")["checkpoints"] if each["name"] == "worse")
    assert row["pass_at_k"] == compared["b"]
    assert answer(config, "evaluate", "worse")["pass_at_k"] == compared["b"]


def test_a_checkpoint_is_not_compared_with_itself(config):
    assert "are the same checkpoint" in str(run(config, "compare", "base", "base").exception)


def test_a_plan_says_samples_and_time_with_the_confirmation_in_it(config):
    found = answer(config, "plan")
    assert found["test"] == "sequential"
    assert [each["stratum"] for each in found["strata"]] == ["tail", "torso", "head"]
    assert all(each["feasible"] and each["confirming_samples"] >= 30 for each in found["strata"])
    dropped = sum(each["dropped_samples"] + each["confirming_samples"] for each in found["strata"])
    assert found["seconds"]["dropped"] == pytest.approx(dropped * found["seconds_per_sample"])
    assert found["minutes"]["dropped"] == pytest.approx(found["seconds"]["dropped"] / 60)
    assert found["tokens_per_second"] > 0
    assert "tokens/s" in run(config, "plan").stdout


def test_a_plan_can_be_asked_about_other_errors_and_margins(config):
    usual = answer(config, "plan")
    narrow = answer(config, "plan", "--delta", "0.03")
    assert {each["margin"] for each in narrow["strata"]} == {0.03}
    assert not any(each["feasible"] for each in narrow["strata"])
    strict = answer(config, "plan", "--alpha", "0.001", "--beta", "0.01")
    assert (strict["alpha"], strict["beta"]) == (0.001, 0.01)
    assert strict["strata"][0]["dropped_samples"] > usual["strata"][0]["dropped_samples"]
    coupled = answer(config, "plan", "--delta", "0.1", "--correlation", "0.9")
    plain = answer(config, "plan", "--delta", "0.1")
    assert coupled["strata"][0]["unchanged_samples"] < plain["strata"][0]["unchanged_samples"]


def test_at_temperature_nought_the_exact_test_is_planned_and_used(engine, tmp_path):
    greedy = deployment(tmp_path, temperature=0)
    answer(greedy, "baseline", "build", "base")
    found = answer(greedy, "plan")
    assert found["test"] == "mcnemar"
    tail = found["strata"][0]
    assert tail["unchanged_samples"] == tail["dropped_samples"] == tail["tasks"] == 133
    assert tail["confirming_samples"] == 0
    assert "McNemar" in run(greedy, "plan").stdout
    narrow = run(greedy, "plan", "--delta", "0.01")
    assert "tasks" in narrow.stdout
    evaluated = answer(greedy, "evaluate", "equal")
    assert evaluated["decision"]["strata"]["tail"]["samples"] == tail["unchanged_samples"]


def test_a_folder_that_nobody_has_seen_yet_is_named_as_it_would_be_shown(tmp_path):
    made = deployment(tmp_path)
    write_checkpoint(tmp_path / "models" / os.fsdecode(b"caf\xe9"))
    with open_deployment(load_options(made)) as opened:
        assert resolve(opened, "caf\\xe9").name == "caf\\xe9"
