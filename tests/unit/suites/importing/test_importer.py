from __future__ import annotations

import asyncio
import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.domain.errors import InvalidSuite, SandboxTrouble
from monitor.programs.languages import syntax_of
from monitor.suites.importing.conversion import LeftOutBecause
from monitor.suites.importing.formats import Format
from monitor.suites.importing.importer import ImportOrder, import_suite
from monitor.suites.loading import load_suite
from monitor.testing import FakeSandbox
from tests.unit.suites.trusting_sandbox import TrustingSandbox

RECORD = {
    "task_id": "HumanEval/0",
    "prompt": "def double(x):\n",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(4) == 8\n",
    "entry_point": "double",
}


def order(folder: Path, *records: dict[str, Any]) -> ImportOrder:
    path = folder / "HumanEval.jsonl.gz"
    path.write_bytes(
        gzip.compress("".join(json.dumps(RECORD | record) + "\n" for record in records).encode())
    )
    return ImportOrder(format=Format.HUMANEVAL, files=[path], out=folder / "out", name="humaneval")


async def test_an_import_is_a_suite_with_provenance(tmp_path: Path) -> None:
    report = await import_suite(order(tmp_path, {}, {"task_id": "HumanEval/1"}), TrustingSandbox())
    suite = load_suite(report.folder)
    assert (report.imported, report.left_out, report.references_checked) == (2, (), True)
    assert [task.task_id for task in suite] == ["HumanEval/0", "HumanEval/1"]
    assert suite.licence == suite["HumanEval/0"].provenance.licence == "MIT"
    assert suite.contamination_canary.startswith("humaneval 1, do not train on this: ")


async def test_the_same_files_give_the_same_suite(tmp_path: Path) -> None:
    first = await import_suite(order(tmp_path, {}), None)
    again = ImportOrder(
        format=Format.HUMANEVAL,
        files=[tmp_path / "HumanEval.jsonl.gz"],
        out=tmp_path / "again",
        name="humaneval",
    )
    assert load_suite(first.folder) == load_suite((await import_suite(again, None)).folder)


@pytest.mark.parametrize(
    ("name", "fitting"), [("HumanEval+", "humaneval"), ("My Suite", "my-suite"), ("+", "humaneval")]
)
async def test_a_name_that_no_suite_can_have_is_told_with_one_that_can(
    tmp_path: Path, name: str, fitting: str
) -> None:
    with pytest.raises(InvalidSuite, match=f"--name {fitting}\\."):
        await import_suite(replace(order(tmp_path, {}), name=name), None)
    assert not (tmp_path / "out").exists()


async def test_a_reference_that_the_usual_stops_would_cut_keeps_the_others(tmp_path: Path) -> None:
    longer = {
        "task_id": "HumanEval/1",
        "canonical_solution": "    return twice(x)\n\ndef twice(x):\n    return 2 * x\n",
    }
    report = await import_suite(order(tmp_path, {}, longer), TrustingSandbox())
    suite = load_suite(report.folder)
    assert report.own_stops == 1
    assert suite["HumanEval/0"].stop == ()
    assert "\nclass " in suite["HumanEval/1"].stop
    assert "\ndef " not in suite["HumanEval/1"].stop


async def test_a_reference_that_every_stop_would_cut_is_left_out(tmp_path: Path) -> None:
    task = {
        "task_id": "HumanEval/1",
        "canonical_solution": "    return 2 * x\n" + "".join(syntax_of("python").stops),
    }
    report = await import_suite(order(tmp_path, {}, task), None)
    assert [each.detail for each in report.left_out] == ["every stop cuts its reference solution"]


async def test_every_task_left_out_is_named_with_its_reason(tmp_path: Path) -> None:
    report = await import_suite(
        order(
            tmp_path,
            {},
            {"task_id": "HumanEval/1", "canonical_solution": "    return x\n"},
            {"task_id": "HumanEval/2", "canonical_solution": None},
            {"task_id": "HumanEval/3", "prompt": 3},
            {"task_id": "HumanEval/0"},
            {"task_id": "HumanEval/5", "prompt": "# \ud800\n" + RECORD["prompt"]},
            {"task_id": "HumanEval/6", "test": "#" * 3_000_000},
        ),
        TrustingSandbox(),
    )
    assert report.imported == 1
    assert {(each.task_id, each.because) for each in report.left_out} == {
        ("HumanEval/1", LeftOutBecause.REFERENCE_FAILED),
        ("HumanEval/2", LeftOutBecause.NO_REFERENCE),
        ("HumanEval/3", LeftOutBecause.MALFORMED),
        ("HumanEval/0", LeftOutBecause.MALFORMED),
        ("HumanEval/5", LeftOutBecause.MALFORMED),
        ("HumanEval/6", LeftOutBecause.MALFORMED),
    }
    assert all(each.detail for each in report.left_out)


async def test_a_reference_that_could_not_be_run_did_not_fail(tmp_path: Path) -> None:
    lost = FakeSandbox(lost=lambda program: "3 * x" in program.source)
    wanted = order(tmp_path, {}, {"task_id": "HumanEval/1", "canonical_solution": "    return 3 * x\n"})
    report = await import_suite(wanted, lost)
    assert [each.because for each in report.left_out] == [LeftOutBecause.NOT_RUN]


