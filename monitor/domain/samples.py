"""What is generated and run: requests, completions, programs, executions, samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from monitor.domain.identity import content_digest
from monitor.domain.tasks import Stratum, TaskKind


class Outcome(StrEnum):
    """What became of one program. All but UNSCORED are facts about the program."""

    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    REJECTED = "rejected"
    """Did not compile, was empty, or was cut off before it ended."""
    UNSCORED = "unscored"
    """A fact about us: engine or sandbox trouble. Never a failure of the model."""

    @property
    def passed(self) -> bool | None:
        """True or False as the model's result; None when there is no result."""
        return None if self is Outcome.UNSCORED else self is Outcome.PASSED


class FinishReason(StrEnum):
    """Why a completion ended."""

    STOP = "stop"
    LENGTH = "length"
    ABORT = "abort"
    """The engine gave no answer: our trouble, the sample is UNSCORED."""
    REFUSED = "refused"
    """The engine will not answer this prompt, however often it is asked: the sample is UNSCORED."""

    @property
    def answered(self) -> bool:
        """Whether there is a text, be it empty."""
        return self in {FinishReason.STOP, FinishReason.LENGTH}


class Style(StrEnum):
    """How a prompt is put to the model."""

    COMPLETION = "completion"
    CHAT = "chat"


class Invalidity(StrEnum):
    """Why an answer made no program: the words with which the detail of its execution begins."""

    EMPTY = "empty completion"
    TRUNCATED = "truncated"
    """Cut off at ``max_tokens`` before a program was complete."""
    REASONING_ONLY = "reasoning only"
    """Nothing stands behind, or around, its reasoning, which was cut off or ended by itself."""
    NO_CODE = "no code in the answer"

    @classmethod
    def of(cls, detail: str) -> Invalidity | None:
        """The reason that the detail of an INVALID outcome tells; None where a program was refused.

        >>> Invalidity.of("truncated after 64 tokens")
        <Invalidity.TRUNCATED: 'truncated'>
        """
        return next((each for each in cls if detail.startswith(each.value)), None)


class Trust(StrEnum):
    """How well the verdict of an execution was kept from the program it judges."""

    SPLIT = "split"
    """Tests ran in a process that the program cannot reach."""
    IN_PROCESS = "in-process"
    """Tests ran beside the program, since the task does not allow otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningMarks:
    """What a model writes around its reasoning."""

    open: str
    close: str


CHAT_FORM = 2
"""Goes up when the prompt of the style ``chat``, or what is taken from an answer to it, changes: what was
sampled before is no longer compared with what is sampled since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingPlan:
    """How samples are drawn; equal plans give comparable samples."""

    samples_per_task: int = 32
    """Most samples drawn of one task; also the depth n0 of a baseline bank."""
    temperature: float = 0.8
    top_p: float = 1.0
    max_tokens: int = 512
    style: Style = Style.COMPLETION
    reasoning: tuple[ReasoningMarks, ...] = ()
    """The model's own marks, beside those that are known; in the style ``chat`` only."""

    @property
    def greedy(self) -> bool:
        """Whether a task has but one answer."""
        return self.temperature == 0

    @property
    def digest(self) -> str:
        """sha256 over what changes a sample or its program; the number of samples does not."""
        sampler = (repr(self.temperature), repr(self.top_p), str(self.max_tokens), self.style.value)
        if self.style is Style.COMPLETION:
            return content_digest(*sampler)
        marks = sorted((each.open, each.close) for each in self.reasoning)
        return content_digest(*sampler, str(CHAT_FORM), repr(marks))


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRequest:
    """Some samples of one task, adjacent by index: one request to the engine."""

    task_id: str
    prompt: str
    first_index: int
    """Index of the first sample; the i-th child has index ``first_index + i``."""
    count: int
    """How many samples are asked for."""
    seed: int
    """Seed of the first sample; the i-th child's is ``seed + i``."""
    stop: tuple[str, ...]
    plan: SamplingPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One generated text."""

    task_id: str
    index: int
    seed: int
    text: str
    finish_reason: FinishReason
    tokens: int
    """Generated tokens, the end token included."""
    mean_logprob: float | None = None
    """Mean natural-log probability of the generated tokens; None when the engine gave none."""
    min_logprob: float | None = None
    detail: str = ""
    """Why there is no text: the engine aborted or refused, or put it elsewhere; empty otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one program may use."""

    cpu_s: float = 2.0
    memory_bytes: int = 256 * 2**20
    output_bytes: int = 64 * 2**10


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The text that is executed, and the tests that decide it; known by its content."""

    language: str
    source: str
    """Prompt and completion, assembled."""
    test: str
    """Source that defines ``check(candidate)``; the sandbox keeps it from ``source``."""
    entry_point: str
    limits: Limits = field(default_factory=Limits)
    in_process: bool = False
    """The task's own calibration: its tests need to run in the program's process."""
    kind: TaskKind = TaskKind.PROGRAM
    """ANSWER: ``source`` is text that is handed to ``check`` as it is; nothing of it is run."""

    @property
    def digest(self) -> str:
        """sha256 over everything that can change the outcome, hexadecimal."""
        return content_digest(
            self.language,
            self.source,
            self.test,
            self.entry_point,
            repr(self.limits),
            str(self.in_process),
            self.kind.value,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """What happened when a program ran."""

    outcome: Outcome
    cpu_s: float = 0.0
    wall_s: float = 0.0
    peak_bytes: int = 0
    detail: str = ""
    """Printable and bounded: exception type and first line, failing assertion, or our trouble."""
    trust: Trust = Trust.SPLIT
    ran: bool = field(default=True, compare=False)
    """False where nothing was run for it: an equal program had run, or there was nothing to run."""
    untested: bool = field(default=False, compare=False)
    """Whether it failed by its test's doing: that skipped itself, or ended before it called the program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How the tests of one task are to be run, found with its reference solution."""

    in_process: bool
    """True when the reference passes only with its tests beside it: verdicts of lower trust."""
    reference: Execution
    """What became of the reference in that mode; when it did not pass, the task is unusable here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One generation and what became of it: the unit of evidence."""

    task_id: str
    stratum: Stratum
    index: int
    wave: int
    """Number of the wave that drew it, from 0; evidence is weighed once per wave."""
    completion: Completion
    program_digest: str
    execution: Execution

    @property
    def passed(self) -> bool | None:
        """True or False as the model's result; None when UNSCORED."""
        return self.execution.outcome.passed
