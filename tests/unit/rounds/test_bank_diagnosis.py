"""Why a bank passes nothing, read from its samples."""

from __future__ import annotations

from dataclasses import replace

from monitor.domain.samples import FinishReason, Outcome, SamplingPlan, Style
from monitor.rounds.bank_diagnosis import likely_reasons
from tests.unit.contracts.store_nouns import a_sample

COMPLETION = SamplingPlan(style=Style.COMPLETION, max_tokens=64)
CHAT = SamplingPlan(style=Style.CHAT, max_tokens=64)


def samples(
    text="x\n",
    *,
    finish=FinishReason.STOP,
    tokens=9,
    told="",
    outcome=Outcome.FAILED,
    detail="AssertionError: 1 == 2",
    count=20,
):
    drawn = [a_sample(index=index, outcome=outcome) for index in range(count)]
    said = {"text": text, "finish_reason": finish, "tokens": tokens, "detail": told}
    return [
        replace(
            one,
            completion=replace(one.completion, **said),
            execution=replace(one.execution, detail=detail),
        )
        for one in drawn
    ]


def reasons(*groups, plan=COMPLETION, chat_template=False):
    return likely_reasons([each for group in groups for each in group], plan, chat_template=chat_template)


def test_the_most_frequent_result_is_told_in_any_case():
    found = reasons(
        samples(count=3), samples(outcome=Outcome.CRASHED, detail="was killed by SIGSEGV", count=9)
    )
    assert found == ("Most frequent result: crashed, was killed by SIGSEGV (9 of 12).",)


def test_answers_that_the_server_puts_elsewhere_are_told_from_empty_ones():
    invalid = {"outcome": Outcome.REJECTED, "detail": "empty completion"}
    elsewhere = reasons(samples("", told="the server put the whole answer into reasoning_content", **invalid))
    assert (
        "100% of the answers are empty: the server put the whole answer into reasoning_content"
        in elsewhere[0]
    )
    uncounted = reasons(samples("", tokens=50, **invalid))
    assert "although 50 tokens were generated for each" in uncounted[0]
    empty = reasons(samples("", tokens=1, **invalid))
    assert "the model ends at once" in empty[0]


def test_answers_that_never_got_beyond_reasoning_say_so():
    invalid = {"outcome": Outcome.REJECTED, "detail": "reasoning only, truncated after 64 tokens"}
    (told, *_) = reasons(samples("<think>hm", **invalid), samples(count=5), plan=CHAT)
    assert told.startswith("80% of the answers are reasoning and nothing else: set max_tokens above 64")
    assert not any("reasoning" in each for each in reasons(samples(count=5)))


def test_answers_that_were_cut_off_name_the_setting():
    (cut, _) = reasons(samples(finish=FinishReason.LENGTH), samples(count=5))
    assert cut == "80% of the answers were cut off at max_tokens = 64: set a larger one."


def test_turns_of_a_conversation_beside_the_completion_style_name_the_style():
    talk = samples("Sure! Here it is:\n```python\ndef f(): ...\n```\n")
    assert "`style: chat`" in reasons(talk)[0]
    assert len(reasons(talk, plan=CHAT)) == 1
    assert "carries a chat template" in reasons(samples(), chat_template=True)[0]
    assert len(reasons(samples(), plan=CHAT, chat_template=True)) == 1


def test_an_interpreter_that_the_sandbox_lacks_is_named():
    lacking = reasons(samples(detail="sh: 1: ocaml: not found"))
    assert "The sandbox seems to lack something: sh: 1: ocaml: not found" in lacking[0]


def test_samples_without_a_result_tell_nothing():
    assert reasons(samples(outcome=Outcome.UNSCORED)) == ()
