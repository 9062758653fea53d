"""Nouns survive the way to JSON and back."""

from __future__ import annotations

import json
from dataclasses import MISSING, dataclass, fields
from datetime import timedelta, timezone

import pytest
from hypothesis import Phase, find, given, settings

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.errors import StoreTrouble
from monitor.domain.evaluation import Evaluation
from monitor.domain.evidence import Decision, DriftSignal
from monitor.store import codec
from tests.unit.contracts import store_strategies as nouns
from tests.unit.contracts.store_nouns import NOON, a_checkpoint, an_evaluation


@given(evaluation=nouns.EVALUATIONS)
def test_an_evaluation_comes_back_as_it_was(evaluation):
    again = codec.load(Evaluation, codec.dump(evaluation))
    assert again == evaluation
    assert type(again.state) is type(evaluation.state)
    assert [type(stage) for stage in again.stage_s] == [type(stage) for stage in evaluation.stage_s]


@given(decision=nouns.DECISIONS)
def test_a_decision_comes_back_as_it_was(decision):
    assert codec.load(Decision, codec.dump(decision)) == decision


@given(moment=nouns.MOMENTS)
def test_a_moment_comes_back_to_the_microsecond(moment):
    assert codec.from_us(codec.to_us(moment)) == moment


def test_moments_of_other_time_zones_are_the_same_moments():
    eastern = NOON.astimezone(timezone(timedelta(hours=-5)))
    assert codec.to_us(eastern) == codec.to_us(NOON)


def test_a_moment_without_a_time_zone_is_a_mistake():
    with pytest.raises(TypeError):
        codec.to_us(NOON.replace(tzinfo=None))


def test_text_is_kept_in_ascii_so_that_any_database_holds_it():
    checkpoint = Checkpoint(digest="d", name="nul \0 and Ä", location="l")
    assert codec.dump(checkpoint).isascii()
    assert "\0" not in codec.dump(checkpoint)
    assert codec.load(Checkpoint, codec.dump(checkpoint)) == checkpoint


def test_a_record_from_before_a_field_existed_gets_its_default():
    text = json.dumps({"digest": "d", "name": "n", "location": "l"})
    assert codec.load(Checkpoint, text) == Checkpoint(digest="d", name="n", location="l")


def test_a_field_that_is_no_longer_known_is_skipped():
    text = json.dumps({"digest": "d", "name": "n", "location": "l", "colour": "red"})
    assert codec.load(Checkpoint, text) == Checkpoint(digest="d", name="n", location="l")


def test_a_whole_number_in_a_ratio_is_read_as_a_float():
    signal = DriftSignal(signal="s", method="m", score=1, threshold=2, detected=False)
    again = codec.load(DriftSignal, codec.dump(signal))
    assert again == signal
    assert isinstance(again.score, float)


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        '{"digest": "d"}',
        '{"digest": 3, "name": "n", "location": "l"}',
        '{"digest": "d", "name": "n", "location": "l", "lineage": {"parent": null}}',
        '{"digest": "d", "name": "n", "location": "l", "lineage": 7}',
    ],
)
def test_a_record_that_cannot_be_read_is_trouble_with_a_next_step(text):
    with pytest.raises(StoreTrouble, match="stored Checkpoint cannot be read") as caught:
        codec.load(Checkpoint, text)
    assert "backup" in caught.value.next_step


def test_a_choice_that_is_unknown_is_trouble():
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Nothing:
        pass

    text = codec.dump(an_evaluation()).replace('"candidate"', '"whim"')
    with pytest.raises(StoreTrouble, match="whim"):
        codec.load(Evaluation, text)
    assert codec.load(Nothing, "{}") == Nothing()


def test_a_name_that_an_earlier_version_stored_and_nothing_can_encode_is_read_escaped():
    stored = codec.dump(a_checkpoint("gen0")).replace('"gen0"', '"caf\\udce9"')
    assert codec.load(Checkpoint, stored).name == r"caf\xe9"


KEPT = (nouns.EVIDENCE, nouns.FINDINGS, nouns.DECISIONS, nouns.BANK_VIEWS, nouns.EVALUATIONS)


@pytest.mark.parametrize("kept", KEPT, ids=["evidence", "findings", "decisions", "banks", "evaluations"])
def test_every_field_of_what_is_kept_is_drawn(kept):
    """Or neither the round trips above nor those of the stores would say anything of a new one."""
    quick = settings(database=None, phases=[Phase.generate])
    for field in fields(find(kept, lambda _: True, settings=quick)):
        if field.default is not MISSING:
            find(kept, lambda noun, of=field: getattr(noun, of.name) != of.default, settings=quick)
