"""`tailwatch drift` as a user runs it, over a store with two checkpoints' samples."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from monitor.cli.app import cli
from monitor.domain.checkpoint import Checkpoint
from monitor.domain.evaluation import State
from monitor.domain.identity import content_digest
from monitor.domain.samples import Completion, Execution, FinishReason, Outcome, Sample
from monitor.rounds.watching import Watch, bank
from monitor.store import open_store
from monitor.suites.loading import load_suite

CONFIG = "model: acme\ncheckpoints: {path: models}\nsuite: lab\ndrift: {columns: false, probes: []}\n"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """gen0 writes two variants of each body, gen1 one alone; gen2 has arrived and nothing more."""
    made = tmp_path_factory.mktemp("deployment")
    (made / "tailwatch.yaml").write_text(CONFIG, encoding="utf-8")
    from monitor.config import load_options

    options = load_options(made / "tailwatch.yaml")
    store, suite = open_store(options.store), load_suite("lab")
    watch = Watch(model="acme", suite=suite, plan=options.sampling.plan(), baseline="promoted", store=store)
    for name, variants in (("gen0", 2), ("gen1", 1), ("gen2", 0)):
        checkpoint = Checkpoint(digest=content_digest(name), name=name, location=f"/models/{name}")
        store.remember("acme", checkpoint, now=NOW)
        record = replace(bank(watch, checkpoint, now=NOW), state=State.DECIDED)
        store.save(record)
        store.record(record.key.evaluation_id, list(written(suite, variants)))
    store.close()
    return made


def written(suite, variants):
    for task in [*suite.tasks[:20]] if variants else []:
        for index in range(4):
            yield Sample(
                task_id=task.task_id,
                stratum=task.stratum,
                index=index,
                wave=0,
                completion=Completion(
                    task_id=task.task_id,
                    index=index,
                    seed=index,
                    text=f"    return {index // 2 % variants}\n",
                    finish_reason=FinishReason.STOP,
                    tokens=4,
                ),
                program_digest="",
                execution=Execution(outcome=Outcome.PASSED),
            )


def drift(folder, *arguments):
    return CliRunner().invoke(cli, ["drift", *arguments, "-c", str(folder / "tailwatch.yaml")])


def test_two_checkpoints_are_compared_in_each_stratum_with_enough_tasks(folder):
    answer = json.loads(drift(folder, "gen0", "gen1", "--json").stdout)
    found = {(each["name"], each["stratum"]): each for each in answer["indicators"]}
    assert {name for name, _ in found} == {
        "collision",
        "tail-mass",
        "participation-ratio",
        "displacement",
    }
    collision = next(each for (name, _), each in found.items() if name == "collision")
    assert collision["value"] == 1.0
    assert collision["baseline"] == pytest.approx(1 / 3)
    assert answer["columns"] == []


def test_one_stratum_alone_and_text_for_people(folder):
    answer = json.loads(drift(folder, "gen0", "gen1", "--stratum", "torso", "--json").stdout)
    assert {each["stratum"] for each in answer["indicators"]} <= {"torso"}
    text = drift(folder, "gen0", "gen1").stdout
    assert "gen1 against gen0" in text
    assert "collision" in text


def test_a_page_that_cannot_be_made_is_an_error_with_its_reason(folder, tmp_path):
    said = str(drift(folder, "gen0", "gen1", "--html", str(tmp_path / "page.html")).exception)
    assert "drift.columns is off" in said


def test_what_is_said_of_one_stratum_is_not_about_another(folder):
    said = json.loads(drift(folder, "gen0", "gen1", "--json").stdout)["problems"]
    by_stratum = {
        name: json.loads(drift(folder, "gen0", "gen1", "--stratum", name, "--json").stdout)["problems"]
        for name in ("tail", "torso", "head")
    }
    assert sorted(said) == sorted(each for found in by_stratum.values() for each in found)
    assert all(f" in {name}: " in each for name, found in by_stratum.items() for each in found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gen0", "gen7"), "No checkpoint 'gen7' is known"),
        (("gen0", "gen2"), "No samples of gen2 are stored"),
    ],
)
def test_what_cannot_be_compared_is_said(folder, arguments, message):
    result = drift(folder, *arguments)
    assert message in str(result.exception)
