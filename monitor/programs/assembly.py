"""The program that a completion makes of its task, or why it makes none."""

from __future__ import annotations

from monitor.domain.samples import (
    Completion,
    Execution,
    FinishReason,
    Invalidity,
    Limits,
    Outcome,
    Program,
    SamplingPlan,
    Style,
)
from monitor.domain.tasks import Task, TaskKind
from monitor.programs.extraction import cut_at_stop
from monitor.programs.fences import with_plain_newlines
from monitor.programs.prompts import stops
from monitor.programs.reasoning import answer_proper, own_turn
from monitor.programs.selection import source_in


def reference_program(task: Task) -> Program:
    """The program of the task's own solution, which must pass its tests."""
    given = "" if task.kind is TaskKind.ANSWER else task.prompt
    return program_of(task, given + task.canonical_solution)


def program_of(task: Task, source: str) -> Program:
    """The program of some source, or of an answer's text, with the task's tests and limits."""
    return Program(
        language=task.language,
        source=source,
        test=task.test,
        entry_point=task.entry_point,
        limits=Limits(cpu_s=task.time_limit_s),
        kind=task.kind,
    )


def assemble(task: Task, completion: Completion, plan: SamplingPlan) -> Program | Execution:
    """The program that a completion makes of its task, or what became of it without running.

    Nothing is compiled here: whether it compiles is for the sandbox to find out.
    """
    if not completion.finish_reason.answered:
        return Execution(outcome=Outcome.UNSCORED, detail=completion.detail or "no completion")
    if not completion.text.strip():
        return _without_text(completion)
    if plan.style is Style.CHAT:
        return _from_chat(task, completion, plan)
    if _cut_off(completion):
        return _invalid(f"{Invalidity.TRUNCATED} {_after(completion)}")
    if task.kind is TaskKind.ANSWER:
        return program_of(task, completion.text)
    code = cut_at_stop(with_plain_newlines(completion.text), stops(task, plan.style))
    return program_of(task, task.prompt + code) if code.strip() else _invalid(Invalidity.NO_CODE)


def _from_chat(task: Task, completion: Completion, plan: SamplingPlan) -> Program | Execution:
    text = with_plain_newlines(completion.text)
    answer = answer_proper(text, plan.reasoning)
    if not answer.strip():
        if not own_turn(text):
            return _invalid(Invalidity.EMPTY)
        cut = f", truncated {_after(completion)}" if _cut_off(completion) else ""
        return _invalid(f"{Invalidity.REASONING_ONLY}{cut}")
    if task.kind is TaskKind.ANSWER:
        if _cut_off(completion):
            return _invalid(f"{Invalidity.TRUNCATED} {_after(completion)}")
        return program_of(task, completion.text if answer == text.strip("\n") else answer)
    # What was cut off behind a complete program was prose, or another one.
    source = source_in(task, answer, cut=_cut_off(completion))
    if source:
        return program_of(task, source)
    reason = f"{Invalidity.TRUNCATED} {_after(completion)}" if _cut_off(completion) else Invalidity.NO_CODE
    return _invalid(reason)


def _without_text(completion: Completion) -> Execution:
    cut = f"truncated {_after(completion)}" if _cut_off(completion) else ""
    if completion.detail:
        return _invalid(
            ", ".join(part for part in (Invalidity.REASONING_ONLY, cut, completion.detail) if part)
        )
    return _invalid(cut or Invalidity.EMPTY)


def _cut_off(completion: Completion) -> bool:
    return completion.finish_reason is FinishReason.LENGTH


def _after(completion: Completion) -> str:
    return f"after {completion.tokens} tokens"


def _invalid(detail: str) -> Execution:
    return Execution(outcome=Outcome.REJECTED, detail=detail)
