"""One row per sample."""

from __future__ import annotations

import pandas as pd
import pytest

from monitor.domain.samples import FinishReason, Outcome
from monitor.drift.descriptors import describe, error_class
from monitor.drift.matching import Works, Writing
from monitor.drift.names import CHOICES, NUMBERS
from tests.unit.drift.authors import read, sample


def frame(*samples, read=read, rarity=None):
    works = Works(read)
    return describe((works.of(each) for each in samples), rarity)


def test_a_python_sample_has_every_figure():
    body = "# add one\n    import math\n    return math.floor(x + 1) if x else 1"
    (row,) = frame(sample("t", 0, body), rarity=lambda text, language: 3.5).to_dict("records")
    assert (row["lines"], row["comment_share"], row["imports"], row["calls"]) == (3, 1 / 3, 1, 1)
    assert (row["complexity"], row["mean_rarity"], row["mean_logprob"]) == (2, 3.5, -0.5)
    assert (row["outcome"], row["finish_reason"], row["error_class"]) == ("passed", "stop", "none")


@pytest.mark.parametrize(
    "writing", [Writing(text="puts 1", language="ruby"), Writing(text="42", language="")]
)
def test_what_is_no_python_has_the_textual_figures_alone(writing):
    row = frame(sample("t", 0, "puts 1"), read=lambda _: writing, rarity=lambda *_: 1.0).iloc[0]
    assert row["tokens"] == 2
    assert row[["ast_depth", "ast_nodes", "complexity", "imports", "calls", "mean_rarity"]].isna().all()
    assert pd.isna(row["comment_share"])


def test_what_the_engine_or_the_sandbox_did_not_give_is_missing():
    lost = sample("t", 0, "return x", outcome=Outcome.UNSCORED, logprob=None)
    row = frame(lost).iloc[0]
    assert row[["outcome", "error_class", "mean_logprob", "min_logprob", "mean_rarity"]].isna().all()


def test_an_empty_frame_has_the_columns_and_their_types():
    empty = frame()
    assert list(empty.columns) == ["task_id", "stratum", "index", *NUMBERS, *CHOICES]
    assert (empty[list(NUMBERS)].dtypes == "float64").all()


@pytest.mark.parametrize(
    ("outcome", "detail", "expected"),
    [
        (Outcome.FAILED, "AssertionError: f(1) == 2", "AssertionError"),
        (Outcome.FAILED, "json.decoder.JSONDecodeError: Expecting value", "json.decoder.JSONDecodeError"),
        (Outcome.FAILED, "StopIteration", "StopIteration"),
        (Outcome.CRASHED, "was killed by SIGSEGV", "none"),
        (Outcome.PASSED, "", "none"),
    ],
)
def test_the_error_class_is_the_exceptions_name(outcome, detail, expected):
    assert error_class(outcome, detail) == expected


def test_a_program_cut_off_says_so():
    assert frame(sample("t", 0, "return", finish=FinishReason.LENGTH)).iloc[0]["finish_reason"] == "length"
