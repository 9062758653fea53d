"""Readers of public benchmark formats: one record in, one task out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from monitor.programs.checks import script_as_check
from monitor.programs.languages import language_of
from monitor.suites.format import TaskFile
from monitor.suites.importing.conversion import (
    Conversion,
    LeftOutBecause,
    NotImportable,
    Origin,
    Reader,
    joined_by_newline,
    make_task,
    reference_of,
    text_of,
)
from monitor.suites.importing.evalplus import evalplus
from monitor.suites.importing.own import own


class Format(StrEnum):
    """What a file of tasks holds: a public benchmark, or tasks of one's own."""

    HUMANEVAL = "humaneval"
    MBXP = "mbxp"
    MCEVAL = "mceval"
    EVALPLUS = "evalplus"
    MULTIPL_E = "multipl-e"
    BIGCODEBENCH = "bigcodebench"
    JSONL = "jsonl"
    """Tasks of one's own, with the fields of a task file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A format with what is known of the benchmark behind it."""

    read: Reader
    origin: Origin | None = None
    """None where the format says nothing of where its tasks come from."""
    published: re.Pattern[str] = re.compile("")
    """What the benchmark's own ids look like: other tasks in its format come from elsewhere."""
    id_field: str = "task_id"
    """The record's field that holds the id."""


def humaneval(record: Mapping[str, Any], conversion: Conversion) -> TaskFile:
    """HumanEval: prompt, body and ``check(candidate)`` are ours as they are."""
    return make_task(
        conversion,
        task_id=text_of(record, "task_id"),
        prompt=text_of(record, "prompt"),
        canonical_solution=reference_of(record),
        test=text_of(record, "test"),
        entry_point=text_of(record, "entry_point"),
        language="python",
        topic="function",
    )


def mbxp(record: Mapping[str, Any], conversion: Conversion) -> TaskFile:
    """MBXP: HumanEval's fields in many languages; tests of other languages run after the program."""
    prompt = text_of(record, "prompt")
    language = language_of(text_of(record, "language").lower())
    if language == "python":
        # These are MBPP's own; the other languages' were transpiled, their solutions generated.
        conversion = replace(conversion, origin=replace(conversion.origin, written_by="human"))
    return make_task(
        conversion,
        task_id=text_of(record, "task_id"),
        prompt=prompt,
        canonical_solution=joined_by_newline(prompt, reference_of(record)),
        test=text_of(record, "test"),
        entry_point=text_of(record, "entry_point"),
        language=language,
        topic="function",
    )


def mceval(record: Mapping[str, Any], conversion: Conversion) -> TaskFile:
    """McEval: the id names the language; prompt, solution and tests stand on lines of their own."""
    task_id, prompt = text_of(record, "task_id"), text_of(record, "prompt")
    language = language_of(task_id.partition("/")[0].lower())
    reference, test = reference_of(record), text_of(record, "test")
    if prompt.lstrip().startswith("#lang racket"):
        # McEval's Scheme tasks are written in Racket, with its test library.
        language = "racket"
        test = RACKET_CHECKS_EXIT + test
    if language == "fortran":
        raise NotImportable(
            LeftOutBecause.NOT_RUN, "its tests enclose the program, so they cannot run after it"
        )
    entry_point = text_of(record, "entry_point")
    return make_task(
        conversion,
        task_id=f"McEval/{task_id}",
        prompt=prompt,
        canonical_solution=joined_by_newline(prompt, reference),
        test=script_as_check(test, entry_point) if language == "python" else test,
        entry_point=entry_point,
        language=language,
        topic=str(record.get("level") or "function"),
    )


