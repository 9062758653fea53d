"""The answer proper: what a model says to the user, apart from its reasoning and from other turns."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from monitor.domain.samples import ReasoningMarks
from monitor.programs.fences import with_blank_blocks

_NAMES = (
    "think|thinking|thoughts?|reason|reasoning|analysis|reflection|scratch_?pad|inner_monologue"
    "|antthinking|seed:think|mm:think|longcat_think"
)
"""Of elements around reasoning, in any model's dialect."""
_OPENS = (
    rf"<(?:{_NAMES})>",
    r"\[THINK\]",
    r"◁think▷",
    r"<\|(?:begin_of_thought|START_THINKING|think|thinking|begin_of_thinking)\|>",
    r"<\|channel>thought\b",
    r"<unused94>",
)
_CLOSES = (
    rf"</(?:{_NAMES})>",
    r"\[/THINK\]",
    r"◁/think▷",
    r"<\|(?:end_of_thought|END_THINKING|/think|/thinking|end_of_thinking)\|>",
    r"<channel\|>",
    r"<unused95>",
)
_QUOTED = r"(?<!['\"])(?<!(?<!`)`)"
"""A mark in quotes is spoken of; one that touches a fence is not."""

_HARMONY = re.compile(r"<\|channel\|>[ \t]*+(\w++)[^<\n]*+(?:<\|constrain\|>[^<\n]*+)?<\|message\|>")
_HARMONY_END = re.compile(r"<\|(?:end|return|call|start|channel)\|>")
_BARE_HARMONY = re.compile(r"\A\s*(?:analysis|commentary)(?=[A-Z])")
"""The channel's name where the tokens around it were dropped: it touches the first sentence."""
_BARE_FINAL = "assistantfinal"

_ANSWER = re.compile(
    r"<\|(?:begin_of_solution|START_RESPONSE|START_TEXT)\|>|\[BEGIN FINAL RESPONSE\]"
    r"|^[ \t]*<(?:answer|final_answer)>|^(?:Here's|Here is) my response:[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
"""Behind this the answer begins, whatever was said before."""
_ANSWER_END = re.compile(
    r"<\|(?:end_of_solution|END_RESPONSE|END_TEXT)\|>|\[END FINAL RESPONSE\]|</(?:answer|final_answer)>",
    re.IGNORECASE,
)

_ROLE = re.compile(r"\A(?:\s*<\|[\w ]{1,40}\|>(?:assistant\b)?)+")
"""Tokens before an answer, and the role they name."""
_BAR = r"[|\uff5c]"
"""In special tokens: DeepSeek's are written with the full-width one."""
_TURN_END = re.compile(
    rf"{_QUOTED}(?:<{_BAR}[\w▁ ]{{1,40}}{_BAR}>"
    r"|</s>|<end_of_turn>|<turn\|>|<eos>|<EOT>|\[/?INST\]|\[end of text\])"
)
_FENCE_BEFORE_MARK = re.compile(rf"(?:(?<=```)|(?<=~~~))[ \t]*+(?=<{_BAR}|</?[a-z_:]{{1,20}}>|\[/?[A-Z])")
_CODE_TOKEN = re.compile(r"<\|python_tag\|>")


def answer_proper(text: str, marks: Sequence[ReasoningMarks] = ()) -> str:
    r"""What a text says to the user.

    A mark inside a closed fenced block is code. A chat template may have opened the reasoning in the
    prompt, so an end without a start counts as well, and a start without an end lasts to the text's end.

    Args:
        text: all that a model said, with ``\n`` as line end.
        marks: the model's own around its reasoning, beside those that are known.

    >>> answer_proper("<think>maybe\n</think>\nanswer<|im_end|>")
    'answer'
    """
    text = _FENCE_BEFORE_MARK.sub("\n", _final_channel(text))
    text = _CODE_TOKEN.sub("\n", without_reasoning(text, marks))
    begin = _last(_outside_blocks(_ANSWER, text))
    if begin is not None and text[begin.end() :].strip():
        text = text[begin.end() :]
        end = next(_outside_blocks(_ANSWER_END, text), None)
        text = text[: end.start()] if end else text
    return own_turn(text)


def without_reasoning(text: str, marks: Sequence[ReasoningMarks] = ()) -> str:
    r"""The text without its marked reasoning.

    >>> without_reasoning("[THINK]maybe\n[/THINK]\nanswer")
    'answer'
    """
    opens, closes = _patterns(tuple(marks))
    kept, at = [], 0
    for start in _outside_blocks(opens, text):
        if start.start() >= at:
            kept.append(text[at : start.start()])
            end = closes.search(text, start.end())
            at = end.end() if end else len(text)
    text = "".join([*kept, text[at:]])
    last = _last(_outside_blocks(closes, text))
    return (text[last.end() :] if last else text).strip("\n")


@cache
def _patterns(marks: tuple[ReasoningMarks, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    opens = "|".join([*_OPENS, *(re.escape(each.open) for each in marks)])
    closes = "|".join([*_CLOSES, *(re.escape(each.close) for each in marks)])
    opening = re.compile(rf"^[ \t]*(?:{opens})", re.IGNORECASE | re.MULTILINE)
    return opening, re.compile(rf"{_QUOTED}(?:{closes})", re.IGNORECASE)


def _final_channel(text: str) -> str:
    """Of a text in harmony's channels, what it says on the final one; another text as it is."""
    messages = list(_HARMONY.finditer(text))
    if messages:
        finals = [message.end() for message in messages if message[1] == "final"]
        if not finals:
            return ""
        end = _HARMONY_END.search(text, finals[-1])
        return text[finals[-1] : end.start() if end else len(text)]
    if _BARE_HARMONY.match(text):
        return text.rpartition(_BARE_FINAL)[2] if _BARE_FINAL in text else ""
    return text


def own_turn(text: str) -> str:
    """The text up to the token that ends the turn: what follows was said by somebody else."""
    role = _ROLE.match(text)
    text = text[role.end() :] if role and text[role.end() :].strip() else text
    end = next(_outside_blocks(_TURN_END, text), None)
    return (text[: end.start()] if end else text).strip("\n")


def _outside_blocks(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """What matches outside of closed fenced blocks, by offset in the whole text."""
    # Most texts match nowhere, and are not searched for blocks.
    return pattern.finditer(with_blank_blocks(text)) if pattern.search(text) else iter(())


def _last(matches: Iterable[re.Match[str]]) -> re.Match[str] | None:
    return next(iter(deque(matches, maxlen=1)), None)
