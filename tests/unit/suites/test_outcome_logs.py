from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from monitor.domain.errors import InvalidOutcomes
from monitor.domain.evidence import Observation
from monitor.domain.tasks import Stratum
from monitor.suites.loading import load_suite
from monitor.suites.outcome_logs import (
    LogFormat,
    LogReading,
    read_logs,
    strata_from_categories,
    strata_from_file,
    strata_of_suite,
)
from tests.unit.suites.suite_files import task_text, write_suite_folder


def tail_only(names: Sequence[str], category: str) -> Stratum:
    return Stratum.TAIL


def lm_eval_row(doc_id: int = 0, **fields: Any) -> dict[str, Any]:
    """As lm-evaluation-harness 0.4 writes them with --log_samples."""
    return {
        "doc_id": doc_id,
        "doc": {"task_id": f"HumanEval/{doc_id}", "prompt": "def f(x):"},
        "target": "check(f)",
        "arguments": {"gen_args_0": {"arg_0": "def f(x):", "arg_1": {"until": ["\ndef"]}}},
        "resps": [["    return x"]],
        "filtered_resps": [["def f(x):    return x"]],
        "filter": "create_test",
        "metrics": ["pass@1"],
        "doc_hash": "d",
        "prompt_hash": "p",
        "target_hash": "t",
        "pass@1": 1.0,
    } | fields


def nemo_row(problem_idx: int = 0, reward: float | None = 1.0, **fields: Any) -> dict[str, Any]:
    return {
        "problem_idx": problem_idx,
        "reward": reward,
        "repeat": 0,
        "metadata": {"category": "tail"},
    } | fields


def read(folder: Path, log_format: LogFormat, rows: list[dict[str, Any]], **how: Any) -> list[Observation]:
    path = folder / "samples_humaneval_2026-01-31T10-00-00.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return list(read_logs([path], log_format, LogReading(**{"stratum_of": tail_only} | how)).observations)


def passed(observations: list[Observation]) -> list[tuple[str, int, bool | None]]:
    return [(each.task_id, each.index, each.passed) for each in observations]


def test_lm_eval_rows_are_samples(tmp_path: Path) -> None:
    rows = [lm_eval_row(0), lm_eval_row(1, **{"pass@1": 0.0})]
    observations = read(tmp_path, LogFormat.LM_EVAL, rows)
    assert passed(observations) == [("HumanEval/0", 0, True), ("HumanEval/1", 0, False)]
    assert [each.wave for each in observations] == [0, 1]


def test_lm_eval_repeats_are_counted_from_their_mean(tmp_path: Path) -> None:
    row = lm_eval_row(filtered_resps=[["a", "b", "c", "d"]], **{"pass@1": 0.75})
    observations = read(tmp_path, LogFormat.LM_EVAL, [row])
    assert [each.index for each in observations] == [0, 1, 2, 3]
    assert sum(bool(each.passed) for each in observations) == 3


def test_lm_eval_passes_stand_at_no_particular_repeat_and_at_the_same_ones_when_read_again(
    tmp_path: Path,
) -> None:
    rows = [
        lm_eval_row(number, filtered_resps=[["a", "b", "c", "d"]], **{"pass@1": 0.5}) for number in range(400)
    ]
    observations = read(tmp_path, LogFormat.LM_EVAL, rows)
    passes = [sum(bool(one.passed) for one in observations if one.index == index) for index in range(4)]
    # Each count is Bin(400, 1/2) about 200 with a standard deviation of 10: four of them are allowed.
    assert all(160 <= count <= 240 for count in passes)
    assert read(tmp_path, LogFormat.LM_EVAL, rows) == observations


def test_lm_eval_answers_that_took_the_first_repeat_are_one_sample(tmp_path: Path) -> None:
    row = lm_eval_row(doc={}, filtered_resps=["42"], resps=[["42", "43"]], exact_match=1.0)
    del row["pass@1"]
    assert passed(read(tmp_path, LogFormat.LM_EVAL, [row])) == [("0", 0, True)]


