"""`tailwatch suite validate` and `duplicates`, through the command as a user runs it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from monitor.cli import suite_validate
from monitor.cli.app import cli
from monitor.suites.loading import load_suite
from monitor.suites.mutation.record import read_record
from tests.unit.suites.suite_files import task_text, write_suite_folder
from tests.unit.suites.trusting_sandbox import TrustingSandbox

GOOD = task_text("t/good")
TOOTHLESS = task_text("t/toothless").replace("candidate(4) == 8", "candidate(2) == 4")
WRONG = task_text("t/wrong").replace("return 2 * x", "return x")
FOREIGN = task_text("t/foreign").replace("language: python", "language: ruby")


@pytest.fixture(autouse=True)
def trusting(monkeypatch):
    async def sandbox_for(backend, *, slots):
        return TrustingSandbox()

    monkeypatch.setattr(suite_validate, "sandbox_for", sandbox_for)


def suite(tmp_path, *texts):
    return write_suite_folder(tmp_path / "s", {f"task{number}": text for number, text in enumerate(texts)})


def answer(*arguments):
    result = CliRunner().invoke(cli, ["suite", *map(str, arguments), "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_sound_tasks_are_answered_by_zero_flawed_ones_by_one_what_could_not_run_by_three(tmp_path):
    folder = suite(tmp_path, GOOD, WRONG, FOREIGN)
    assert answer("validate", folder, "--task", "t/good")[0] == 0
    assert answer("validate", folder, "--task", "t/f*", "--task", "t/good")[0] == 3
    code, document = answer("validate", folder)
    assert (code, document["tasks"], document["sound"], document["mutation"]) == (1, 3, 1, None)
    assert {each["task_id"]: each["flaws"] for each in document["flawed"]} == {
        "t/wrong": ["reference-failed"],
        "t/foreign": ["not-run"],
    }


def test_mutants_that_survive_are_named_and_too_many_are_a_flaw(tmp_path):
    folder = suite(tmp_path, GOOD, TOOTHLESS)
    assert answer("validate", folder)[0] == 0
    code, document = answer("validate", folder, "--mutants")
    assert (code, document["sound"]) == (1, 2)
    mutation = document["mutation"]
    assert (mutation["mutants"], mutation["killed"], mutation["below"]) == (8, 7, ["t/toothless"])
    (score,) = (each for each in mutation["tasks"] if each["task_id"] == "t/toothless")
    assert score["survivors"] == [{"kind": "arithmetic", "change": "line 2: 2 * x -> 2 + x"}]


def test_a_reviewed_mutant_is_no_flaw_and_an_unknown_entry_is_an_error(tmp_path):
    folder = suite(tmp_path, TOOTHLESS)
    entry = {"task_id": "t/toothless", "change": "line 2: 2 * x -> 2 + x", "why": "For the test's sake."}
    listed = folder / "equivalent-mutants.yaml"
    listed.write_text(json.dumps({"mutants": [entry]}))
    assert answer("validate", folder, "--mutants")[0] == 0
    for wrong in ({"change": "line 2: x -> y"}, {"task_id": "t/gone"}):
        listed.write_text(json.dumps({"mutants": [entry | wrong]}))
        result = CliRunner().invoke(cli, ["suite", "validate", str(folder), "--mutants"])
        assert result.exit_code == 1
        assert "equivalent-mutants.yaml" in str(result.exception)


def test_people_are_told_what_survived_and_what_is_wrong(tmp_path):
    folder = suite(tmp_path, GOOD, TOOTHLESS, WRONG)
    result = CliRunner().invoke(cli, ["suite", "validate", str(folder), "--mutants"])
    assert result.output.splitlines()[:-1] == [
        "t/wrong: reference-failed: AssertionError: ",
        "t/toothless: 3 of 4 mutants killed, too few; survivors:",
        "  line 2: 2 * x -> 2 + x",
        "2 of 3 tasks are sound.",
        "7 of 8 mutants killed, 0.875, at least 0.93 is asked for.",
        "Fewer than 8 mutants, so their scores say little: t/good, t/toothless.",
        "1 tasks are below 0.85.",
    ]


def test_scores_are_kept_in_the_suites_folder_where_asked_for(tmp_path):
    folder = suite(tmp_path, GOOD, FOREIGN)
    answer("validate", folder, "--mutants")
    assert read_record(folder) is None
    _, document = answer("validate", folder, "--mutants", "--record")
    record = read_record(folder)
    assert (record.digest, {*record.tasks}) == (document["digest"], {"t/good"})
    assert document["mutation"]["few"] == ["t/good"]
    result = CliRunner().invoke(cli, ["suite", "validate", str(folder), "--record"])
    assert "--mutants" in result.output
    assert result.exit_code != 0


def test_limits_are_written_from_what_the_references_used(tmp_path):
    folder = suite(tmp_path, GOOD, WRONG)
    _, document = answer("validate", folder, "--set-limits")
    assert document["limits"] == [{"task_id": "t/good", "before_s": 2.0, "after_s": 1.0}]
    assert document["digest"] == load_suite(folder).digest
    assert "time_limit_s: 1.0" in (folder / "tasks" / "task0.yaml").read_text()


def test_near_duplicates_are_answered_by_one(tmp_path):
    other = task_text("t/other").replace("double", "halve").replace("2 * x", "x if x else None")
    assert answer("duplicates", suite(tmp_path, GOOD, other))[0] == 0
    code, document = answer("duplicates", suite(tmp_path / "more", GOOD, TOOTHLESS, other))
    assert (code, document["tasks"], document["others"], document["near_duplicates"]) == (1, 3, 0, 1)
    assert document["closest"][0] == {"task_id": "t/good", "other": "t/toothless", "similarity": 1.0}
    assert document["prompts_alike"][0]["similarity"] == pytest.approx(1.0)
    bench = tmp_path / "bench.jsonl"
    bench.write_text(json.dumps({"prompt": "def double(x):\n    return 2 * x"}))
    code, document = answer("duplicates", tmp_path / "s", "--against", bench)
    assert (code, document["others"], document["near_duplicates"]) == (1, 1, 1)
