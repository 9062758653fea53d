"""`tailwatch suite rank`, through the command as a user runs it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from monitor.cli.app import cli
from monitor.suites.loading import load_suite
from tests.unit.suites.suite_files import task_text, write_suite_folder


@pytest.fixture
def suite(tmp_path):
    everyday = task_text("t/everyday").replace("return 2 * x", "return sum(x)")
    rare = task_text("t/rare").replace("return 2 * x", "return memoryview(x)")
    return write_suite_folder(tmp_path / "s", {"everyday": everyday, "rare": rare})


@pytest.fixture
def code(tmp_path):
    """A team that uses memoryview all day, and sum hardly ever."""
    folder = tmp_path / "ours"
    folder.mkdir()
    for number in range(20):
        (folder / f"a{number}.py").write_text("def f(x):\n    return memoryview(x)\n", encoding="utf-8")
    (folder / "b.py").write_text("sum(x)\n", encoding="utf-8")
    return folder


def rank(*arguments):
    return CliRunner().invoke(cli, ["suite", "rank", *map(str, arguments)])


def order(result):
    assert result.exit_code == 0, result.output
    return [row["task_id"] for row in json.loads(result.stdout)["tasks"]]


def test_a_teams_own_code_decides_what_is_rare(suite, code):
    assert order(rank(suite, "--json")) == ["t/rare", "t/everyday"]
    assert order(rank(suite, "--corpus", code, "--json")) == ["t/everyday", "t/rare"]


def test_a_request_log_decides_what_is_rare(suite, tmp_path):
    log = tmp_path / "log.jsonl"
    lines = ["memoryview(x)"] * 9 + ["sum(x)"]
    log.write_text("".join(json.dumps({"prompt": line}) + "\n" for line in lines), encoding="utf-8")
    assert order(rank(suite, "--requests", log, "--json")) == ["t/everyday", "t/rare"]


def test_nothing_is_written_unless_asked_for(suite):
    before = load_suite(suite).digest
    assert "Nothing was written." in rank(suite).stdout
    assert load_suite(suite).digest == before


def test_scores_are_written_into_the_suite_or_a_copy(suite, code, tmp_path):
    assert rank(suite, "--corpus", code, "--out", tmp_path / "copy").exit_code == 0
    assert load_suite(tmp_path / "copy").rarity_method == "corpus-features"
    assert load_suite(suite).rarity_method == "training-frequency"
    assert f"Written to {suite}." in rank(suite, "--corpus", code, "--write").stdout.replace("\n", "")
    assert load_suite(suite).digest == load_suite(tmp_path / "copy").digest


def test_a_stratum_that_ties_left_empty_is_told(tmp_path):
    folder = write_suite_folder(tmp_path / "s", {stem: task_text(f"t/{stem}") for stem in "abc"})
    assert "has no tasks in head and torso" in " ".join(rank(folder).stdout.split())
    assert json.loads(rank(folder, "--json").stdout)["doubts"]


@pytest.mark.parametrize(
    "options", [("--corpus", ".", "--requests", "x.jsonl"), ("--write", "--out", "somewhere")]
)
def test_contradicting_options_are_refused(suite, options):
    result = rank(suite, *options)
    assert result.exit_code != 0
    assert "not both" in result.output


def test_a_task_is_shown_with_the_features_that_make_it_rare(suite):
    shown = CliRunner().invoke(cli, ["suite", "show", str(suite), "t/rare"])
    assert "memoryview" in shown.stdout
    assert "bits by python-2022@" in shown.stdout
    told = CliRunner().invoke(cli, ["suite", "show", str(suite), "t/rare", "--json"])
    explained = json.loads(told.stdout)["rarity_explained"]
    assert explained["features"][0]["feature"] == "memoryview"
