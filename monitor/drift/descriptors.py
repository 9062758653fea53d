"""One row per sample: what can be counted about a text without running it, and what running it gave."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from statistics import fmean
from typing import TYPE_CHECKING, Any

from monitor.domain.samples import Outcome
from monitor.drift.matching import Work
from monitor.drift.names import CHOICES, NUMBERS

if TYPE_CHECKING:
    import pandas as pd

    from monitor.rarity.table import RarityTable

Rarity = Callable[[str, str], float | None]
"""Mean rarity in bits of what a program (text, language) uses; None where it uses nothing known."""

_ERROR = re.compile(r"[A-Za-z_.]*(?:Error|Exception|Warning|Exit|Interrupt|Iteration)\b")
_COMMENT = re.compile(r"^[ \t]*#", re.MULTILINE)
_LINE = re.compile(r"^.*\S", re.MULTILINE)


def describe(works: Iterable[Work], rarity: Rarity | None) -> pd.DataFrame:
    """The frame of some works: task_id, stratum, index, :data:`NUMBERS` and :data:`CHOICES`.

    Args:
        works: samples with their texts.
        rarity: None where there is no rarity table; the column is missing then.
    """
    import pandas as pd  # noqa: PLC0415 - half a second that most commands do not need

    def mean_rarity(work: Work) -> float | None:
        if rarity is None or work.shape.tree is None:
            return None
        return rarity(work.writing.text, work.writing.language)

    rows = [_row(work, mean_rarity(work)) for work in works]
    frame = pd.DataFrame(rows, columns=["task_id", "stratum", "index", *NUMBERS, *CHOICES])
    return frame.astype(dict.fromkeys(NUMBERS, "float64"))


def rarity_by(table: RarityTable) -> Rarity:
    """Mean bits of the distinct features of a program, by a table."""
    from monitor.rarity.features import features_of  # noqa: PLC0415 - tables that most commands do not need

    def mean_bits(text: str, language: str) -> float | None:
        features = features_of(text, language)
        return fmean(table.rarity_bits(feature) for feature in features) if features else None

    return mean_bits


def error_class(outcome: Outcome, detail: str) -> str | None:
    """The exception that ended a program; ``none`` where there was none, None where nothing is known.

    >>> error_class(Outcome.FAILED, "ZeroDivisionError: division by zero")
    'ZeroDivisionError'
    >>> error_class(Outcome.TIMED_OUT, "used more than 2 s of CPU")
    'none'
    """
    if outcome is Outcome.UNSCORED:
        return None
    found = _ERROR.match(detail)
    return found.group() if found else "none"


def _row(work: Work, mean_rarity: float | None) -> dict[str, Any]:
    sample, tree = work.sample, work.shape.tree
    completion, outcome = sample.completion, sample.execution.outcome
    lines = len(_LINE.findall(completion.text))
    return {
        "task_id": sample.task_id,
        "stratum": sample.stratum.value,
        "index": sample.index,
        "tokens": completion.tokens,
        "characters": len(completion.text),
        "lines": lines,
        "ast_depth": tree.depth if tree else None,
        "ast_nodes": tree.nodes if tree else None,
        "complexity": tree.complexity if tree else None,
        "imports": tree.imports if tree else None,
        "calls": tree.calls if tree else None,
        "mean_rarity": mean_rarity,
        "comment_share": len(_COMMENT.findall(completion.text)) / lines if tree and lines else None,
        "mean_logprob": completion.mean_logprob,
        "min_logprob": completion.min_logprob,
        "outcome": None if outcome is Outcome.UNSCORED else outcome.value,
        "finish_reason": completion.finish_reason.value,
        "error_class": error_class(outcome, sample.execution.detail),
    }