def test_lm_eval_choices_are_one_sample(tmp_path: Path) -> None:
    row = lm_eval_row(
        filtered_resps=[["-1.5", "False"], ["-0.5", "True"]], resps=[[["-1.5", "False"]]], acc=1.0
    )
    row = {name: value for name, value in row.items() if name != "pass@1"}
    row["filtered_resps"] = [[-1.5, False], [-0.5, True]]
    assert passed(read(tmp_path, LogFormat.LM_EVAL, [row])) == [("HumanEval/0", 0, True)]


def test_lm_eval_filters_are_not_mixed(tmp_path: Path) -> None:
    rows = [lm_eval_row(filter="strict"), lm_eval_row(filter="flexible", **{"pass@1": 0.0})]
    with pytest.raises(InvalidOutcomes, match="the filters 'strict' and 'flexible'") as caught:
        read(tmp_path, LogFormat.LM_EVAL, rows)
    assert "--filter" in caught.value.next_step
    flexible = read(tmp_path, LogFormat.LM_EVAL, rows, filter_name="flexible")
    assert passed(flexible) == [("HumanEval/0", 0, False)]


def test_a_log_without_the_filter_is_not_left_out_silently(tmp_path: Path) -> None:
    rows = {"samples_a": [lm_eval_row(0, filter="strict")], "samples_b": [lm_eval_row(1, filter="flexible")]}
    with pytest.raises(InvalidOutcomes, match=r"samples_b\.jsonl: no line has the filter 'strict'") as caught:
        logs(tmp_path, LogFormat.LM_EVAL, {"filter_name": "strict"}, **rows)
    assert "only 'flexible'" in caught.value.message
    assert "--filter" in caught.value.next_step
    assert len(logs(tmp_path, LogFormat.LM_EVAL, **rows).observations) == 2


@pytest.mark.parametrize("log_format", LogFormat)
def test_a_log_without_a_sample_is_an_error(tmp_path: Path, log_format: LogFormat) -> None:
    row = lm_eval_row(0) if log_format is LogFormat.LM_EVAL else nemo_row(0)
    with pytest.raises(InvalidOutcomes, match=r"b\.jsonl: it holds no sample"):
        logs(tmp_path, log_format, a=[row], b=[])


def test_a_named_metric_is_read(tmp_path: Path) -> None:
    row = lm_eval_row(metrics=["pass@1", "own"], own=0)
    assert passed(read(tmp_path, LogFormat.LM_EVAL, [row], metric="own")) == [("HumanEval/0", 0, False)]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (lm_eval_row(**{"pass@1": 0.5}), "not a share of 1 passed samples"),
        (lm_eval_row(**{"pass@1": 2}), "not a share"),
        (lm_eval_row(**{"pass@1": "yes"}), "is not a number"),
        (lm_eval_row(**{"pass@1": float("nan")}), "is not a number"),
        ({"doc_id": 1, "metrics": ["bleu"], "bleu": 0.3}, "it has none of pass@1"),
        ({"problem_idx": 1}, "is it a samples_"),
    ],
)
def test_a_wrong_lm_eval_row_is_an_error_with_its_line(
    tmp_path: Path, row: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidOutcomes, match=told) as caught:
        read(tmp_path, LogFormat.LM_EVAL, [row])
    assert "line 1" in caught.value.message


def test_nemo_rows_are_samples(tmp_path: Path) -> None:
    rows = [nemo_row(3), nemo_row(3, 0.0, repeat=1), nemo_row(4, None)]
    observations = read(tmp_path, LogFormat.NEMO, rows)
    assert passed(observations) == [("3", 0, True), ("3", 1, False), ("4", 0, None)]


def test_nemo_rewards_between_need_a_threshold(tmp_path: Path) -> None:
    with pytest.raises(InvalidOutcomes, match="neither 0 nor 1") as caught:
        read(tmp_path, LogFormat.NEMO, [nemo_row(0, 0.6)])
    assert "--pass-from" in caught.value.next_step
    rows = [nemo_row(0, 0.6), nemo_row(1, 0.4)]
    assert [each.passed for each in read(tmp_path, LogFormat.NEMO, rows, pass_from=0.5)] == [True, False]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"reward": 1}, "is it a results.jsonl"),
        (nemo_row(reward="1"), "is not a number"),  # type: ignore[arg-type]
        (nemo_row(repeat=-1), "not a whole number"),
    ],
)
def test_a_wrong_nemo_row_is_an_error_with_its_line(tmp_path: Path, row: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidOutcomes, match=told):
        read(tmp_path, LogFormat.NEMO, [row])


