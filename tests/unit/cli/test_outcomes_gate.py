"""Decisions on recorded outcomes, through the command as a user runs it."""

from __future__ import annotations

import json
import random

import pytest
from click.testing import CliRunner

from monitor.cli.app import cli


def outcomes(path, *, samples: int, drop: float = 0.0, by_task: bool = False, seed: int = 1):
    """200 tasks per stratum that pass with probability .7, the tail's with ``drop`` less."""
    rng = random.Random(seed)
    rows = [
        {
            "task_id": f"{stratum}/{task}",
            "stratum": stratum,
            "sample": sample,
            "passed": rng.random() < 0.7 - (drop if stratum == "tail" else 0.0),
        }
        for sample in range(samples)
        for stratum in ("head", "torso", "tail")
        for task in range(200)
    ]
    rng.shuffle(rows)
    rows.sort(key=lambda row: row["task_id"] if by_task else row["sample"])
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return outcomes(tmp_path_factory.mktemp("bank") / "bank.jsonl", samples=32)


def gate(bank, candidate, *options):
    arguments = ["gate", "--baseline-outcomes", str(bank), "--candidate-outcomes", str(candidate), "--json"]
    result = CliRunner().invoke(cli, [*arguments, *options])
    return result.exit_code, json.loads(result.stdout) if result.stdout else result.exception


def strata(found):
    return found[1]["strata"]


@pytest.mark.parametrize("by_task", [False, True], ids=["drawn in passes", "sorted by task"])
def test_equal_outcomes_are_promoted_and_a_lost_tail_is_rejected(bank, tmp_path, by_task):
    equal = outcomes(tmp_path / "equal.jsonl", samples=20, by_task=by_task, seed=2)
    worse = outcomes(tmp_path / "worse.jsonl", samples=32, drop=0.25, by_task=by_task, seed=3)
    assert gate(bank, equal)[0] == 0
    code, answer = gate(bank, worse)
    assert code == 1
    assert answer["strata"]["tail"]["finding"] == "regressed"
    assert answer["strata"]["tail"]["samples"] == answer["strata"]["tail"]["decided_at"] == 200 * 32


def test_lines_that_are_nearly_sorted_by_task_are_not_judged_by_their_first_tasks(bank, tmp_path):
    """Concurrent writers leave a file in the order of its tasks but for a few lines."""
    path = outcomes(tmp_path / "nearly.jsonl", samples=32, by_task=True, seed=2)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        if row["stratum"] == "tail" and int(row["task_id"].split("/")[1]) >= 120:
            row["passed"] = False
    # The tasks that fail now stand last, so that a reader in order sees an unchanged model first.
    rows.sort(key=lambda row: (row["stratum"], int(row["task_id"].split("/")[1])))
    rows[31], rows[32] = rows[32], rows[31]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    code, answer = gate(bank, path)
    assert code == 1
    assert answer["strata"]["tail"]["finding"] == "regressed"
    # What --in-order is not for: it takes the file's word that its order is random, and is contradicted.
    code, answer = gate(bank, path, "--in-order")
    assert code == 2
    assert "exceed it" in answer["strata"]["tail"]["problem"]


def test_in_order_reads_the_lines_as_they_stand(bank, tmp_path):
    path = outcomes(tmp_path / "stream.jsonl", samples=20, seed=2)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    backwards = tmp_path / "backwards.jsonl"
    backwards.write_text("".join(reversed(lines)), encoding="utf-8")
    assert strata(gate(bank, path)) == strata(gate(bank, backwards))
    assert strata(gate(bank, path, "--in-order")) != strata(gate(bank, backwards, "--in-order"))


def test_a_candidate_without_fresh_samples_to_confirm_with_is_held(bank, tmp_path):
    worse = outcomes(tmp_path / "worse.jsonl", samples=4, drop=0.25, seed=3)
    assert gate(bank, worse)[0] == 2


def test_a_policy_file_can_do_without_confirmation(bank, tmp_path):
    worse = outcomes(tmp_path / "worse.jsonl", samples=4, drop=0.25, seed=3)
    policy = tmp_path / "policy.yaml"
    policy.write_text("confirm: false\n", encoding="utf-8")
    assert gate(bank, worse, "--policy", str(policy))[0] == 1


def test_a_configuration_that_is_named_gives_the_policy(bank, tmp_path):
    worse = outcomes(tmp_path / "worse.jsonl", samples=4, drop=0.25, seed=3)
    config, policy = tmp_path / "tailwatch.yaml", tmp_path / "policy.yaml"
    config.write_text("{model: m, checkpoints: {path: c}, suite: core, policy: {confirm: false}}")
    assert gate(bank, worse, "-c", str(config))[0] == 1
    policy.write_text("confirm: true\n", encoding="utf-8")
    assert gate(bank, worse, "-c", str(config), "--policy", str(policy))[0] == 2


def test_greedy_outcomes_are_compared_task_by_task(tmp_path):
    greedy = outcomes(tmp_path / "greedy.jsonl", samples=1)
    worse = outcomes(tmp_path / "worse.jsonl", samples=1, drop=0.25)
    assert gate(greedy, greedy, "--greedy")[0] == 0
    code, answer = gate(greedy, worse, "--greedy")
    assert code == 1
    assert answer["strata"]["tail"]["samples"] == 200


def test_one_sample_per_task_is_an_error_that_names_the_option(tmp_path):
    greedy = outcomes(tmp_path / "greedy.jsonl", samples=1)
    _, error = gate(greedy, greedy)
    assert "one sample per task" in error.message
    assert "--greedy" in error.next_step


def test_samples_numbered_beyond_the_screened_half_are_an_error_that_says_why(bank, tmp_path):
    path = outcomes(tmp_path / "late.jsonl", samples=8)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    late = [row | {"sample": row["sample"] + (16 if row["stratum"] == "tail" else 0)} for row in rows]
    path.write_text("".join(json.dumps(row) + "\n" for row in late), encoding="utf-8")
    _, error = gate(bank, path)
    assert "in tail are numbered from 16 on" in error.message
    policy = tmp_path / "policy.yaml"
    policy.write_text("confirm: false\n", encoding="utf-8")
    assert gate(bank, path, "--policy", str(policy))[0] == 0


def test_options_for_files_are_refused_without_them():
    result = CliRunner().invoke(cli, ["gate", "gen1", "--greedy"])
    assert result.exit_code == 2
    assert "--greedy" in result.output


def test_a_malformed_line_is_named_with_its_file(bank, tmp_path):
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"task_id": "head/1", "stratum": "head", "sample": 0}\n', encoding="utf-8")
    code, error = gate(bank, broken)
    assert code == 1  # the runner's; the command line turns the error into exit code 3
    assert "broken.jsonl" in str(error)
    assert "passed" in str(error)


def test_a_name_and_files_at_once_are_refused(bank):
    result = CliRunner().invoke(cli, ["gate", "gen1", "--baseline-outcomes", str(bank)])
    assert result.exit_code == 2
    assert "CANDIDATE" in result.output