async def test_without_a_sandbox_references_are_taken_on_trust(tmp_path: Path) -> None:
    report = await import_suite(order(tmp_path, {"canonical_solution": "    return x\n"}), None)
    assert (report.imported, report.references_checked) == (1, False)


async def test_a_lost_sandbox_leaves_no_suite_behind(tmp_path: Path) -> None:
    records = [{"task_id": f"HumanEval/{number}"} for number in range(50)]
    with pytest.raises(SandboxTrouble):
        await import_suite(order(tmp_path, *records), FakeSandbox(life=3))
    assert {path.name for path in tmp_path.iterdir()} == {"HumanEval.jsonl.gz"}
    assert len(asyncio.all_tasks()) == 1


async def test_files_of_another_format_are_an_error_that_says_so(tmp_path: Path) -> None:
    wanted = order(tmp_path, {"prompt": None})
    with pytest.raises(InvalidSuite, match="None of the 1 tasks could be imported") as caught:
        await import_suite(wanted, None)
    assert "format humaneval" in caught.value.next_step
    assert (await import_suite(replace(order(tmp_path, {})), None)).imported == 1


async def test_files_that_are_no_json_lines_are_an_error_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_text("PK\n")
    with pytest.raises(InvalidSuite, match=r"tasks\.jsonl, line 1: not JSON"):
        await import_suite(
            ImportOrder(format=Format.HUMANEVAL, files=[path], out=tmp_path / "out", name="x"), None
        )


OWN = {
    "task_id": "billing/double",
    "prompt": "def double(x):\n",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(4) == 8\n",
    "entry_point": "double",
}


def own(folder: Path, *records: dict[str, Any], **changes: Any) -> ImportOrder:
    path = folder / "own.jsonl"
    path.write_text("".join(json.dumps(OWN | record) + "\n" for record in records))
    said = {"licence": "LicenseRef-acme", "source": "original"} | changes
    return ImportOrder(format=Format.JSONL, files=[path], out=folder / "out", name="billing", **said)


async def test_ones_own_lines_are_a_suite_that_claims_nothing_it_was_not_told(tmp_path: Path) -> None:
    report = await import_suite(own(tmp_path, {}), TrustingSandbox())
    suite = load_suite(report.folder)
    assert (suite.licence, suite.description) == ("LicenseRef-acme", "Tasks, imported from original.")
    told = suite["billing/double"].provenance
    assert (told.licence, told.source) == ("LicenseRef-acme", "original")
    assert (told.author, told.created, told.written_by) == (None, None, None)
    assert suite["billing/double"].topic == ""


async def test_a_line_may_say_everything_that_a_task_file_may(tmp_path: Path) -> None:
    line = {
        "kind": "answer",
        "entry_point": "",
        "language": "ruby",
        "topic": "money",
        "stop": ["END"],
        "time_limit_s": 3,
        "author": "A. Writer",
        "created": "2026-01-31",
        "licence": "MIT",
        "source": "https://example.org",
        "written_by": "human",
    }
    suite = load_suite((await import_suite(own(tmp_path, line), None)).folder)
    (task,) = suite
    assert (task.kind, task.language, task.topic, task.stop) == ("answer", "ruby", "money", ("END",))
    assert task.time_limit_s == 3.0
    assert (task.provenance.author, task.provenance.licence) == ("A. Writer", "MIT")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"dificulty": 3}, "field dificulty is unknown"),
        ({"created": "yesterday"}, "field created"),
        ({"time_limit_s": "2"}, "field time_limit_s"),
        ({"entry_point": ""}, "entry_point is required"),
    ],
)
async def test_a_wrong_line_is_left_out_with_its_reason(
    tmp_path: Path, line: dict[str, Any], told: str
) -> None:
    report = await import_suite(own(tmp_path, {}, {"task_id": "b"} | line), None)
    assert [each.task_id for each in report.left_out] == ["b"]
    assert told in report.left_out[0].detail


@pytest.mark.parametrize("changes", [{"licence": None}, {"source": None}, {"licence": None, "source": None}])
async def test_ones_own_lines_need_licence_and_source(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidSuite, match="Licence and source") as caught:
        await import_suite(own(tmp_path, {}, **changes), None)
    assert "--licence" in caught.value.next_step
    assert not (tmp_path / "out").exists()


async def test_tasks_in_a_benchmarks_format_are_not_taken_for_the_benchmarks_own(tmp_path: Path) -> None:
    wanted = order(tmp_path, {}, {"task_id": "billing/1"})
    report = await import_suite(wanted, None)
    assert [(each.task_id, each.because) for each in report.left_out] == [
        ("billing/1", LeftOutBecause.MALFORMED)
    ]
    assert "--licence and --source" in report.left_out[0].detail
    said = replace(wanted, out=tmp_path / "mine", licence="LicenseRef-acme", source="original")
    suite = load_suite((await import_suite(said, None)).folder)
    assert {(task.provenance.licence, task.provenance.author) for task in suite} == {
        ("LicenseRef-acme", None)
    }
