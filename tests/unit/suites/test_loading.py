from __future__ import annotations

import os
from pathlib import Path

import pytest

from monitor.domain.errors import InvalidSuite
from monitor.domain.tasks import Stratum, TaskKind
from monitor.suites.loading import doubts, load_suite
from tests.unit.suites.suite_files import HEADER, task_text, write_suite_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tasks = {"b": task_text("t/2", 0.05), "a": task_text("t/1", 0.2), "c": task_text("t/3", 0.001)}
    return write_suite_folder(tmp_path / "small", tasks)


def test_a_suite_holds_its_tasks_sorted_with_strata_and_digests(folder: Path) -> None:
    suite = load_suite(folder)
    assert [task.task_id for task in suite] == ["t/1", "t/2", "t/3"]
    assert [task.stratum for task in suite] == [Stratum.HEAD, Stratum.TORSO, Stratum.TAIL]
    assert suite["t/1"].canonical_solution == "    return 2 * x\n"
    assert suite["t/1"].provenance.created == "2026-01-31"
    assert suite["t/1"].kind is TaskKind.PROGRAM
    assert suite.contamination_canary == "canary-8d1f"
    assert len({task.digest for task in suite} | {suite.digest}) == 4
    assert doubts(suite) == ()


def test_file_names_and_their_order_do_not_matter(folder: Path) -> None:
    before = load_suite(folder)
    tasks = folder / "tasks"
    (tasks / "a.yaml").rename(tasks / "z.yaml")
    assert load_suite(folder) == before


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words\n", "7\n"])
def test_a_file_that_is_no_mapping_is_told_in_plain_words(folder: Path, text: str) -> None:
    (folder / "suite.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidSuite, match=r"suite\.yaml, line 1: not a mapping of fields to values\."):
        load_suite(folder)


def test_a_header_file_names_its_suite(folder: Path) -> None:
    assert load_suite(folder / "suite.yaml") == load_suite(str(folder))


def test_files_that_are_no_tasks_are_left_alone(folder: Path) -> None:
    before = load_suite(folder).digest
    (folder / "tasks" / "README.md").write_text("notes")
    (folder / "tasks" / ".a.yaml.swp").write_text("editor")
    (folder / "tasks" / ".hidden.yaml").write_text("editor")
    assert load_suite(folder).digest == before


def test_an_empty_stratum_is_a_doubt(tmp_path: Path) -> None:
    suite = load_suite(write_suite_folder(tmp_path / "s", {"a": task_text("t/1", 0.2)}))
    assert "no tasks in torso and tail" in doubts(suite)[0]


def test_an_unranked_suite_loads_and_says_so(tmp_path: Path) -> None:
    header = HEADER[: HEADER.index("rarity:")] + "rarity: {method: unranked}\ncontamination_canary: c\n"
    text = task_text("t/1").replace("frequency: 0.2\n", "")
    suite = load_suite(write_suite_folder(tmp_path / "s", {"a": text}, header))
    assert suite["t/1"].stratum is Stratum.TORSO
    assert any("was not measured" in doubt for doubt in doubts(suite))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("topic: arithmetic\n", "topic: arithmetic\ncolour: red\n", "line 14, field colour: unknown field"),
        ("topic: arithmetic\n", "topic: 3\n", "line 13, field topic: input should be a valid string"),
        ("time_limit_s: 2.0", "time_limit_s: -1", "line 12, field time_limit_s: input should be greater"),
        ("frequency: 0.2", "frequency: 0", "line 14, field frequency: input should be greater than 0"),
        ("frequency: 0.2", "rarity: 3.0", "field frequency: required by rarity method"),
        ("frequency: 0.2", "frequency: 0.2\nrarity: 3.0", "line 15, field rarity: not used by"),
        ("kind: program", "kind: quiz", "line 11, field kind: input should be"),
        ('stop: ["\\ndef "]', "stop:\n  - a\n  - 4", "line 17, field stop[1]: input should be a valid"),
        ("  created: 2026-01-31", "  created: Jan 31", "field provenance.created: string should match"),
        ("entry_point: double\n", "", "entry_point is required"),
        ("task_id: t/1", "task_id: t 1", "line 1, field task_id: string should match"),
        ("task_id: t/1\n", "task_id: t/1\ntask_id: t/9\n", "line 2: the key 'task_id' stands here and"),
        ("prompt: |\n", "prompt: [\n", "not YAML"),
    ],
)
def test_a_wrong_task_file_is_an_error_that_names_file_line_and_field(
    folder: Path, old: str, new: str, told: str
) -> None:
    path = folder / "tasks" / "a.yaml"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InvalidSuite) as caught:
        load_suite(folder)
    assert str(path) in caught.value.message
    assert told in caught.value.message
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("seed: 7", "seed: -7", "line 4, field seed"),
        ("head_at_least: 0.1", "head_at_least: 0.001", "head_at_least must be larger"),
        ("head_at_least: 0.1", "head_at_most: 0.1", "head_at_most: unknown field"),
        ("method: training-frequency", "method: guess", "line 6, field rarity: input tag 'guess'"),
        ("licence: Apache-2.0\n", "", "field licence: field required"),
    ],
)
def test_a_wrong_header_is_an_error_that_names_the_line(folder: Path, old: str, new: str, told: str) -> None:
    (folder / "suite.yaml").write_text(HEADER.replace(old, new))
    with pytest.raises(InvalidSuite) as caught:
        load_suite(folder)
    assert told in caught.value.message
    assert "suite.yaml" in caught.value.message


