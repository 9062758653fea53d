from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.errors import EngineTrouble
from monitor.domain.samples import FinishReason, Style
from monitor.generation import answers
from monitor.generation.refusals import error_text
from tests.unit.generation.benches import request


def choice(index: int, text: str = "x", finish: str = "stop", logprobs: Any = None) -> dict[str, Any]:
    return {"index": index, "text": text, "finish_reason": finish, "logprobs": logprobs}


def test_a_request_is_one_prompt_with_its_seed_and_a_plain_sampler() -> None:
    body = answers.request_body(request(count=16, seed=7), "m")
    assert (body["prompt"], body["n"], body["seed"]) == ("def f(x):\n    return", 16, 7)
    assert (body["top_k"], body["min_p"], body["repetition_penalty"]) == (0, 0.0, 1.0)
    assert body["logprobs"] == 0


def test_chat_style_sends_the_prompt_as_it_is_in_one_user_turn() -> None:
    body = answers.request_body(request(style=Style.CHAT), "m")
    assert [message["role"] for message in body["messages"]] == ["user"]
    assert body["messages"][0]["content"] == "def f(x):\n    return"
    assert "prompt" not in body
    assert answers.completion_path(request(style=Style.CHAT)) == "/v1/chat/completions"


def test_greedy_samples_are_asked_for_once() -> None:
    greedy = request(count=3, temperature=0.0)
    assert answers.request_body(greedy, "m")["n"] == 1
    found = answers.completions(greedy, {"choices": [choice(0, "same")]})
    assert [(c.text, c.index) for c in found] == [("same", 0), ("same", 1), ("same", 2)]


@given(st.permutations(range(5)), st.integers(0, 1000), st.integers(0, 2**30))
def test_children_are_told_apart_by_their_index_in_any_order(
    order: list[int], first_index: int, seed: int
) -> None:
    asked = request(count=5, first_index=first_index, seed=seed)
    found = answers.completions(asked, {"choices": [choice(i, f"text {i}") for i in order]})
    assert [(c.index, c.seed, c.text) for c in found] == [
        (first_index + i, seed + i, f"text {i}") for i in range(5)
    ]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_an_answer_that_the_server_puts_beside_the_content_says_where_it_is(name: str) -> None:
    asked = request(count=1, style=Style.CHAT)
    message = {"role": "assistant", "content": None, name: "I think so"}
    parsed = {"index": 0, "finish_reason": "stop", "logprobs": None, "message": message}
    (found,) = answers.completions(asked, {"choices": [parsed]})
    assert (found.text, found.detail) == ("", f"the server put the whole answer into {name}")
    whole = {**parsed, "message": {**message, "content": "x"}}
    assert answers.completions(asked, {"choices": [whole]})[0].detail == ""


def test_logprobs_are_averaged_over_the_generated_tokens() -> None:
    logprobs = {"token_logprobs": [-1.0, -3.0, -0.5]}
    (found,) = answers.completions(request(count=1), {"choices": [choice(0, logprobs=logprobs)]})
    assert (found.tokens, found.mean_logprob, found.min_logprob) == (3, pytest.approx(-1.5), -3.0)


def test_minus_infinity_is_written_as_vllm_writes_it() -> None:
    logprobs = {"token_logprobs": [-1.0, float("-inf")]}
    (found,) = answers.completions(request(count=1), {"choices": [choice(0, logprobs=logprobs)]})
    assert found.min_logprob == answers.LOGPROB_OF_NONE
    entries = [None, {"7": {"logprob": float("-inf")}}]
    answer = {"choices": [{"prompt_logprobs": entries}]}
    assert answers.prompt_logprobs(answer) == (answers.LOGPROB_OF_NONE,)


def test_chat_answers_carry_their_logprobs_elsewhere() -> None:
    entry = {
        "index": 0,
        "finish_reason": "length",
        "message": {"content": "hi"},
        "logprobs": {"content": [{"logprob": -2.0}]},
    }
    (found,) = answers.completions(request(count=1, style=Style.CHAT), {"choices": [entry]})
    assert (found.text, found.finish_reason, found.mean_logprob) == ("hi", FinishReason.LENGTH, -2.0)


def test_without_logprobs_there_are_none_rather_than_zero() -> None:
    (found,) = answers.completions(request(count=1), {"choices": [choice(0)]})
    assert (found.tokens, found.mean_logprob, found.min_logprob) == (0, None, None)


def test_an_ending_that_is_neither_stop_nor_length_is_our_trouble() -> None:
    (found,) = answers.completions(request(count=1), {"choices": [choice(0, finish="abort")]})
    assert found.finish_reason is FinishReason.ABORT
    assert "abort" in found.detail


@pytest.mark.parametrize("answer", [{}, {"choices": []}, {"choices": [choice(1)]}, {"choices": [{}]}, []])
def test_an_answer_without_the_samples_is_trouble(answer: Any) -> None:
    with pytest.raises(EngineTrouble, match="does not hold 2 samples"):
        answers.completions(request(count=2), answer)


@pytest.mark.parametrize("answer", [{}, {"choices": []}, {"choices": [{"prompt_logprobs": None}]}])
def test_an_answer_without_prompt_logprobs_is_trouble(answer: Any) -> None:
    with pytest.raises(EngineTrouble, match="no prompt log probabilities"):
        answers.prompt_logprobs(answer)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"error": {"message": "too long", "code": 400}}, "too long"),
        ({"error": "Unauthorized"}, "Unauthorized"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"message": "older"}, "older"),
        ({"odd": 1}, "{'odd': 1}"),
        ("plain", "plain"),
    ],
)
def test_error_messages_are_found_in_every_shape(content: Any, text: str) -> None:
    assert error_text(content) == text


def test_the_reason_of_a_refusal_is_bounded_and_never_empty() -> None:
    assert len(answers.refused(request(count=1), "x" * 5000)[0].detail) == 300
    assert answers.refused(request(count=1), "")[0].detail


def test_stop_texts_that_the_server_would_not_accept_are_looked_for_in_its_answer() -> None:
    stops = ("a", "b", "c", "d", "# end", "\ndef ")
    asked = replace(request(count=2), stop=stops)
    assert answers.request_body(asked, "m")["stop"] == ["a", "b", "c", "d"]
    texts = [choice(0, "x = 1\ndef g(): # end", "length"), choice(1, "x = 2", "length")]
    found = answers.completions(asked, {"choices": texts})
    assert [(c.text, c.finish_reason) for c in found] == [
        ("x = 1", FinishReason.STOP),
        ("x = 2", FinishReason.LENGTH),
    ]
