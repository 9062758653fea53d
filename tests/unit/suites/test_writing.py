from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.domain.errors import InvalidSuite
from monitor.suites.documents import parse_document
from monitor.suites.format import (
    CorpusFeatures,
    CutPoints,
    ProvenanceEntry,
    Quantiles,
    SuiteFile,
    TaskFile,
    TrainingFrequency,
    Unranked,
)
from monitor.suites.loading import load_suite, read_suite_files
from monitor.suites.writing import SuiteWriter, entry_text, write_suite

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60) | st.text(
    alphabet=" \t\n\r\x85\u2028:#'\"|>-ab0e", min_size=1, max_size=40
)
WORDS = st.sampled_from(
    ["no", "true", "null", "~", "1e3", "0x1", "12", "2026-01-01", "=", "- a", "a: b", "| x"]
)
PROVENANCE = st.builds(
    ProvenanceEntry,
    author=TEXT,
    created=st.dates().map(lambda date: date.isoformat()),
    licence=TEXT,
    source=TEXT | WORDS,
    written_by=st.sampled_from(["human", "model"]),
)


def tasks(**rank: st.SearchStrategy[float]) -> st.SearchStrategy[TaskFile]:
    return st.builds(
        TaskFile,
        task_id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._/+\-]{0,20}", fullmatch=True),
        prompt=TEXT | WORDS,
        canonical_solution=TEXT | WORDS,
        test=TEXT,
        entry_point=TEXT,
        language=st.sampled_from(["python", "c++", "no"]),
        kind=st.sampled_from(["program", "answer"]),
        time_limit_s=st.floats(1e-9, 600),
        topic=TEXT | WORDS,
        stop=st.lists(TEXT, max_size=3),
        provenance=PROVENANCE,
        **rank,
    )


def headers(rule: st.SearchStrategy[object]) -> st.SearchStrategy[SuiteFile]:
    return st.builds(
        SuiteFile,
        name=st.from_regex(r"[a-z0-9][a-z0-9._\-]{0,20}", fullmatch=True),
        version=TEXT | WORDS,
        licence=TEXT,
        seed=st.integers(0, 2**31 - 1),
        description=TEXT,
        rarity=rule,
        contamination_canary=TEXT,
    )


FREQUENCIES = st.tuples(
    headers(
        st.builds(
            TrainingFrequency,
            method=st.just("training-frequency"),
            head_at_least=st.floats(0.1, 0.9),
            torso_at_least=st.floats(1e-6, 0.09),
        )
    ),
    st.lists(tasks(frequency=st.floats(1e-9, 1)), min_size=1, max_size=4, unique_by=lambda t: t.task_id),
)
FEATURES = st.tuples(
    headers(
        st.builds(
            CorpusFeatures,
            method=st.just("corpus-features"),
            corpus=TEXT,
            quantiles=st.just(Quantiles(torso_from=0.3, tail_from=0.6)),
        )
        | st.builds(
            CorpusFeatures,
            method=st.just("corpus-features"),
            corpus=TEXT,
            cut_points=st.just(CutPoints(torso_from=-1.0, tail_from=2.5)),
        )
    ),
    st.lists(tasks(rarity=st.floats(-1e9, 1e9)), min_size=1, max_size=4, unique_by=lambda t: t.task_id),
)
UNRANKED = st.tuples(
    headers(st.just(Unranked(method="unranked"))),
    st.lists(tasks(), min_size=1, max_size=4, unique_by=lambda t: t.task_id),
)
SUITES = FREQUENCIES | FEATURES | UNRANKED


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(suite=SUITES, shuffle=st.randoms(use_true_random=False))
def test_load_dump_load_is_the_identity_in_any_order(
    suite: tuple[SuiteFile, list[TaskFile]], shuffle: random.Random, tmp_path_factory: pytest.TempPathFactory
) -> None:
    header, entries = suite
    folder = tmp_path_factory.mktemp("suites")
    first = write_suite(folder / "first", header, entries)
    loaded = load_suite(first)
    files = read_suite_files(first)
    assert files.header == header
    assert sorted(files.tasks.values(), key=lambda t: t.task_id) == sorted(entries, key=lambda t: t.task_id)
    reordered = list(files.tasks.values())
    shuffle.shuffle(reordered)
    assert load_suite(write_suite(folder / "second", files.header, reordered)) == loaded


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    task=tasks(),
    field=st.sampled_from(["prompt", "canonical_solution", "test", "entry_point"]),
    data=st.data(),
)
def test_a_changed_character_changes_the_digest(
    task: TaskFile, field: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    header = data.draw(headers(st.just(Unranked(method="unranked"))))
    text = getattr(task, field)
    position = data.draw(st.integers(0, len(text) - 1))
    other = "a" if text[position] != "a" else "b"
    changed = task.model_copy(update={field: text[:position] + other + text[position + 1 :]})
    folder = tmp_path_factory.mktemp("suites")
    before = load_suite(write_suite(folder / "before", header, [task]))
    after = load_suite(write_suite(folder / "after", header, [changed]))
    assert before.digest != after.digest
    assert before.tasks[0].digest != after.tasks[0].digest


@settings(deadline=None)
@given(tasks())
def test_any_task_is_written_as_what_it_is(task: TaskFile) -> None:
    assert TaskFile.model_validate(parse_document(entry_text(task)).value) == task


def test_code_is_written_as_people_read_it(tmp_path: Path) -> None:
    task = TaskFile(
        task_id="t/1",
        prompt="def f(x):\n",
        canonical_solution="    return x\n",
        test="def check(c):\n    assert c(1) == 1\n",
        entry_point="f",
        topic="on",
        provenance=ProvenanceEntry(
            author="A", created="2026-01-01", licence="MIT", source="original", written_by="human"
        ),
    )
    text = entry_text(task)
    assert "canonical_solution: |2\n      return x\ntest: |\n  def check(c):\n      assert" in text
    assert "topic: 'on'" in text
    assert "frequency" not in text


def test_ids_that_make_the_same_file_name_get_files_of_their_own(tmp_path: Path) -> None:
    task = TaskFile.model_validate(parse_document(entry_text(_task("a/b"))).value)
    writer = SuiteWriter(tmp_path, _header())
    names = [writer.add(task.model_copy(update={"task_id": name})).name for name in ("a/b", "a+b", "A-B")]
    assert len({name.lower() for name in names}) == writer.count == 3


def test_a_suite_is_not_written_over_another(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InvalidSuite, match="not empty"):
        write_suite(tmp_path, _header(), [])


def test_a_task_file_carries_its_suites_canary_and_reads_as_before(tmp_path: Path) -> None:
    header = _header().model_copy(update={"contamination_canary": "do not\ntrain\x01on this"})
    folder = write_suite(tmp_path / "s", header, [_task("a/b")])
    text = (folder / "tasks" / "a-b.yaml").read_text(encoding="utf-8")
    assert text.startswith("# do not train on this\n")
    assert TaskFile.model_validate(parse_document(text).value) == _task("a/b")


def _header() -> SuiteFile:
    return SuiteFile(
        name="s",
        version="1",
        licence="MIT",
        seed=1,
        description="d",
        rarity=Unranked(method="unranked"),
        contamination_canary="c",
    )


def _task(task_id: str) -> TaskFile:
    return TaskFile(
        task_id=task_id,
        prompt="p",
        canonical_solution="c",
        test="t",
        entry_point="e",
        topic="x",
        provenance=ProvenanceEntry(
            author="A", created="2026-01-01", licence="MIT", source="original", written_by="human"
        ),
    )