def test_many_problems_are_told_shortly(folder: Path) -> None:
    (folder / "tasks" / "a.yaml").write_text("task_id: t/1\n")
    with pytest.raises(InvalidSuite, match="and 1 more"):
        load_suite(folder)


def test_two_files_cannot_hold_the_same_task(folder: Path) -> None:
    (folder / "tasks" / "d.yaml").write_text(task_text("t/1"))
    with pytest.raises(InvalidSuite, match=r"a\.yaml and .*d\.yaml, field task_id: both hold task 't/1'"):
        load_suite(folder)


def test_a_suite_without_tasks_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidSuite, match="has no tasks"):
        load_suite(write_suite_folder(tmp_path / "empty", {}))
    (tmp_path / "empty" / "tasks").rmdir()
    with pytest.raises(InvalidSuite, match="has no tasks"):
        load_suite(tmp_path / "empty")
    (tmp_path / "empty" / "tasks").touch()
    with pytest.raises(InvalidSuite, match="cannot be read: Not a directory"):
        load_suite(tmp_path / "empty")


def test_a_misnamed_task_file_is_not_overlooked(folder: Path) -> None:
    (folder / "tasks" / "d.yml").write_text(task_text("t/4"))
    with pytest.raises(InvalidSuite, match="overlooked"):
        load_suite(folder)


def test_text_in_another_encoding_is_an_error_with_its_line(folder: Path) -> None:
    (folder / "tasks" / "a.yaml").write_bytes(task_text("t/1").encode() + b"# caf\xe9\n")
    with pytest.raises(InvalidSuite, match=r"a\.yaml, line 22: not UTF-8"):
        load_suite(folder)


def test_what_is_no_regular_file_or_wide_text_is_called_so(folder: Path) -> None:
    task = folder / "tasks" / "a.yaml"
    task.write_bytes(task.read_text().encode("utf-16"))
    with pytest.raises(InvalidSuite, match=r"a\.yaml is UTF-16 text"):
        load_suite(folder)
    task.unlink()
    # Opened to be read, a pipe would wait for whoever writes to it.
    os.mkfifo(task)
    with pytest.raises(InvalidSuite, match=r"a\.yaml is no regular file"):
        load_suite(folder)


def test_a_file_that_is_far_too_large_is_an_error(folder: Path) -> None:
    (folder / "tasks" / "a.yaml").write_text("# " + "x" * 5_000_000)
    with pytest.raises(InvalidSuite, match="larger than"):
        load_suite(folder)


def test_a_byte_order_mark_does_no_harm(folder: Path) -> None:
    before = load_suite(folder)
    (folder / "tasks" / "a.yaml").write_bytes(b"\xef\xbb\xbf" + task_text("t/1").encode())
    assert load_suite(folder) == before


def test_shares_of_traffic_are_kept_and_change_no_digest(tmp_path: Path) -> None:
    tasks = {"a": task_text("t/1", 0.2)}
    plain = load_suite(write_suite_folder(tmp_path / "plain", tasks))
    traffic = HEADER + "traffic: {head: 0.9, tail: 0.1}\n"
    known = load_suite(write_suite_folder(tmp_path / "known", tasks, traffic))
    assert plain.traffic is None
    assert known.traffic == {Stratum.HEAD: 0.9, Stratum.TORSO: 0.0, Stratum.TAIL: 0.1}
    assert known.digest == plain.digest


def test_shares_of_traffic_that_are_not_whole_are_refused(tmp_path: Path) -> None:
    header = HEADER + "traffic: {head: 0.9}\n"
    with pytest.raises(InvalidSuite, match="must sum to 1"):
        load_suite(write_suite_folder(tmp_path / "s", {"a": task_text("t/1", 0.2)}, header))
