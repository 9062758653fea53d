"""The committed lab suite is what the lab writes, and its reference solutions pass."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from benchmarks.lab import suite
from benchmarks.lab.families import FAMILIES
from benchmarks.lab.proofs import program


@pytest.fixture(scope="module")
def committed() -> dict[str, dict]:
    files = sorted((suite.SUITE_DIR / "tasks").glob("*.yaml"))
    loaded = [yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader) for path in files]
    return {task["task_id"]: task for task in loaded}


def test_the_committed_files_are_what_the_lab_writes_today(committed):
    assert committed == {task["task_id"]: task for task in suite.tasks()}
    header = yaml.safe_load((suite.SUITE_DIR / "suite.yaml").read_text(encoding="utf-8"))
    assert header == suite.suite_header()


def test_every_family_has_two_tasks_and_the_strata_are_large_enough(committed):
    families = Counter(task_id.rpartition("-")[0] for task_id in committed)
    assert len(families) == len(FAMILIES)
    assert min(families.values()) >= 2
    bands = Counter(suite.stratum(task["frequency"]) for task in committed.values())
    assert bands["head"] >= 80
    assert bands["torso"] >= 120
    assert bands["tail"] >= 180


def test_no_stratum_is_typed_into_a_task(committed):
    assert not any({"stratum", "band"} & set(task) for task in committed.values())


def test_every_reference_solution_passes_its_committed_test(committed):
    for task in committed.values():
        text = program(task["prompt"], task["canonical_solution"], task["test"], task["entry_point"])
        exec(compile(text, task["task_id"], "exec"), {})


def test_every_test_expects_at_least_two_different_answers(committed):
    for task_id, task in committed.items():
        lines = task["test"].splitlines()[1:]
        answers = {line.rpartition(" == ")[2].rpartition(" is ")[2] for line in lines}
        assert len(answers) >= 2, task_id


def test_prompts_are_all_different_and_none_is_in_the_training_corpus(committed):
    prompts = {task["prompt"] for task in committed.values()}
    assert len(prompts) == len(committed)
    assert not prompts & {example.prompt for example in suite.training_corpus()}


def test_writing_the_suite_twice_gives_the_same_bytes(tmp_path: Path):
    suite.write_suite(tmp_path / "a")
    first = {path.name: path.read_bytes() for path in (tmp_path / "a").rglob("*.yaml")}
    committed_bytes = {path.name: path.read_bytes() for path in suite.SUITE_DIR.rglob("*.yaml")}
    assert first == committed_bytes
