"""Why a bank passes nothing, as far as its samples tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from monitor.domain.samples import FinishReason, Invalidity, Outcome, Sample, SamplingPlan, Style

MOST = 0.5
"""Share of the samples from which on a sign explains that none passed."""

_CHAT = re.compile(r"```|<\|im_(?:start|end)\|>|<think>|\[/?INST\]|<\|(?:assistant|user|eot_id)\|>")
"""What models write that take a prompt for a turn of a conversation."""
_NOT_HERE = re.compile(
    r"command not found|No such file or directory|cannot execute|ModuleNotFoundError|\bnot found\b"
)
"""What programs say of an interpreter or a library that the sandbox lacks."""


def likely_reasons(samples: Sequence[Sample], plan: SamplingPlan, *, chat_template: bool) -> tuple[str, ...]:
    """What the samples of strata that pass nothing have in common, one sentence each, surest first.

    Args:
        samples: of those strata.
        plan: how they were drawn.
        chat_template: whether the checkpoint carries one.
    """
    scored = [sample for sample in samples if sample.passed is not None]
    if not scored:
        return ()
    signs = (
        *_empty(scored),
        *_reasoning(scored, plan),
        *_cut_off(scored, plan),
        *_conversing(scored, plan, chat_template=chat_template),
    )
    return (*signs, *_not_here(scored), _most_frequent(scored))


def _share(samples: Sequence[Sample], sign: Callable[[Sample], object]) -> float:
    return sum(bool(sign(sample)) for sample in samples) / len(samples)


def _empty(samples: Sequence[Sample]) -> Iterator[str]:
    empty = [sample for sample in samples if not sample.completion.text.strip()]
    if len(empty) < MOST * len(samples):
        return
    told = f"{len(empty) / len(samples):.0%} of the answers are empty"
    if _share(empty, lambda sample: sample.completion.detail) >= MOST:
        detail = next(each.completion.detail for each in empty if each.completion.detail)
        yield f"{told}: {detail}. Start the server without a reasoning parser, so that answers are whole."
    elif _share(empty, lambda sample: sample.completion.tokens > 1) >= MOST:
        tokens = sum(sample.completion.tokens for sample in empty) / len(empty)
        yield (
            f"{told} although {tokens:.0f} tokens were generated for each: the server leaves them out of the "
            "content, as with a reasoning parser."
        )
    else:
        yield f"{told}: the model ends at once, as after a prompt of another style than its own."


def _reasoning(samples: Sequence[Sample], plan: SamplingPlan) -> Iterator[str]:
    share = _share(
        samples,
        lambda sample: (
            sample.completion.text.strip()
            and Invalidity.of(sample.execution.detail) is Invalidity.REASONING_ONLY
        ),
    )
    if share >= MOST:
        yield (
            f"{share:.0%} of the answers are reasoning and nothing else: set max_tokens above "
            f"{plan.max_tokens}, or turn reasoning off in the chat template."
        )


def _cut_off(samples: Sequence[Sample], plan: SamplingPlan) -> Iterator[str]:
    share = _share(samples, lambda sample: sample.completion.finish_reason is FinishReason.LENGTH)
    if share >= MOST:
        yield f"{share:.0%} of the answers were cut off at max_tokens = {plan.max_tokens}: set a larger one."


def _conversing(samples: Sequence[Sample], plan: SamplingPlan, *, chat_template: bool) -> Iterator[str]:
    if plan.style is not Style.COMPLETION:
        return
    share = _share(samples, lambda sample: _CHAT.search(sample.completion.text))
    if share >= MOST:
        told = f"{share:.0%} of the answers are turns of a conversation"
        yield f"{told} beside `style: completion`: try `style: chat`."
    elif chat_template:
        yield "The checkpoint carries a chat template beside `style: completion`: try `style: chat`."


def _not_here(samples: Sequence[Sample]) -> Iterator[str]:
    lacking = Counter(
        sample.execution.detail for sample in samples if _NOT_HERE.search(sample.execution.detail)
    )
    if lacking.total() >= MOST * len(samples):
        detail, _ = lacking.most_common(1)[0]
        yield f"The sandbox seems to lack something: {detail}; `tailwatch doctor` looks at it."


def _most_frequent(samples: Sequence[Sample]) -> str:
    found = Counter((sample.execution.outcome, sample.execution.detail) for sample in samples)
    (outcome, detail), count = found.most_common(1)[0]
    name = "invalid" if outcome is Outcome.REJECTED else outcome.value
    return f"Most frequent result: {name}{f', {detail}' if detail else ''} ({count} of {len(samples)})."
