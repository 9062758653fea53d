"""vLLM's HTTP vocabulary: requests as JSON, and answers as completions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.domain.errors import EngineTrouble
from monitor.domain.samples import Completion, FinishReason, SampleRequest, Style
from monitor.generation.refusals import NotFinite
from monitor.programs.extraction import cut_at_stop

MOST_STOPS = 4
"""Stop texts that vLLM accepts (VLLM_MAX_STOP_STRINGS); the others are looked for in its answer."""

LOGPROB_OF_NONE = -9999.0
"""What vLLM writes for a probability of zero."""
_MAX_DETAIL = 300


def completion_path(request: SampleRequest) -> str:
    """Where a request is sent."""
    return "/v1/chat/completions" if request.plan.style is Style.CHAT else "/v1/completions"


def request_body(request: SampleRequest, model_id: str) -> dict[str, Any]:
    """The JSON of one request: one prompt, ``count`` samples.

    Never several prompts: they would share one seed and so one noise, which correlates the tasks.
    """
    plan = request.plan
    body: dict[str, Any] = {
        "model": model_id,
        "n": request.count,
        "seed": request.seed,
        "temperature": plan.temperature,
        "top_p": plan.top_p,
        "max_tokens": plan.max_tokens,
        "stop": list(request.stop[:MOST_STOPS]),
        # Said although they are vLLM's defaults: a server may take others from generation_config.json.
        "top_k": 0,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
    }
    if plan.temperature == 0:
        # vLLM allows one greedy sample per request; the others are the same text.
        body["n"] = 1
    if plan.style is Style.CHAT:
        message = {"role": "user", "content": request.prompt}
        return body | {"messages": [message], "logprobs": True, "top_logprobs": 0}
    return body | {"prompt": request.prompt, "logprobs": 0}


def prompt_logprobs_body(text: str | Sequence[int], model_id: str) -> dict[str, Any]:
    """The JSON that asks for the log probabilities of a text's, or some tokens', own tokens."""
    return {
        "model": model_id,
        "prompt": text,
        "max_tokens": 1,
        "temperature": 0.0,
        "prompt_logprobs": 0,
    }


def tokens_body(text: str, model_id: str, *, begins: bool) -> dict[str, Any]:
    """The JSON that asks for a text's tokens, after the start token where it begins a prompt."""
    return {"model": model_id, "prompt": text, "add_special_tokens": begins}


def turn_tokens_body(text: str, model_id: str) -> dict[str, Any]:
    """The JSON that asks for the tokens of a user's turn by the chat template, the model's being next."""
    message = {"role": "user", "content": text}
    return {"model": model_id, "messages": [message], "add_generation_prompt": True}


def completions(request: SampleRequest, answer: Mapping[str, Any]) -> list[Completion]:
    """The samples in an answer, ordered by index.

    Raises:
        NotFinite: a token's log probability is NaN.
        EngineTrouble: it does not hold what was asked for.
    """
    try:
        choices = {int(choice["index"]): choice for choice in answer["choices"]}
        if request.plan.temperature == 0:
            choices = dict.fromkeys(range(request.count), choices[0])
        return [_completion(request, child, choices[child]) for child in range(request.count)]
    except (KeyError, TypeError, ValueError) as exc:
        raise EngineTrouble(
            f"The engine's answer for task {request.task_id} does not hold {request.count} samples "
            f"as vLLM gives them ({type(exc).__name__}: {exc}).",
            next_step="Check that the URL is a vLLM server's and that its version is 0.32 or newer.",
        ) from exc


def refused(request: SampleRequest, detail: str) -> list[Completion]:
    """What stands in for the samples of a request that the engine refused."""
    return [
        Completion(
            task_id=request.task_id,
            index=request.first_index + child,
            seed=request.seed + child,
            text="",
            finish_reason=FinishReason.REFUSED,
            tokens=0,
            detail=detail[:_MAX_DETAIL] or "the engine refused the request without a reason",
        )
        for child in range(request.count)
    ]


def prompt_logprobs(answer: Mapping[str, Any]) -> tuple[float, ...]:
    """Log probability of each token of the prompt but the first.

    Raises:
        NotFinite: one of them is NaN.
        EngineTrouble: it does not hold any.
    """
    try:
        entries = answer["choices"][0]["prompt_logprobs"]
        return tuple(_number(next(iter(entry.values()))["logprob"]) for entry in entries if entry)
    except (KeyError, IndexError, TypeError, ValueError, StopIteration) as exc:
        raise EngineTrouble(
            "The engine's answer holds no prompt log probabilities.",
            next_step="Check that the URL is a vLLM server's; other servers do not give them.",
        ) from exc


def tokens(answer: Mapping[str, Any]) -> list[int]:
    """Ids of a text's tokens.

    Raises:
        EngineTrouble: the answer holds none.
    """
    try:
        return [int(token) for token in answer["tokens"]]
    except (KeyError, TypeError, ValueError) as exc:
        raise EngineTrouble(
            "The engine's answer holds no tokens.",
            next_step="Check that the URL is a vLLM server's; other servers do not offer /tokenize.",
        ) from exc


def _completion(request: SampleRequest, child: int, choice: Mapping[str, Any]) -> Completion:
    logprobs = _token_logprobs(choice)
    whole = (choice["message"]["content"] if "message" in choice else choice["text"]) or ""
    text = cut_at_stop(whole, request.stop[MOST_STOPS:])
    reason = _finish_reason(choice) if text == whole else FinishReason.STOP
    return Completion(
        task_id=request.task_id,
        index=request.first_index + child,
        seed=request.seed + child,
        text=text,
        finish_reason=reason,
        tokens=len(logprobs),
        mean_logprob=math.fsum(logprobs) / len(logprobs) if logprobs else None,
        min_logprob=min(logprobs) if logprobs else None,
        detail=_left_out(choice)
        if reason is not FinishReason.ABORT
        else f"the engine ended it: {choice.get('finish_reason')}",
    )


def _left_out(choice: Mapping[str, Any]) -> str:
    """Where the answer went that the content lacks: a server with a reasoning parser puts it elsewhere."""
    message = choice.get("message") or {}
    for name in ("reasoning_content", "reasoning"):
        if message.get(name) and not message.get("content"):
            return f"the server put the whole answer into {name}"
    return ""


def _finish_reason(choice: Mapping[str, Any]) -> FinishReason:
    known = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH}
    return known.get(str(choice["finish_reason"]), FinishReason.ABORT)


def _token_logprobs(choice: Mapping[str, Any]) -> Sequence[float]:
    logprobs = choice.get("logprobs") or {}
    values: Sequence[Any] = logprobs.get("token_logprobs") or ()
    if "content" in logprobs:
        values = [entry["logprob"] for entry in logprobs["content"] or ()]
    return [_number(value) for value in values if value is not None]


def _number(value: Any) -> float:
    """A finite log probability; minus infinity is one of none, NaN and plus infinity are no number."""
    number = float(value)
    if math.isnan(number) or number == math.inf:
        raise NotFinite(200, f"a token has the log probability {number}")
    return max(number, LOGPROB_OF_NONE)
