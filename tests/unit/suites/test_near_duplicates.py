from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.errors import InvalidSuite
from monitor.suites.near_duplicates import NEAR, Likeness, Passage, closest, passage, read_passages
from tests.unit.suites.suite_files import task_text, write_suite_folder

TEXTS = st.lists(st.text(alphabet="ab (", max_size=12), max_size=6)


def _passages(texts: list[str], mark: str) -> list[Passage]:
    return [passage(f"{mark}{number}", text) for number, text in enumerate(texts)]


def _jaccard(one: Passage, other: Passage) -> float:
    return len(one.shingles & other.shingles) / len(one.shingles | other.shingles)


@given(TEXTS, TEXTS)
def test_similarities_are_jaccards_of_every_pair_that_shares_anything(
    texts: list[str], others: list[str]
) -> None:
    own, foreign = _passages(texts, "t"), _passages(others, "o")
    pairs = [(one, other) for at, one in enumerate(own) for other in [*own[at + 1 :], *foreign]]
    expected = {(a.name, b.name): _jaccard(a, b) for a, b in pairs if _jaccard(a, b) > 0}
    found = closest(own, foreign, most=1000)
    assert {(pair.task_id, pair.other): pair.similarity for pair in found} == pytest.approx(expected)
    assert [pair.similarity for pair in found] == sorted((p.similarity for p in found), reverse=True)


def test_case_and_white_space_do_not_count_but_names_do() -> None:
    one = passage("a", "def total(rows):\n    return sum(rows)\n")
    assert one.shingles == passage("b", "DEF  Total(rows): return\tsum(rows)").shingles
    assert one.shingles != passage("c", "def total(lines):\n    return sum(lines)\n").shingles


def test_all_near_pairs_are_told_and_of_others_the_closest() -> None:
    texts = ["a b c d e f"] * 3 + ["a b c x y z", "a b c p q r", "n o t h i n g"]
    found = closest(_passages(texts, "t"), [], most=1)
    assert [pair.similarity for pair in found] == [1.0] * 3
    found = closest(_passages(texts[3:], "t"), [], most=1)
    assert found == [Likeness(task_id="t0", other="t1", similarity=1 / 7)]
    assert found[0].similarity < NEAR


def test_suites_and_benchmark_files_are_read(tmp_path: Path) -> None:
    folder = write_suite_folder(tmp_path / "s", {"a": task_text("t/a")})
    (own,) = read_passages(str(folder))
    file = tmp_path / "bench.jsonl.gz"
    record = {"task_id": "B/1", "prompt": "def double(x):", "canonical_solution": "    return 2 * x\n"}
    file.write_bytes(gzip.compress(json.dumps(record).encode() + b"\n" + b'{"prompt": "no reference"}\n'))
    first, second = read_passages(str(file))
    assert (first.name, second.name) == ("bench.jsonl.gz: B/1", "bench.jsonl.gz: line 2")
    assert replace(first, name=own.name) == own


def test_a_file_without_prompts_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "bench.jsonl"
    file.write_text('{"question": "?"}\n')
    with pytest.raises(InvalidSuite, match=r"line 1: no text in the field 'prompt'"):
        read_passages(str(file))