def test_categories_can_name_the_strata(tmp_path: Path) -> None:
    rows = [nemo_row(0), nemo_row(1, metadata=None, scoring_details={"category": "head"})]
    strata = [
        each.stratum for each in read(tmp_path, LogFormat.NEMO, rows, stratum_of=strata_from_categories)
    ]
    assert strata == [Stratum.TAIL, Stratum.HEAD]
    with pytest.raises(InvalidOutcomes, match="no stratum is known for task '2'"):
        read(tmp_path, LogFormat.NEMO, [nemo_row(2, metadata={})], stratum_of=strata_from_categories)


def test_a_suite_or_a_file_can_name_the_strata(tmp_path: Path) -> None:
    suite = load_suite(write_suite_folder(tmp_path / "s", {"a": task_text("HumanEval/0", 0.001)}))
    assert read(tmp_path, LogFormat.LM_EVAL, [lm_eval_row()], stratum_of=strata_of_suite(suite))
    path = tmp_path / "strata.jsonl"
    path.write_text('{"task_id": "HumanEval/0", "stratum": "torso"}\n')
    from_file = read(tmp_path, LogFormat.LM_EVAL, [lm_eval_row()], stratum_of=strata_from_file(path))
    assert from_file[0].stratum is Stratum.TORSO
    path.write_text('{"task_id": "HumanEval/0", "stratum": "middle"}\n')
    with pytest.raises(InvalidOutcomes, match="line 1"):
        strata_from_file(path)
    path.write_text("".join(f'{{"task_id": "a", "stratum": "{stratum}"}}\n' for stratum in ("tail", "head")))
    with pytest.raises(InvalidOutcomes, match="line 2: task 'a' is head here and tail before"):
        strata_from_file(path)


def logs(
    folder: Path, log_format: LogFormat, how: dict[str, Any] | None = None, **rows: list[dict[str, Any]]
):
    """The outcomes of several logs, by file name without its suffix."""
    paths = []
    for name, its in rows.items():
        path = folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in its))
        paths.append(path)
    return read_logs(paths, log_format, LogReading(**{"stratum_of": tail_only} | (how or {})))


def counted(doc_id: int, **fields: Any) -> dict[str, Any]:
    """A row whose document has no id of its own."""
    return lm_eval_row(doc_id, doc={}, **fields)


def test_tasks_of_two_logs_with_one_id_get_the_names_of_their_benchmarks(tmp_path: Path) -> None:
    found = logs(
        tmp_path,
        LogFormat.LM_EVAL,
        **{"samples_mbpp": [counted(0)], "samples_humaneval_plus_2026-01-31T10-00-00.123456": [counted(0)]},
    )
    assert found.prefixed
    assert [each.task_id for each in found.observations] == ["mbpp/0", "humaneval_plus/0"]


def test_ids_that_differ_stay_as_they_are(tmp_path: Path) -> None:
    found = logs(tmp_path, LogFormat.LM_EVAL, samples_a=[lm_eval_row(0)], samples_b=[lm_eval_row(1)])
    assert not found.prefixed
    assert [each.task_id for each in found.observations] == ["HumanEval/0", "HumanEval/1"]


def test_two_runs_of_one_benchmark_are_an_error_with_both_places(tmp_path: Path) -> None:
    rows = {f"samples_mbpp_2026-01-3{day}T10-00-00": [counted(7)] for day in (0, 1)}
    with pytest.raises(
        InvalidOutcomes, match=r"31T10-00-00\.jsonl, line 1: sample 0 of task '7' is in .*30T10"
    ):
        logs(tmp_path, LogFormat.LM_EVAL, **rows)


