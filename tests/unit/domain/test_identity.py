"""How things are known: nothing that differs is taken for the same, and nothing the same for another."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.evaluation import EvaluationKey, Purpose
from monitor.domain.identity import SEED_SPACE, base_seed, content_digest
from monitor.domain.samples import SamplingPlan, Style

KEY = EvaluationKey(model="acme", checkpoint="c", suite="s", plan="p", purpose=Purpose.CANDIDATE)
PARTS = st.lists(st.text(max_size=5), max_size=4)


@given(PARTS, PARTS)
def test_digests_are_equal_exactly_where_the_parts_are(one, other):
    assert (content_digest(*one) == content_digest(*other)) is (one == other)


def test_a_digest_holds_text_that_no_encoding_allows():
    assert content_digest("\ud800") != content_digest("?")


@given(st.integers(), st.text())
def test_a_million_samples_of_any_task_have_seeds_that_an_engine_takes(suite_seed, digest):
    assert 0 <= base_seed(suite_seed, digest) < SEED_SPACE - 1_000_000


@pytest.mark.parametrize("field", [field.name for field in fields(EvaluationKey)])
def test_an_evaluation_is_another_one_when_any_part_of_its_key_differs(field):
    other = Purpose.BANK if field == "purpose" else "other"
    assert replace(KEY, **{field: other}).evaluation_id != KEY.evaluation_id
    assert replace(KEY).evaluation_id == KEY.evaluation_id


@pytest.mark.parametrize(
    "change", [{"temperature": 0.5}, {"top_p": 0.9}, {"max_tokens": 8}, {"style": Style.CHAT}]
)
def test_plans_under_which_a_sample_would_read_otherwise_are_other_plans(change):
    assert replace(SamplingPlan(), **change).digest != SamplingPlan().digest


def test_a_deeper_bank_is_of_the_same_plan():
    assert replace(SamplingPlan(), samples_per_task=999).digest == SamplingPlan().digest
