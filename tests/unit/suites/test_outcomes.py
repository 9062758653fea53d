from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.errors import InvalidOutcomes
from monitor.domain.evidence import Observation
from monitor.domain.tasks import Stratum
from monitor.suites.outcomes import ensure_comparable, outcome_line, read_outcomes

GOOD = '{"task_id": "a", "stratum": "tail", "sample": 0, "passed": true, "seed": 7}\n'


def _read(folder: Path, text: str, *, wave_size: int = 1) -> list[Observation]:
    path = folder / "outcomes.jsonl"
    path.write_text(text, encoding="utf-8")
    return list(read_outcomes(path, wave_size=wave_size))


def _observation(task_id: str = "a", stratum: Stratum = Stratum.TAIL, index: int = 0) -> Observation:
    return Observation(task_id=task_id, stratum=stratum, index=index, wave=0, passed=True)


def test_lines_become_observations_in_their_order(tmp_path: Path) -> None:
    text = GOOD + '\n{"passed": null, "sample": 1, "stratum": "tail", "task_id": "a"}\n'
    assert _read(tmp_path, text) == [
        Observation(task_id="a", stratum=Stratum.TAIL, index=0, wave=0, passed=True, seed=7),
        Observation(task_id="a", stratum=Stratum.TAIL, index=1, wave=1, passed=None),
    ]


def test_waves_count_lines(tmp_path: Path) -> None:
    text = "".join(GOOD.replace('"sample": 0', f'"sample": {number}') for number in range(5))
    assert [each.wave for each in _read(tmp_path, text, wave_size=2)] == [0, 0, 1, 1, 2]


def test_packed_files_are_read_as_well(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl.gz"
    path.write_bytes(gzip.compress(GOOD.encode()))
    assert len(list(read_outcomes(path))) == 1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "not JSON"),
        ("[1]", "a list, not an object"),
        (GOOD.replace('"sample": 0, ', ""), "field sample is missing"),
        (GOOD.replace('"seed"', '"sede"'), "field sede is unknown"),
        (GOOD.replace('"a"', "3"), "field task_id must be a text"),
        (GOOD.replace('"a"', '""'), "field task_id must be a text"),
        (GOOD.replace("tail", "tails"), "field stratum must be"),
        (GOOD.replace('"tail"', "[1]"), "field stratum must be"),
        (GOOD.replace("true", "1"), "field passed must be"),
        (GOOD.replace("true", "0.7"), "field passed must be"),
        (GOOD.replace('"sample": 0', '"sample": -1'), "field sample must be"),
        (GOOD.replace('"sample": 0', '"sample": true'), "field sample must be"),
        (GOOD.replace('"seed": 7', '"seed": "x"'), "field seed must be"),
        (GOOD.replace('"sample": 0', '"sample": 1'), "task 'a', sample 1 stands on line 1 already"),
        (GOOD.replace("tail", "head").replace('"sample": 0', '"sample": 2'), "is head here and tail before"),
    ],
)
def test_a_wrong_line_is_an_error_with_file_and_line(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(InvalidOutcomes) as caught:
        _read(tmp_path, GOOD.replace('"sample": 0', '"sample": 1') + line.strip() + "\n")
    assert told in caught.value.message
    assert "outcomes.jsonl, line 2" in caught.value.message


def test_files_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidOutcomes, match="cannot be read: No such file"):
        list(read_outcomes(tmp_path / "missing.jsonl"))
    broken = tmp_path / "broken.jsonl.gz"
    broken.write_bytes(gzip.compress(GOOD.encode())[:-12])
    with pytest.raises(InvalidOutcomes, match="cannot be read"):
        list(read_outcomes(broken))


def test_lines_are_read_as_they_are_needed(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl"
    path.write_text(GOOD + "nonsense\n")
    assert next(read_outcomes(path)).task_id == "a"


@settings(deadline=None)
@given(
    observation=st.builds(
        Observation,
        task_id=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
        stratum=st.sampled_from(Stratum),
        index=st.integers(0, 2**40),
        wave=st.just(0),
        passed=st.none() | st.booleans(),
        seed=st.none() | st.integers(0, 2**31),
    )
)
def test_a_written_line_reads_back(
    observation: Observation, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert _read(tmp_path_factory.mktemp("o"), outcome_line(observation) + "\n") == [observation]


def test_outcomes_of_the_same_tasks_and_strata_are_comparable() -> None:
    ensure_comparable([_observation("a"), _observation("b")], iter([_observation("b")]))


@pytest.mark.parametrize(
    ("baseline", "candidate", "told"),
    [
        ([], [_observation()], "baseline holds no outcomes"),
        ([_observation()], [], "no outcomes in tail"),
        ([_observation()], [_observation("x")], "'x' is not in the baseline"),
        ([_observation()], [_observation(stratum=Stratum.HEAD)], "is tail in the baseline and head"),
        ([_observation(), _observation("h", Stratum.HEAD)], [_observation()], "no outcomes in head"),
    ],
)
def test_outcomes_that_do_not_match_are_refused(
    baseline: list[Observation], candidate: list[Observation], told: str
) -> None:
    with pytest.raises(InvalidOutcomes, match=told):
        ensure_comparable(baseline, candidate)