def test_nemo_benchmarks_that_count_their_problems_are_told_apart(tmp_path: Path) -> None:
    paths = []
    for name in ("aime", "gpqa"):
        (tmp_path / name).mkdir()
        paths.append(tmp_path / name / "results.jsonl")
        paths[-1].write_text(json.dumps(nemo_row(3)) + "\n")
    found = read_logs(paths, LogFormat.NEMO, LogReading(stratum_of=tail_only))
    assert [each.task_id for each in found.observations] == ["aime/3", "gpqa/3"]
    named = [nemo_row(3, benchmark="one"), nemo_row(3, metadata={"benchmark": "two"})]
    found = logs(tmp_path, LogFormat.NEMO, results=named)
    assert [each.task_id for each in found.observations] == ["one/3", "two/3"]


@pytest.mark.parametrize("both", [False, True])
def test_a_suite_has_the_strata_of_tasks_that_are_only_counted(tmp_path: Path, both: bool) -> None:
    suite = load_suite(
        write_suite_folder(
            tmp_path / "s", {"a": task_text("Mbpp/0", 0.001), "b": task_text("HumanEval/0", 0.2)}
        )
    )
    rows = {"samples_mbpp": [counted(0)]} | ({"samples_humaneval": [counted(0)]} if both else {})
    found = logs(tmp_path, LogFormat.LM_EVAL, {"stratum_of": strata_of_suite(suite)}, **rows)
    assert [each.stratum for each in found.observations] == [Stratum.TAIL, Stratum.HEAD][: 1 + both]


def test_a_number_that_two_benchmarks_share_names_no_stratum(tmp_path: Path) -> None:
    strata = tmp_path / "strata"
    strata.write_text('{"task_id": "0", "stratum": "tail"}\n')
    how = {"stratum_of": strata_from_file(strata)}
    with pytest.raises(InvalidOutcomes, match="no stratum is known for task 'a/0'"):
        logs(tmp_path, LogFormat.LM_EVAL, how, samples_a=[counted(0)], samples_b=[counted(0)])
    assert logs(tmp_path, LogFormat.LM_EVAL, how, samples_a=[counted(0)]).observations


def repeated(doc_id: int, texts: list[str], score: float) -> dict[str, Any]:
    return lm_eval_row(doc_id, resps=[texts], filtered_resps=[texts], **{"pass@1": score})


def test_repeats_that_are_copies_of_one_text_are_named_and_count_once(tmp_path: Path) -> None:
    copies = [repeated(number, ["same"] * 8, float(number % 2)) for number in range(550)]
    found = logs(tmp_path, LogFormat.LM_EVAL, samples_humaneval=copies)
    assert [(each.benchmark, each.copied, each.repeated) for each in found.copies] == [
        ("humaneval", 550, 550)
    ]
    assert [(each.index, each.passed) for each in found.observations] == [
        (0, bool(number % 2)) for number in range(550)
    ]


def test_a_task_with_two_texts_among_copies_counts_once_too(tmp_path: Path) -> None:
    rows = [repeated(number, ["same"] * 4, 1.0) for number in range(49)]
    rows.append(repeated(49, ["same", "same", "same", "other"], 0.75))
    found = logs(tmp_path, LogFormat.LM_EVAL, samples_x=rows)
    assert (found.copies[0].copied, found.copies[0].repeated) == (49, 50)
    assert len(found.observations) == 50


def test_a_model_that_is_sure_of_most_tasks_keeps_its_repeats(tmp_path: Path) -> None:
    rows = [repeated(number, ["sure"] * 8 if number < 37 else list("abcdefgh"), 1.0) for number in range(40)]
    found = logs(tmp_path, LogFormat.LM_EVAL, samples_x=rows)
    assert found.copies == ()
    assert len(found.observations) == 320


def test_texts_that_a_filter_made_equal_are_no_copies(tmp_path: Path) -> None:
    written = ["It is 42.", "So: 42."]
    rows = [lm_eval_row(number, resps=[written], filtered_resps=[["42", "42"]]) for number in range(20)]
    found = logs(tmp_path, LogFormat.LM_EVAL, samples_x=rows)
    assert found.copies == ()
    assert len(found.observations) == 40


def test_copies_by_chance_leave_every_repeat(tmp_path: Path) -> None:
    rows = [repeated(number, ["a", "a"] if number % 2 else ["a", "b"], 1.0) for number in range(20)]
    found = logs(tmp_path, LogFormat.LM_EVAL, samples_x=rows)
    assert found.copies == ()
    assert len(found.observations) == 40