def multipl_e(record: Mapping[str, Any], conversion: Conversion) -> TaskFile:
    """MultiPL-E: it publishes no reference solutions, so they must be added as ``canonical_solution``."""
    prompt = text_of(record, "prompt")
    name = text_of(record, "name")
    return make_task(
        conversion,
        task_id=f"MultiPL-E/{text_of(record, 'language')}/{name}",
        prompt=prompt,
        canonical_solution=reference_of(record),
        test=text_of(record, "tests"),
        entry_point=re.sub(r"^[A-Za-z]+_\d+_", "", name),
        language=language_of(text_of(record, "language").lower()),
        topic="function",
        stop=[str(stop) for stop in record.get("stop_tokens") or []],
    )


def bigcodebench(record: Mapping[str, Any], conversion: Conversion) -> TaskFile:
    """BigCodeBench: a function with its libraries, and a unittest class."""
    prompt = text_of(record, "complete_prompt")
    entry_point = text_of(record, "entry_point")
    return make_task(
        conversion,
        task_id=text_of(record, "task_id"),
        prompt=prompt,
        canonical_solution=joined_by_newline(prompt, reference_of(record)),
        test=script_as_check(text_of(record, "test"), entry_point),
        entry_point=entry_point,
        language="python",
        topic=_first_library(record.get("libs")),
    )


BENCHMARKS: Mapping[Format, Benchmark] = {
    Format.HUMANEVAL: Benchmark(
        origin=Origin(
            title="HumanEval",
            author="OpenAI",
            created="2021-07-07",
            licence="MIT",
            source="https://github.com/openai/human-eval",
            written_by="human",
        ),
        read=humaneval,
        published=re.compile(r"HumanEval/\d+"),
    ),
    Format.MBXP: Benchmark(
        origin=Origin(
            title="MBXP",
            author="Amazon",
            created="2022-10-26",
            licence="Apache-2.0 AND CC-BY-4.0",
            source="https://github.com/amazon-science/mxeval",
            written_by="model",
        ),
        read=mbxp,
        published=re.compile(r"(MB[A-Z]+P|HumanEval)/\d+"),
    ),
    Format.MCEVAL: Benchmark(
        origin=Origin(
            title="McEval",
            author="The McEval authors",
            created="2024-06-11",
            licence="CC-BY-SA-4.0",
            source="https://github.com/MCEVAL/McEval",
            written_by="human",
        ),
        read=mceval,
        published=re.compile(r"[A-Za-z][A-Za-z0-9+# .-]*/\d+"),
    ),
    Format.EVALPLUS: Benchmark(
        origin=Origin(
            title="EvalPlus",
            author="The EvalPlus authors",
            created="2023-05-02",
            licence="Apache-2.0",
            source="https://github.com/evalplus/evalplus",
            written_by="human",
        ),
        read=evalplus,
        published=re.compile(r"(HumanEval|Mbpp)/\d+"),
    ),
    Format.MULTIPL_E: Benchmark(
        origin=Origin(
            title="MultiPL-E",
            author="The MultiPL-E authors",
            created="2022-08-17",
            licence="MIT",
            source="https://huggingface.co/datasets/nuprl/MultiPL-E",
            written_by="human",
        ),
        read=multipl_e,
        published=re.compile(r"(HumanEval|mbpp)_\d+_.*"),
        id_field="name",
    ),
    Format.BIGCODEBENCH: Benchmark(
        origin=Origin(
            title="BigCodeBench",
            author="The BigCodeBench authors",
            created="2024-06-22",
            licence="Apache-2.0",
            source="https://github.com/bigcode-project/bigcodebench",
            written_by="model",
        ),
        read=bigcodebench,
        published=re.compile(r"BigCodeBench/\d+"),
    ),
    Format.JSONL: Benchmark(read=own),
}
"""All formats by name."""

RACKET_CHECKS_EXIT = "(require rackunit)\n(current-check-handler (lambda (failure) (exit 1)))\n"
"""By itself rackunit only prints a failed check and goes on to a clean exit."""


def _first_library(libraries: Any) -> str:
    names = re.findall(r"\w+", libraries) if isinstance(libraries, str) else list(libraries or [])
    return str(names[0]) if names else "function"
