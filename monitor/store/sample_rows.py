"""Samples as rows, and their texts as compressed blocks.

A sample's figures are columns. Its texts go into a block with those of its neighbours: samples of
the same task resemble each other, so a block is several times smaller than its texts one by one.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from monitor.domain.errors import StoreTrouble
from monitor.domain.samples import Completion, Execution, FinishReason, Outcome, Sample, Trust
from monitor.domain.tasks import Stratum

BLOCK_SAMPLES = 256
"""Samples per block: enough to compress well, few enough to unpack in a millisecond."""


class Texts(NamedTuple):
    """Everything of a sample that is free text, in the order in which blocks hold it."""

    completion: str
    completion_detail: str
    execution_detail: str
    program_digest: str


def packed(samples: Sequence[Sample]) -> bytes:
    """The texts of some samples, in their order."""
    texts = [
        Texts(
            sample.completion.text,
            sample.completion.detail,
            sample.execution.detail,
            sample.program_digest,
        )
        for sample in samples
    ]
    # A model may write NUL or half a surrogate pair, which UTF-8 proper and PostgreSQL's text refuse.
    return zlib.compress(json.dumps(texts, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def unpacked(body: bytes) -> list[Texts]:
    """What :func:`packed` was given. Raises StoreTrouble when the block is damaged."""
    try:
        return [Texts(*texts) for texts in json.loads(zlib.decompress(body).decode("utf-8", "surrogatepass"))]
    except (zlib.error, ValueError, TypeError) as exc:
        raise StoreTrouble(
            f"A block of stored texts is damaged: {exc}.", next_step="Restore the store from a backup."
        ) from exc


class Place(NamedTuple):
    """Numbers of the rows that a sample belongs to."""

    evaluation_ref: int
    task_ref: int
    block_ref: int
    block_position: int


def row_of(sample: Sample, place: Place) -> dict[str, Any]:
    """All columns of the sample."""
    completion, execution = sample.completion, sample.execution
    # They are stored once, so they had better be the same.
    assert (completion.task_id, completion.index) == (sample.task_id, sample.index)
    return {
        "evaluation_ref": place.evaluation_ref,
        "task_ref": place.task_ref,
        "sample_index": sample.index,
        "wave": sample.wave,
        "stratum": sample.stratum.value,
        "outcome": execution.outcome.value,
        "seed": completion.seed,
        "finish_reason": completion.finish_reason.value,
        "tokens": completion.tokens,
        "mean_logprob": completion.mean_logprob,
        "min_logprob": completion.min_logprob,
        "cpu_s": execution.cpu_s,
        "wall_s": execution.wall_s,
        "peak_bytes": execution.peak_bytes,
        "trust": execution.trust.value,
        "block_ref": place.block_ref,
        "block_position": place.block_position,
    }


def sample_of(row: Any, task_id: str, blocks: Mapping[int, Sequence[Texts]]) -> Sample:
    """The sample that the row and its block hold."""
    texts = blocks[row.block_ref][row.block_position]
    return Sample(
        task_id=task_id,
        stratum=Stratum(row.stratum),
        index=row.sample_index,
        wave=row.wave,
        completion=Completion(
            task_id=task_id,
            index=row.sample_index,
            seed=row.seed,
            text=texts.completion,
            finish_reason=FinishReason(row.finish_reason),
            tokens=row.tokens,
            mean_logprob=row.mean_logprob,
            min_logprob=row.min_logprob,
            detail=texts.completion_detail,
        ),
        program_digest=texts.program_digest,
        execution=Execution(
            outcome=Outcome(row.outcome),
            cpu_s=row.cpu_s,
            wall_s=row.wall_s,
            peak_bytes=row.peak_bytes,
            detail=texts.execution_detail,
            trust=Trust(row.trust),
        ),
    )
